//! Why a submission is not admitted: one vocabulary for the transaction pool, the runtime API and
//! the programs that put it in words.

use crate::{
    list::{closed_list, ClosedList},
    Modality,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

closed_list! {
    /// The rule a submission breaks. The code is what the transaction pool answers
    /// (`InvalidTransaction::Custom`). Append, never renumber. What value and limit of a [`Refusal`]
    /// mean stands in docs/submissions.md.
    "a rule", pub enum RefusalRule {
        UnknownDatanet = 1, "UnknownDatanet", "there is no Datanet of that number";
        NotRegistered = 2, "NotRegistered", "the account is not a registered contributor";
        ItemCount = 3, "ItemCount", "a submission holds 1 to 20 files";
        WrongModality = 4, "WrongModality", "the format does not belong to this Datanet";
        EmptyFile = 5, "EmptyFile", "a file is empty";
        DigestMismatch = 6, "DigestMismatch", "a content id does not belong to its file's sha256";
        RepeatedItem = 7, "RepeatedItem", "two files of the submission are the same";
        AlreadySubmitted = 8, "AlreadySubmitted", "this Datanet already has the same file";
        DailyFiles = 9, "DailyFiles", "the account's files of the day are used up";
        DailyBytes = 10, "DailyBytes", "the account's bytes of the day are used up";
        DatanetDailyFiles = 11, "DatanetDailyFiles", "the Datanet's files of the day are used up";
        DatanetDailyBytes = 12, "DatanetDailyBytes", "the Datanet's bytes of the day are used up";
        DatanetPaused = 13, "DatanetPaused", "the Datanet takes no files for now";
        DatanetClosed = 14, "DatanetClosed", "the Datanet is closed";
        ShareFiles = 15, "ShareFiles", "the account's share of the Datanet's files of the day is used up";
        ShareBytes = 16, "ShareBytes", "the account's share of the Datanet's bytes of the day is used up";
        Barred = 17, "Barred", "the Datanet's owner barred the account";
        PendingFiles = 18, "PendingFiles", "too many files of the account wait for their verdicts";
        SponsorshipEnded = 19, "SponsorshipEnded", "who paid the account's stake ended the sponsorship";
        KeptForAnother = 20, "KeptForAnother", "a refused file is kept for who submitted it first";
        Tombstone = 21, "Tombstone", "the file was refused as harmful or not the contributor's to give";
        NotPrecommitted = 22, "NotPrecommitted", "no precommitment of the account names the file";
        AlreadyPrecommitted = 23, "AlreadyPrecommitted", "the account has the same precommitment already";
        NotPending = 24, "NotPending", "no submission of that file waits for a verdict";
        NotAuthorized = 25, "NotAuthorized", "only who submitted the file may take it back";
        ReviewFiles = 26, "ReviewFiles", "the Datanet's review budget pays for no more files of the day";
        ReviewShareFiles = 27, "ReviewShareFiles", "the Datanet's review budget pays for no more files of the account of the day";
        Drawn = 28, "Drawn", "a committee was drawn for the file, or the seed that draws it stands: it is neither taken back nor displaced any more";
        NotInvited = 29, "NotInvited", "the Datanet takes files of who was invited";
        TooFewPoints = 30, "TooFewPoints", "the Datanet takes files of who has earned points elsewhere";
        ReviewBudget = 31, "ReviewBudget", "the Datanet's review budget does not cover a committee for every file";
        ReviewShare = 32, "ReviewShare", "as much of the Datanet's review budget is set aside for the account's files as may be at a time";
    }
}

closed_list! {
    /// Why the owner of a Datanet bars an account. Append, never renumber.
    "a reason to bar", pub enum BarReason {
        Unserved = 0, "unserved", "it declares files that nobody can fetch";
        Spam = 1, "spam", "it submits many files that do not belong here";
        Copying = 2, "copying", "it submits what others made";
        Harmful = 3, "harmful", "it submits harmful, private or unlawful content";
        Collusion = 4, "collusion", "it works together with who judges";
        Other = 5, "other", "the owner knows why";
    }
}

impl RefusalRule {
    /// The rule of a number the transaction pool answered.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::of_code(code)
    }
}

/// A rule with what was found and what is allowed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct Refusal {
    /// The rule.
    pub rule: RefusalRule,
    /// The item it is about, counted from 0; `None` if it is about the whole call.
    pub item: Option<u32>,
    /// What was found (see the rule).
    pub value: u64,
    /// What is allowed; 0 where the rule knows no number.
    pub limit: u64,
    /// The Datanet's modality, where there is one.
    pub modality: Option<Modality>,
}

impl Refusal {
    /// A refusal of the whole call.
    pub const fn of_call(rule: RefusalRule, value: u64, limit: u64) -> Self {
        Self { rule, item: None, value, limit, modality: None }
    }

    /// A refusal of one item.
    pub const fn of_item(rule: RefusalRule, item: u32, value: u64, limit: u64) -> Self {
        Self { rule, item: Some(item), value, limit, modality: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(item) = self.item {
            write!(f, "file {}: ", item.saturating_add(1))?;
        }
        let Self { value, limit, .. } = self;
        match self.rule {
            RefusalRule::UnknownDatanet => {
                write!(f, "there is no Datanet {value}; list them with `openledger datanet list`")
            }
            RefusalRule::NotRegistered => f.write_str(
                "this account is not a contributor; run `openledger contributor register`, or let a \
                 sponsor run `openledger contributor register-for`",
            ),
            RefusalRule::ItemCount => {
                write!(f, "{value} files in one submission; it takes 1 to {limit}")
            }
            RefusalRule::WrongModality => {
                f.write_str("the format does not belong to this Datanet")?;
                if let Some(modality) = self.modality {
                    f.write_str("; it takes ")?;
                    for (n, media) in modality.formats().enumerate() {
                        write!(f, "{}.{}", if n == 0 { "" } else { ", " }, media.extension())?;
                    }
                }
                Ok(())
            }
            RefusalRule::EmptyFile => f.write_str("the file is empty"),
            RefusalRule::DigestMismatch => f.write_str(
                "the content id does not belong to the file's sha256; compute both from the same bytes",
            ),
            RefusalRule::RepeatedItem => {
                write!(f, "the same file as file {}; leave one out", value.saturating_add(1))
            }
            RefusalRule::AlreadySubmitted => write!(
                f,
                "this Datanet already has the same file (submission {value}); nothing was charged"
            ),
            // One file that no day has room for: waiting does not help.
            RefusalRule::DailyBytes if self.item.is_some() => write!(
                f,
                "it has {value} bytes; the limit of a day, and so of a file, is {limit}; split it"
            ),
            // The value is what the day would have come to, nothing that was used.
            RefusalRule::DailyFiles => write!(
                f,
                "an account submits at most {limit} files a UTC day, and this would make {value}; try \
                 again after 00:00 UTC"
            ),
            RefusalRule::DailyBytes => write!(
                f,
                "an account submits at most {limit} bytes a UTC day, and this would make {value}; try \
                 again after 00:00 UTC"
            ),
            RefusalRule::DatanetDailyFiles => write!(
                f,
                "this Datanet's owner allows {limit} files a UTC day, and this would make {value}; try \
                 again after 00:00 UTC"
            ),
            RefusalRule::DatanetDailyBytes => write!(
                f,
                "this Datanet's owner allows {limit} bytes a UTC day, and this would make {value}; try \
                 again after 00:00 UTC"
            ),
            RefusalRule::DatanetPaused => write!(
                f,
                "Datanet {value} takes no files for now; try again when its owner has resumed it"
            ),
            RefusalRule::DatanetClosed => {
                write!(f, "Datanet {value} is closed; list the others with `openledger datanet list`")
            }
            RefusalRule::ShareFiles => write!(
                f,
                "an account's share of this Datanet's day is {limit} files, and this would make \
                 {value}; try again after 00:00 UTC"
            ),
            // One file that no day has room for: waiting does not help.
            RefusalRule::ShareBytes if self.item.is_some() => write!(
                f,
                "it has {value} bytes; an account's share of this Datanet's day is {limit}; split it, \
                 or ask its owner for a larger share"
            ),
            RefusalRule::ShareBytes => write!(
                f,
                "an account's share of this Datanet's day is {limit} bytes, and this would make \
                 {value}; try again after 00:00 UTC"
            ),
            RefusalRule::Barred => {
                f.write_str("this Datanet's owner barred the account")?;
                if let Some(reason) = u8::try_from(*value).ok().and_then(BarReason::of_code) {
                    write!(f, ": {}", reason.help())?;
                }
                f.write_str("; other Datanets take its files")
            }
            RefusalRule::PendingFiles => write!(
                f,
                "an account has at most {limit} files precommitted or waiting for their verdicts, and \
                 this would make {value}; wait for verdicts, or take files back with `openledger \
                 withdraw`"
            ),
            RefusalRule::SponsorshipEnded => f.write_str(
                "who paid this account's stake ended the sponsorship; run `openledger contributor \
                 register` to pay a stake of its own",
            ),
            RefusalRule::KeptForAnother => write!(
                f,
                "this file was refused before, and is kept for who submitted it first until block \
                 {limit} (submission {value})"
            ),
            RefusalRule::Tombstone => write!(
                f,
                "this file was refused as harmful or not its contributor's to give (submission \
                 {value}); this Datanet does not take it before block {limit}"
            ),
            RefusalRule::NotPrecommitted => f.write_str(
                "no precommitment of this account that is less than a day old names the file with \
                 this salt; precommit it first",
            ),
            RefusalRule::AlreadyPrecommitted => {
                f.write_str("the account has the same precommitment already; take a fresh salt")
            }
            RefusalRule::NotPending => f.write_str(
                "no submission of that file waits for a verdict; list what waits with `openledger \
                 review list`",
            ),
            RefusalRule::NotAuthorized => f.write_str("another account submitted the file"),
            RefusalRule::ReviewFiles => write!(
                f,
                "this Datanet's owner pays committees for {limit} files a UTC day, and this would make \
                 {value}; try again after 00:00 UTC"
            ),
            RefusalRule::ReviewShareFiles => write!(
                f,
                "this Datanet's owner pays committees for {limit} files of an account a UTC day, and \
                 this would make {value}; try again after 00:00 UTC"
            ),
            RefusalRule::NotInvited => f.write_str(
                "this Datanet takes files of who was invited; ask its owner, or find an open one",
            ),
            RefusalRule::TooFewPoints => write!(
                f,
                "this Datanet takes files of who has earned {limit} points elsewhere, and the account has \
                 {value}; earn some where committees drawn from a modality's seats judge"
            ),
            RefusalRule::Drawn => write!(
                f,
                "a committee was drawn for submission {value}, or the seed that draws it stands; wait for \
                 its verdict, which is paid for"
            ),
            RefusalRule::ReviewBudget => write!(
                f,
                "what is left of this Datanet's review budget pays committees for {limit} files, and these \
                 are {value}; submit fewer, or ask its owner to pay in (`openledger datanet budget`)"
            ),
            RefusalRule::ReviewShare => write!(
                f,
                "of this Datanet's review budget committees for {limit} files of one account are set aside at a \
                 time, and with these it would be {value}; submit fewer, or wait until some of yours are judged \
                 (`openledger datanet budget` shows it)"
            ),
        }
    }
}

impl core::error::Error for Refusal {}
