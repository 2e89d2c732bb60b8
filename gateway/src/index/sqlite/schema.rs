//! Tables of the index. Every row follows from blocks; nothing else is ever written.

use serde::{Deserialize, Serialize};

/// Version of the tables. A database of an earlier one is made anew from the chain.
pub(super) const VERSION: u32 = 6;

/// What all funders of a pool own together, as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct FundsRecord {
    pub(super) shares: String,
    pub(super) unowned: String,
    /// Shares of earlier generations are void.
    pub(super) generation: u32,
}

/// Numbers of the chain that may pass 2⁶³ (points, plancks) are kept as text, or, where they are sorted
/// by, as 16 big-endian bytes.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks(
    number INTEGER PRIMARY KEY, hash TEXT NOT NULL, parent TEXT NOT NULL, time INTEGER NOT NULL,
    spec INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS blocks_hash ON blocks(hash);
CREATE TABLE IF NOT EXISTS events(
    block INTEGER NOT NULL, idx INTEGER NOT NULL, kind TEXT NOT NULL, time INTEGER NOT NULL,
    extrinsic TEXT, submission INTEGER, job INTEGER, fields TEXT NOT NULL,
    PRIMARY KEY(block, idx)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_kind ON events(kind, block, idx);
CREATE INDEX IF NOT EXISTS events_submission ON events(submission, block, idx)
    WHERE submission IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_job ON events(job, block, idx) WHERE job IS NOT NULL;
CREATE TABLE IF NOT EXISTS activity(
    account TEXT NOT NULL, block INTEGER NOT NULL, idx INTEGER NOT NULL,
    PRIMARY KEY(account, block, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS datanets(
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, modality TEXT NOT NULL,
    min_units INTEGER NOT NULL, max_units INTEGER NOT NULL, daily_files INTEGER, daily_bytes INTEGER,
    created TEXT NOT NULL, threshold INTEGER NOT NULL DEFAULT 0, pending INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0,
    withdrawn INTEGER NOT NULL DEFAULT 0, contributors INTEGER NOT NULL DEFAULT 0,
    leaves INTEGER NOT NULL DEFAULT 0, units TEXT NOT NULL DEFAULT '0', pool TEXT, funds TEXT,
    status TEXT NOT NULL DEFAULT 'open', summary TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '', tags TEXT NOT NULL DEFAULT '[]', offered TEXT,
    waiting_terms TEXT, waiting_policy TEXT, committee TEXT,
    admission TEXT NOT NULL DEFAULT 'open', least_points TEXT
);
CREATE INDEX IF NOT EXISTS datanets_owner ON datanets(owner, id);
CREATE TABLE IF NOT EXISTS curators(
    datanet INTEGER NOT NULL, place INTEGER NOT NULL, account TEXT NOT NULL,
    PRIMARY KEY(datanet, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS curators_account ON curators(account, datanet);
CREATE TABLE IF NOT EXISTS submissions(
    id INTEGER PRIMARY KEY, datanet INTEGER NOT NULL, contributor TEXT NOT NULL, sha256 TEXT NOT NULL,
    content TEXT NOT NULL, size INTEGER NOT NULL, media TEXT NOT NULL, state TEXT NOT NULL,
    block INTEGER NOT NULL, time INTEGER NOT NULL, extrinsic TEXT,
    decided_block INTEGER, decided_time INTEGER, decided_extrinsic TEXT, reason TEXT, score INTEGER,
    units INTEGER, points TEXT, leaf INTEGER, text_root TEXT, extractor INTEGER, period INTEGER,
    revoked_at INTEGER
);
CREATE INDEX IF NOT EXISTS submissions_datanet ON submissions(datanet, id);
CREATE INDEX IF NOT EXISTS submissions_state ON submissions(datanet, state, id);
CREATE INDEX IF NOT EXISTS submissions_contributor ON submissions(contributor, id);
CREATE INDEX IF NOT EXISTS submissions_contributor_state ON submissions(contributor, state, id);
CREATE INDEX IF NOT EXISTS submissions_both ON submissions(contributor, datanet, id);
CREATE INDEX IF NOT EXISTS submissions_both_state ON submissions(contributor, datanet, state, id);
CREATE INDEX IF NOT EXISTS submissions_any_state ON submissions(state, id);
CREATE INDEX IF NOT EXISTS submissions_decided ON submissions(datanet, decided_block, id)
    WHERE decided_block IS NOT NULL;
CREATE INDEX IF NOT EXISTS submissions_leaf ON submissions(datanet, leaf) WHERE leaf IS NOT NULL;
CREATE INDEX IF NOT EXISTS submissions_revoked ON submissions(datanet, leaf, revoked_at)
    WHERE revoked_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS submissions_rewarded ON submissions(contributor, datanet, period, leaf)
    WHERE leaf IS NOT NULL;
CREATE INDEX IF NOT EXISTS submissions_rewarded_all ON submissions(contributor, datanet, leaf)
    WHERE leaf IS NOT NULL;
CREATE INDEX IF NOT EXISTS submissions_sha256 ON submissions(sha256, id);
CREATE INDEX IF NOT EXISTS submissions_content ON submissions(content, id);
CREATE TABLE IF NOT EXISTS votes(
    submission INTEGER NOT NULL, block INTEGER NOT NULL, idx INTEGER NOT NULL, time INTEGER NOT NULL,
    extrinsic TEXT, curator TEXT NOT NULL, accept INTEGER NOT NULL, reason TEXT, score INTEGER,
    units INTEGER, text_root TEXT, extractor INTEGER, replaced INTEGER NOT NULL,
    PRIMARY KEY(submission, block, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contributions(
    account TEXT NOT NULL, datanet INTEGER NOT NULL, pending INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0,
    withdrawn INTEGER NOT NULL DEFAULT 0, claimed TEXT NOT NULL DEFAULT '0',
    PRIMARY KEY(account, datanet)
) WITHOUT ROWID;
-- Period -1 is the board of all time, Datanet 4294967295 the board over all Datanets.
CREATE TABLE IF NOT EXISTS boards(
    datanet INTEGER NOT NULL, period INTEGER NOT NULL, account TEXT NOT NULL, key BLOB NOT NULL,
    files INTEGER NOT NULL, PRIMARY KEY(datanet, period, account)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS boards_rank ON boards(datanet, period, key);
-- Made anew of the rows of boards where it is empty (ranks.rs).
CREATE TABLE IF NOT EXISTS board_chunks(
    datanet INTEGER NOT NULL, period INTEGER NOT NULL, first BLOB NOT NULL, keys INTEGER NOT NULL,
    PRIMARY KEY(datanet, period, first)
) WITHOUT ROWID;
-- All points of a board.
CREATE TABLE IF NOT EXISTS board_sums(
    datanet INTEGER NOT NULL, period INTEGER NOT NULL, points BLOB NOT NULL, PRIMARY KEY(datanet, period)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS funders(
    datanet INTEGER NOT NULL, account TEXT NOT NULL, funded TEXT NOT NULL DEFAULT '0',
    withdrawn TEXT NOT NULL DEFAULT '0', shares BLOB NOT NULL, leaving TEXT NOT NULL DEFAULT '0',
    generation INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(datanet, account)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS funders_shares ON funders(datanet, generation DESC, shares DESC, account);
CREATE TABLE IF NOT EXISTS periods(
    datanet INTEGER NOT NULL, period INTEGER NOT NULL, points TEXT NOT NULL, rate TEXT NOT NULL,
    closed TEXT NOT NULL, PRIMARY KEY(datanet, period)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs(
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, state TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_owner ON jobs(owner, id);
CREATE INDEX IF NOT EXISTS jobs_state ON jobs(state, id);
CREATE INDEX IF NOT EXISTS jobs_owner_state ON jobs(owner, state, id);
CREATE TABLE IF NOT EXISTS adapters(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS adapters_owner ON adapters(owner, id);
CREATE TABLE IF NOT EXISTS base_models(id INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS draws(
    id INTEGER PRIMARY KEY, datanet INTEGER NOT NULL, state TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS draws_datanet ON draws(datanet, id);
CREATE INDEX IF NOT EXISTS draws_state ON draws(state, id);
CREATE INDEX IF NOT EXISTS draws_both ON draws(datanet, state, id);
CREATE TABLE IF NOT EXISTS draw_files(
    submission INTEGER NOT NULL, draw INTEGER NOT NULL, PRIMARY KEY(submission, draw)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS draw_members(
    draw INTEGER NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY(draw, account)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS draw_members_account ON draw_members(account, draw);
CREATE INDEX IF NOT EXISTS draw_members_state ON draw_members(account, state, draw);
CREATE TABLE IF NOT EXISTS settlements(
    account TEXT NOT NULL, block INTEGER NOT NULL, idx INTEGER NOT NULL, draw INTEGER NOT NULL,
    submission INTEGER, paid INTEGER NOT NULL, amount TEXT NOT NULL, why TEXT NOT NULL,
    time INTEGER NOT NULL, extrinsic TEXT, PRIMARY KEY(account, block, idx)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS settlements_draw ON settlements(draw, block, idx);
CREATE TABLE IF NOT EXISTS reviewers(
    account TEXT PRIMARY KEY, drawn INTEGER NOT NULL, revealed INTEGER NOT NULL, earned TEXT NOT NULL,
    lost TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seats(
    account TEXT NOT NULL, pool TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY(account, pool)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS workers(account TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
";

/// Every table, for comparing two databases row by row; but for the one that only helps readers.
pub(super) const TABLES: &[&str] = &[
    "meta",
    "blocks",
    "events",
    "activity",
    "datanets",
    "curators",
    "submissions",
    "votes",
    "contributions",
    "boards",
    "board_sums",
    "funders",
    "periods",
    "jobs",
    "adapters",
    "base_models",
    "draws",
    "draw_files",
    "draw_members",
    "settlements",
    "reviewers",
    "seats",
    "workers",
];
