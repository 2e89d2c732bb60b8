//! Closed lists: one definition gives stored index, code, name, serde name, help and [`ALL`].
//!
//! [`ALL`]: ClosedList::ALL

use alloc::string::{String, ToString};
use core::fmt;

/// A list whose entries are all known: reasons, rules, formats, families, and the like.
///
/// An entry's code is its SCALE index and stays for ever; its name is what users write, and what
/// JSON says.
pub trait ClosedList: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// What an entry is called in a sentence, with its article: "a reason".
    const NOUN: &'static str;
    /// Every entry, in order of their codes.
    const ALL: &'static [Self];

    /// The entry's number wherever it is stored or sent.
    fn code(self) -> u8;
    /// The entry as users write it.
    fn name(self) -> &'static str;
    /// What it means, in a few words without a full stop.
    fn help(self) -> &'static str;

    /// The entry of a code.
    fn of_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|entry| entry.code() == code)
    }

    /// The entry of a name.
    ///
    /// # Errors
    ///
    /// With every name there is.
    fn of_name(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.iter().copied().find(|entry| entry.name() == name).ok_or_else(|| UnknownName {
            noun: Self::NOUN,
            found: name.to_string(),
            known: names::<Self>(),
        })
    }
}

/// The names of all entries, separated by commas.
pub fn names<L: ClosedList>() -> String {
    let mut names = String::new();
    for entry in L::ALL {
        if !names.is_empty() {
            names.push_str(", ");
        }
        names.push_str(entry.name());
    }
    names
}

/// A name that is not in its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    noun: &'static str,
    found: String,
    known: String,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { noun, found, known } = self;
        write!(f, "{found:?} is not {noun}: it takes one of {known}")
    }
}

impl core::error::Error for UnknownName {}

/// Declares a closed list. Each entry is a line: variant, code, name, help.
///
/// The code is the SCALE index: append, never renumber. The help is the variant's documentation and
/// what `--help` says of the name.
macro_rules! closed_list {
    (
        $(#[$meta:meta])*
        $noun:literal, pub enum $list:ident {
            $($variant:ident = $code:tt, $name:tt, $help:tt;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            codec::Encode,
            codec::Decode,
            codec::DecodeWithMemTracking,
            codec::MaxEncodedLen,
            scale_info::TypeInfo,
        )]
        #[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
        #[repr(u8)]
        pub enum $list {
            $(
                #[doc = $help]
                #[codec(index = $code)]
                #[cfg_attr(feature = "std", serde(rename = $name))]
                $variant = $code,
            )+
        }

        impl $crate::list::ClosedList for $list {
            const NOUN: &'static str = $noun;
            const ALL: &'static [Self] = &Self::ALL;

            fn code(self) -> u8 {
                self.code()
            }
            fn name(self) -> &'static str {
                self.name()
            }
            fn help(self) -> &'static str {
                self.help()
            }
        }

        impl $list {
            /// Every entry, in order of their codes.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];

            /// The entry's number wherever it is stored or sent.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The entry as users write it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it means, in a few words.
            pub const fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => $help,)+
                }
            }
        }

        impl core::fmt::Display for $list {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }

        impl core::str::FromStr for $list {
            type Err = $crate::list::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                <Self as $crate::list::ClosedList>::of_name(name)
            }
        }
    };
}
pub(crate) use closed_list;
