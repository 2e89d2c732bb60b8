//! What the index answers. Amounts and points are decimal strings, accounts SS58, hashes lower-case
//! hexadecimal, content ids textual CIDs, times milliseconds since 1970.

mod training;

pub use training::*;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    /// Its entries.
    pub items: Vec<T>,
    /// Where the next page begins; null after the last.
    pub next: Option<String>,
}

/// When something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// The block's number.
    pub block: u32,
    /// The block's time.
    pub time: u64,
    /// The transaction's hash; null for what a block does by itself.
    pub extrinsic: Option<String>,
}

/// Most files and bytes of a UTC day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Files.
    pub files: u32,
    /// Bytes.
    pub bytes: u64,
}

/// How many submissions are in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Waiting for a verdict.
    pub pending: u64,
    /// Accepted.
    pub accepted: u64,
    /// Refused.
    pub rejected: u64,
    /// Taken back by their contributors.
    pub withdrawn: u64,
}

/// A reward pool, as it was when last touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Plancks ever paid in.
    pub total_in: String,
    /// Plancks ever paid out.
    pub claimed: String,
    /// Plancks released to points and not yet paid out.
    pub owed: String,
    /// Plancks not yet released.
    pub available: String,
    /// Most plancks released for one period.
    pub per_period: String,
    /// Most plancks for one point.
    pub max_per_point: String,
    /// The period that `points` were earned in.
    pub period: u32,
    /// Points earned in it so far.
    pub points: String,
    /// All shares of what is not yet released.
    #[serde(default)]
    pub shares: String,
    /// Those of them that nobody holds.
    #[serde(default)]
    pub unowned: String,
}

/// Terms of a reward pool that wait to take the place of those that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingTerms {
    /// Most plancks released for one period.
    pub per_period: String,
    /// Most plancks for one point.
    pub max_per_point: String,
    /// The first period that they count for. The pool shows them once it is touched in it.
    pub from: u32,
}

/// A review policy that waits to take the place of the one that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingPolicy {
    /// Who decides.
    pub curators: Vec<String>,
    /// How many of them must agree.
    pub threshold: u8,
    /// The seats that committees are drawn from instead: `modality` or `datanet`.
    #[serde(default)]
    pub committee: Option<String>,
    /// The first block in which it counts.
    pub from: u32,
}

/// Who paid into a pool, and what that is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Funder {
    /// Who.
    pub account: String,
    /// Plancks ever paid in.
    pub funded: String,
    /// Plancks taken back.
    pub withdrawn: String,
    /// Shares that stay, of the pool's.
    pub shares: String,
    /// What they are worth in plancks, as the pool was when last touched.
    pub worth: String,
    /// Shares that leave at the end of the period, or have left and are not fetched yet.
    pub leaving: String,
}

/// A Datanet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Datanet {
    /// Its number.
    pub id: u32,
    /// Who created it.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// `open`, `paused` (it takes no files for now) or `closed` (it takes none any more).
    pub status: String,
    /// The account that it is offered to, until that takes it.
    pub offered_to: Option<String>,
    /// What it is about, in a line of its owner's; may be empty.
    pub summary: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// `text`, `image` or `audio`.
    pub modality: String,
    /// What a unit is, in words.
    pub unit: String,
    /// Formats that it takes, as file name extensions.
    pub formats: Vec<String>,
    /// Least units of an accepted file.
    pub min_units: u64,
    /// Most units of a file that earn points.
    pub max_units: u64,
    /// What all contributors together may submit in one UTC day.
    pub daily_limit: Option<Limits>,
    /// When it was created.
    pub created: Moment,
    /// The curators whom its owner named to decide on its submissions; nobody where committees do. What they
    /// accept counts on its own board alone.
    pub curators: Vec<String>,
    /// How many of them must agree.
    pub threshold: u8,
    /// The seats that committees are drawn from to decide on its submissions: those for its `modality`, or those
    /// for this `datanet` alone; null where curators decide.
    pub committee: Option<String>,
    /// Of whom it takes files: `open` (of everybody), `invited` (of whom its owner invites), `points` (also of who
    /// has enough over all Datanets).
    pub admission: String,
    /// Points over all Datanets that admit, with `points`.
    pub least_points: Option<String>,
    /// Submissions by state.
    pub counts: Counts,
    /// Accounts that submitted.
    pub contributors: u64,
    /// Leaves of the current version: accepted files.
    pub leaves: u64,
    /// Units accepted in all.
    pub units: String,
    /// Its reward pool, from its first acceptance or funding on.
    pub pool: Option<Pool>,
}

/// A Datanet with what is said of it at length, what waits, and who paid for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatanetDetail {
    /// The Datanet.
    #[serde(flatten)]
    pub datanet: Datanet,
    /// What it is about, in its owner's Markdown; may be empty.
    pub description: String,
    /// Terms of its pool that wait.
    pub waiting_terms: Option<WaitingTerms>,
    /// A review policy that waits.
    pub waiting_policy: Option<WaitingPolicy>,
    /// Who paid into its pool: at most 100, those with most shares first.
    pub funders: Vec<Funder>,
}

/// A file that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// Its number.
    pub id: u64,
    /// The Datanet.
    pub datanet: u32,
    /// Who gave it.
    pub contributor: String,
    /// sha2-256 of its flat bytes.
    pub sha256: String,
    /// The file on IPFS.
    pub content: String,
    /// Its size in bytes.
    pub size: u32,
    /// Its format, as a file name extension.
    pub media: String,
    /// `pending`, `accepted`, `rejected` or `withdrawn`.
    pub state: String,
    /// When it was submitted.
    pub submitted: Moment,
    /// When it was decided or taken back.
    pub decided: Option<Moment>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Its quality, 1 to 100.
    pub score: Option<u8>,
    /// Units measured.
    pub units: Option<u64>,
    /// Points that it earned.
    pub points: Option<String>,
    /// Position of its leaf in the Datanet.
    pub leaf: Option<u64>,
    /// Whether the permission to train on its leaf was taken back.
    pub revoked: bool,
    /// In which block: jobs of later blocks leave it out.
    pub revoked_at: Option<u32>,
    /// Root over its canonical text; null where it has none.
    pub text_root: Option<String>,
    /// The extractor that measured it.
    pub extractor: Option<u16>,
}

/// A curator's vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// Who voted.
    pub curator: String,
    /// Whether to accept.
    pub accept: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Quality, 1 to 100.
    pub score: Option<u8>,
    /// Units measured.
    pub units: Option<u64>,
    /// Root over the canonical text.
    pub text_root: Option<String>,
    /// The extractor that measured.
    pub extractor: Option<u16>,
    /// Whether it took the place of an earlier vote of the same curator.
    pub replaced: bool,
    /// When.
    pub at: Moment,
}

/// A submission with its whole history.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubmissionDetail {
    /// The submission.
    #[serde(flatten)]
    pub submission: Submission,
    /// The Datanet's name.
    pub datanet_name: String,
    /// Votes in order, replaced ones too.
    pub votes: Vec<Vote>,
    /// Everything that happened to it, in order.
    pub history: Vec<Event>,
    /// The committees that it was brought before, in order; those that judge a challenge of it too.
    pub draws: Vec<DrawOf>,
}

/// A committee that a submission was brought before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DrawOf {
    /// The draw.
    pub draw: u64,
    /// Whether it judges a challenge.
    pub challenge: bool,
    /// The draw's state.
    pub state: String,
    /// What the committee found, in a word: `accept`, `reject`, `unavailable`, `split`, `no-quorum`.
    pub found: Option<String>,
    /// How the submission left the draw.
    pub outcome: Option<String>,
}

/// A line of a leaderboard.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoardEntry {
    /// Its place, from 1.
    pub rank: u64,
    /// Who.
    pub account: String,
    /// Points.
    pub points: String,
    /// Its part of all points of this board, from 0 to 1.
    pub share: f64,
    /// Acceptance number that brought the last points; of equal points the earlier ranks first.
    pub sequence: u64,
    /// Files of this board that earned points.
    pub files: u64,
    /// All submissions of the account in this Datanet, for information: refusals cost no points.
    pub counts: Counts,
}

/// A reward period that has ended with points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// Its number.
    pub period: u32,
    /// Points earned in it.
    pub points: String,
    /// Plancks a point.
    pub rate: String,
    /// When the chain closed it.
    pub closed: Moment,
}

/// Something that happened on the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// `<block>-<index>`, in the order of the chain.
    pub id: String,
    /// `Pallet.Event`.
    pub kind: String,
    /// The block's number.
    pub block: u32,
    /// The block's time.
    pub time: u64,
    /// The transaction's hash; null for what a block does by itself.
    pub extrinsic: Option<String>,
    /// What the event says.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub fields: serde_json::Value,
}
