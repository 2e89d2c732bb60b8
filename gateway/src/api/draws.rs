//! `GET /v1/draws` and `GET /v1/draws/{id}`: what drawn committees judge, said and were paid for.

use super::types::{Moment, Page};
use super::{account, datanets::require, one_of, page, Part};
use crate::error::{ApiError, ErrorBody};
use crate::extract::Query;
use crate::index::storage::DrawQuery;
use crate::index::Index;
use axum::extract::State;
use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const STATES: [&str; 5] = ["waiting", "committing", "revealing", "judged", "over"];

/// The seats that a committee is drawn from: those for a modality, or those for one Datanet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct SeatPool {
    /// `text`, `image` or `audio`.
    pub modality: Option<String>,
    /// The Datanet.
    pub datanet: Option<u32>,
}

/// What is said of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Word {
    /// `accept`, `reject`, `unavailable` (it cannot be fetched, or judged), or of a whole committee `split` (most revealed
    /// and did not agree), `no-quorum` (too few revealed) and `undecided` (most of a challenge's have it, and accept it or
    /// lack an earlier file to compare it with).
    pub kind: String,
    /// Why it is refused.
    pub reason: Option<String>,
    /// Quality, 1 to 100; of a committee the lower median.
    pub score: Option<u8>,
    /// Units measured; of a committee the lower median.
    pub units: Option<u64>,
    /// Root over the canonical text; null where it has none.
    pub text_root: Option<String>,
    /// The extractor that measured.
    pub extractor: Option<u16>,
}

/// A member's word on one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberWord {
    /// What it says.
    pub word: Word,
    /// sha2-256 of the draw's seed and the file's bytes. With `unavailable` null where the file cannot be fetched; where it is
    /// there, and cannot be compared or judged, the proof says so.
    pub possession: Option<String>,
    /// How it stands to what was found, once that is: `agreed`, `dissented` (has the file, and may be right),
    /// `unavailable` (cannot fetch it, or nothing was found), `void` (has not the file that the others have, or
    /// says what cannot be).
    pub stand: Option<String>,
}

/// A member of a committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Who.
    pub account: String,
    /// When it committed to its sealed word.
    pub committed: Option<Moment>,
    /// When it revealed it.
    pub revealed: Option<Moment>,
    /// Its word on every file, in their order; empty before it is revealed.
    pub words: Vec<MemberWord>,
}

/// A file that a committee judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrawFile {
    /// The submission.
    pub submission: u64,
    /// sha2-256 of its flat bytes.
    pub sha256: String,
    /// Its format, as a file name extension.
    pub media: String,
    /// Its size in bytes.
    pub size: u32,
    /// What the committee found.
    pub found: Option<Word>,
    /// The draw that judges a challenge of it.
    pub challenged_by: Option<u64>,
    /// How it left this draw, by the name in `docs/committees.md`, such as `accepted` or `refusal-overturned`. A
    /// challenge's file has none: it leaves the draw that was challenged.
    pub outcome: Option<String>,
    /// When.
    pub ended: Option<Moment>,
}

/// A file of a draw that was challenged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Challenged {
    /// The draw.
    pub draw: u64,
    /// The file's place in it, from 0.
    pub file: u8,
}

/// One committee's work on a call of up to 20 files, or on the one file of a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Draw {
    /// Its number.
    pub id: u64,
    /// The Datanet whose files it judges.
    pub datanet: u32,
    /// `waiting` (for the seed that the committee is drawn by), `committing`, `revealing`, `judged` (verdicts may
    /// be challenged), `over`.
    pub state: String,
    /// The seats it is drawn from; null where it was over in the block that opened it.
    pub pool: Option<SeatPool>,
    /// Committees that were asked about the same files before.
    pub asked: u8,
    /// What it judges again, where it is a challenge's.
    pub challenges: Option<Challenged>,
    /// Who gave the files; never a member.
    pub contributor: Option<String>,
    /// Who challenges; never a member.
    pub challenger: Option<String>,
    /// Plancks that the challenger put up.
    pub bond: Option<String>,
    /// The session by whose seed the committee is drawn.
    pub session: Option<u32>,
    /// What was lacking when a committee was to be drawn last: `seats` or `budget`.
    pub lacked: Option<String>,
    /// Whether its verdicts count beyond the Datanet; known once it is drawn.
    pub counts_globally: Option<bool>,
    /// What commitments and proofs of possession are bound to.
    pub seed: Option<String>,
    /// Fewer units than these are no acceptance.
    pub min_units: u64,
    /// What members measure with.
    pub extractor: Option<u16>,
    /// The last block to commit in.
    pub commit_by: Option<u32>,
    /// The last block to reveal in.
    pub reveal_by: Option<u32>,
    /// The last block to challenge in.
    pub challenge_by: Option<u32>,
    /// The files, in the order of every member's words.
    pub files: Vec<DrawFile>,
    /// The committee, in the order it was drawn.
    pub members: Vec<Member>,
    /// When the files came before it.
    pub opened: Moment,
    /// When the committee was drawn.
    pub drawn: Option<Moment>,
    /// When the votes were counted.
    pub decided: Option<Moment>,
    /// When nothing was left to do.
    pub ended: Option<Moment>,
}

/// What somebody was paid, or lost, for a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Settlement {
    /// The draw.
    pub draw: u64,
    /// The submission; null for what is lost for all files of a draw.
    pub submission: Option<u64>,
    /// Who.
    pub account: String,
    /// Whether it was paid; else its seats lost it.
    pub paid: bool,
    /// Plancks.
    pub amount: String,
    /// Paid for `agreed` (its word is what was found), `larger-committee` (the same, of a challenge), `challenger`
    /// (half of what the overturned lose), `bond` (its part of the bond of who challenged it wrongly). Lost for
    /// `absent` (not committed or not revealed), `void` (had not the file, or said what cannot be), `unserved`
    /// (accepted what the larger committee of a challenge could not fetch), `overturned`
    /// (a challenge overturned its word).
    pub why: String,
    /// When.
    pub at: Moment,
}

/// A draw with what its verdicts paid and cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrawDetail {
    /// The draw.
    #[serde(flatten)]
    pub draw: Draw,
    /// The Datanet's name.
    pub datanet_name: String,
    /// Payments and losses, in order.
    pub settlements: Vec<Settlement>,
}

/// Which draws.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct List {
    /// Of a Datanet.
    datanet: Option<u32>,
    /// Of committees that an account sits on.
    member: Option<String>,
    /// `waiting`, `committing`, `revealing`, `judged` or `over`.
    state: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Entries of the page, 1 to 100; 50 where it is not named.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Draws, newest first.
#[utoipa::path(get, path = "/v1/draws", tag = "committees", params(List), responses(
    (status = 200, body = Page<Draw>), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)
))]
pub async fn list(
    State(index): State<Index>,
    Query(query): Query<List>,
) -> Result<Json<Page<Draw>>, ApiError> {
    let page = page(query.cursor, query.limit)?;
    let member = query.member.map(|text| account("member", &text)).transpose()?;
    if let Some(datanet) = query.datanet {
        require(&index, datanet).await?;
    }
    let wanted = DrawQuery {
        datanet: query.datanet,
        member: member.map(|member| member.to_string()),
        state: one_of("state", query.state, &STATES)?,
    };
    Ok(Json(index.read(move |storage| storage.draws(&wanted, &page)).await?))
}

/// One draw: its files, its committee, what each member said once that is revealed, what was found, and what
/// it paid and cost whom, and why.
#[utoipa::path(get, path = "/v1/draws/{id}", tag = "committees", params(("id" = u64, Path)),
    responses((status = 200, body = DrawDetail), (status = 404, body = ErrorBody)))]
pub async fn one(
    State(index): State<Index>,
    Part(id): Part<u64>,
) -> Result<Json<DrawDetail>, ApiError> {
    let found = index.read(move |storage| storage.draw(id)).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no draw {id}")))
}
