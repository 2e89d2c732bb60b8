//! Why an image or a sound is not accepted.

use std::fmt;

/// One definition of the closed list: the variant, its code between decoder and program, its name,
/// what it says of a file, and what to do about it.
macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident $code:literal $name:literal $text:literal $next:literal;)*) => {
        /// Why an image or a sound is not accepted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[$doc])* $variant,)*
        }

        impl Refusal {
            /// Every one, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its number in what the decoder answers.
            pub(crate) fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The one of a number.
            pub(crate) fn of(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What to do about it.
            pub fn next(self) -> &'static str {
                match self { $(Self::$variant => $next,)* }
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }
    };
}

refusals! {
    /// It ends before it is whole.
    Truncated 1 "truncated" "is cut off" "get a complete copy of it";
    /// What it says of itself is not what is in it.
    Contradiction 2 "contradiction" "contradicts itself" "open it and save it again";
    /// More than is measured of one file.
    TooLarge 3 "too-large" "is larger than what is measured" "make it smaller, or split it";
    /// A variant of its format that is not read.
    Unsupported 4 "unsupported" "is of a variant that is not read" "save it in a more common one";
    /// Its data cannot be decoded.
    Damaged 5 "damaged" "is damaged" "open it and save it again";
    /// Other bytes follow its end.
    Trailing 6 "trailing" "goes on after its end" "save it again without what follows";
}
