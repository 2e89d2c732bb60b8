//! Pages of the index.

use super::{schema, write::ALL_TIME, Sqlite};
use crate::api::types::{
    Adapter, BaseModel, BoardEntry, Counts, Datanet, Event, Job, Limits, Moment, Page, Period,
    Submission, SubmissionDetail, Vote, Worker,
};
use crate::index::storage::{
    DatanetQuery, EventQuery, Found, Head, JobQuery, NamedBy, PageQuery, Standing, Storage,
    StorageError, StreamedBlock, SubmissionQuery, MAX_PAGE,
};
use openledger_client::{blocks::Block, AccountId};
use openledger_primitives::Modality;
use rusqlite::{params, params_from_iter, types::Value, Connection, OptionalExtension, Row};
use serde::de::DeserializeOwned;

type Result<T> = std::result::Result<T, StorageError>;

const SUBMISSION: &str = "SELECT id, datanet, contributor, sha256, content, size, media, state, block, \
    time, extrinsic, decided_block, decided_time, decided_extrinsic, reason, score, units, points, leaf, \
    text_root, extractor FROM submissions";

const DATANET: &str =
    "SELECT id, owner, name, modality, min_units, max_units, daily_files, daily_bytes, \
    created, threshold, pending, accepted, rejected, withdrawn, contributors, leaves, units, pool \
    FROM datanets";

const EVENT: &str = "SELECT block, idx, kind, time, extrinsic, fields FROM events";

/// A statement that is put together from the conditions that a query has. Values are always bound.
struct Select {
    sql: String,
    values: Vec<Value>,
    conditions: usize,
}

impl Select {
    fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new(), conditions: 0 }
    }

    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.sql.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.sql.push_str(condition);
        self.values.push(value.into());
        self.conditions += 1;
    }

    fn and_if<V: Into<Value>>(&mut self, condition: &str, value: Option<V>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// Runs it for one row more than the page has: whether there is a next page.
    fn page<T>(
        mut self,
        connection: &Connection,
        order: &str,
        page: &PageQuery,
        read: impl Fn(&Row<'_>) -> Result<T>,
        cursor: impl Fn(&T) -> String,
    ) -> Result<Page<T>> {
        let limit = page.limit.clamp(1, MAX_PAGE) as usize;
        self.sql.push_str(order);
        self.sql.push_str(" LIMIT ?");
        self.values.push(((limit + 1) as i64).into());
        let mut items = self.all(connection, read)?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Ok(Page { items, next })
    }

    fn all<T>(
        self,
        connection: &Connection,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        let mut rows = statement.query(params_from_iter(self.values))?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(read(row)?);
        }
        Ok(items)
    }
}

/// The numbers of a cursor, which are written with points between them.
fn numbers<const N: usize>(cursor: Option<&str>) -> Result<Option<[u128; N]>> {
    let Some(text) = cursor else { return Ok(None) };
    let bad = || StorageError::Cursor(text.chars().take(100).collect());
    let parts: Vec<u128> =
        text.split('.').map(|part| part.parse().map_err(|_| bad())).collect::<Result<_>>()?;
    parts.try_into().map(Some).map_err(|_| bad())
}

fn number(cursor: Option<&str>) -> Result<Option<i64>> {
    let Some([number]) = numbers::<1>(cursor)? else { return Ok(None) };
    let text = || cursor.unwrap_or("").to_owned();
    i64::try_from(number).map(Some).map_err(|_| StorageError::Cursor(text()))
}

fn moment(block: u32, time: i64, extrinsic: Option<String>) -> Moment {
    Moment { block, time: time as u64, extrinsic }
}

fn submission(row: &Row<'_>) -> Result<Submission> {
    let decided: Option<u32> = row.get(11)?;
    Ok(Submission {
        id: row.get::<_, i64>(0)? as u64,
        datanet: row.get(1)?,
        contributor: row.get(2)?,
        sha256: row.get(3)?,
        content: row.get(4)?,
        size: row.get(5)?,
        media: row.get(6)?,
        state: row.get(7)?,
        submitted: moment(row.get(8)?, row.get(9)?, row.get(10)?),
        decided: match decided {
            Some(block) => Some(moment(block, row.get(12)?, row.get(13)?)),
            None => None,
        },
        reason: row.get(14)?,
        score: row.get(15)?,
        units: row.get::<_, Option<i64>>(16)?.map(|units| units as u64),
        points: row.get(17)?,
        leaf: row.get::<_, Option<i64>>(18)?.map(|leaf| leaf as u64),
        text_root: row.get(19)?,
        extractor: row.get(20)?,
    })
}

fn event(row: &Row<'_>) -> Result<Event> {
    let (block, index): (u32, u32) = (row.get(0)?, row.get(1)?);
    let fields: String = row.get(5)?;
    Ok(Event {
        id: format!("{block}-{index}"),
        kind: row.get(2)?,
        block,
        time: row.get::<_, i64>(3)? as u64,
        extrinsic: row.get(4)?,
        fields: serde_json::from_str(&fields)?,
    })
}

fn json<T: DeserializeOwned>(row: &Row<'_>) -> Result<T> {
    let text: String = row.get(0)?;
    Ok(serde_json::from_str(&text)?)
}

fn head(row: &Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head { number: row.get(0)?, hash: row.get(1)?, time: row.get::<_, i64>(2)? as u64 })
}

fn counts(row: &Row<'_>, from: usize) -> Result<Counts> {
    let count = |place: usize| row.get::<_, i64>(from + place).map(|count| count.max(0) as u64);
    Ok(Counts {
        pending: count(0)?,
        accepted: count(1)?,
        rejected: count(2)?,
        withdrawn: count(3)?,
    })
}

/// A Datanet without its curators, which stand in a table of their own.
fn datanet(row: &Row<'_>) -> Result<Datanet> {
    let modality: String = row.get(3)?;
    let known = Modality::ALL.into_iter().find(|known| known.name() == modality);
    let formats = known.map(|known| known.formats().map(|media| media.name().to_owned()).collect());
    let (files, bytes): (Option<u32>, Option<i64>) = (row.get(6)?, row.get(7)?);
    let (created, pool): (String, Option<String>) = (row.get(8)?, row.get(17)?);
    Ok(Datanet {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: row.get(2)?,
        unit: known.map_or("", Modality::unit).to_owned(),
        formats: formats.unwrap_or_default(),
        modality,
        min_units: row.get::<_, i64>(4)? as u64,
        max_units: row.get::<_, i64>(5)? as u64,
        daily_limit: files.zip(bytes).map(|(files, bytes)| Limits { files, bytes: bytes as u64 }),
        created: serde_json::from_str(&created)?,
        curators: Vec::new(),
        threshold: row.get(9)?,
        counts: counts(row, 10)?,
        contributors: row.get::<_, i64>(14)? as u64,
        leaves: row.get::<_, i64>(15)? as u64,
        units: row.get(16)?,
        pool: pool.map(|pool| serde_json::from_str(&pool)).transpose()?,
    })
}

fn with_curators(connection: &Connection, mut datanet: Datanet) -> Result<Datanet> {
    let mut select = Select::new("SELECT account FROM curators");
    select.and("datanet = ?", datanet.id);
    select.sql.push_str(" ORDER BY place");
    datanet.curators = select.all(connection, |row| Ok(row.get(0)?))?;
    Ok(datanet)
}

fn board_entry(row: &Row<'_>, rank: u64) -> Result<BoardEntry> {
    let points: [u8; 16] = row.get(1)?;
    Ok(BoardEntry {
        rank,
        account: row.get(0)?,
        points: u128::from_be_bytes(points).to_string(),
        sequence: row.get::<_, i64>(2)? as u64,
        files: row.get::<_, i64>(3)? as u64,
        counts: counts(row, 4)?,
    })
}

fn one<T>(
    connection: &Connection,
    sql: &str,
    key: impl Into<Value>,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut select = Select::new(sql);
    select.values.push(key.into());
    Ok(select.all(connection, read)?.into_iter().next())
}

impl Storage for Sqlite {
    fn head(&self) -> Result<Option<Head>> {
        let connection = self.reader();
        let sql = "SELECT number, hash, time FROM blocks ORDER BY number DESC LIMIT 1";
        let found = connection.prepare_cached(sql)?.query_row([], head).optional()?;
        Ok(found)
    }

    fn genesis(&self) -> Result<Option<String>> {
        let connection = self.reader();
        let sql = "SELECT hash FROM blocks WHERE number = 0";
        let found = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
        Ok(found)
    }

    fn apply(&self, blocks: &[Block]) -> Result<()> {
        self.write(blocks)
    }

    fn datanets(&self, query: &DatanetQuery, page: &PageQuery) -> Result<Page<Datanet>> {
        let connection = self.reader();
        let mut select = Select::new(DATANET);
        select.and_if("id > ?", number(page.cursor.as_deref())?);
        select.and_if("owner = ?", query.owner.clone());
        select.and_if("modality = ?", query.modality.clone());
        select.and_if("instr(lower(name), lower(?)) > 0", query.search.clone());
        let cursor = |datanet: &Datanet| datanet.id.to_string();
        let mut found = select.page(&connection, " ORDER BY id", page, datanet, cursor)?;
        found.items = found
            .items
            .into_iter()
            .map(|datanet| with_curators(&connection, datanet))
            .collect::<Result<_>>()?;
        Ok(found)
    }

    fn datanet(&self, id: u32) -> Result<Option<Datanet>> {
        let connection = self.reader();
        let found = one(&connection, &format!("{DATANET} WHERE id = ?"), id, datanet)?;
        found.map(|datanet| with_curators(&connection, datanet)).transpose()
    }

    fn curated(&self, account: &AccountId) -> Result<Vec<u32>> {
        let mut select = Select::new("SELECT datanet FROM curators");
        select.and("account = ?", account.to_string());
        select.sql.push_str(" ORDER BY datanet LIMIT 100");
        select.all(&self.reader(), |row| Ok(row.get(0)?))
    }

    fn owned(&self, account: &AccountId) -> Result<Vec<u32>> {
        let mut select = Select::new("SELECT id FROM datanets");
        select.and("owner = ?", account.to_string());
        select.sql.push_str(" ORDER BY id LIMIT 100");
        select.all(&self.reader(), |row| Ok(row.get(0)?))
    }

    fn submissions(&self, query: &SubmissionQuery, page: &PageQuery) -> Result<Page<Submission>> {
        let mut select = Select::new(SUBMISSION);
        select.and_if("contributor = ?", query.contributor.clone());
        select.and_if("datanet = ?", query.datanet);
        select.and_if("state = ?", query.state.clone());
        select.and_if("id < ?", number(page.cursor.as_deref())?);
        let cursor = |entry: &Submission| entry.id.to_string();
        select.page(&self.reader(), " ORDER BY id DESC", page, submission, cursor)
    }

    fn verdicts(&self, datanet: u32, page: &PageQuery) -> Result<Page<Submission>> {
        let mut select = Select::new(SUBMISSION);
        select.and("datanet = ?", datanet);
        select.sql.push_str(" AND decided_block IS NOT NULL");
        if let Some([block, id]) = numbers::<2>(page.cursor.as_deref())? {
            select.and("(decided_block, id) < (?", block.min(i64::MAX as u128) as i64);
            select.sql.push_str(", ?)");
            select.values.push((id.min(i64::MAX as u128) as i64).into());
        }
        let cursor = |entry: &Submission| {
            let block = entry.decided.as_ref().map_or(0, |decided| decided.block);
            format!("{block}.{}", entry.id)
        };
        let order = " ORDER BY decided_block DESC, id DESC";
        select.page(&self.reader(), order, page, submission, cursor)
    }

    fn submission(&self, id: u64) -> Result<Option<SubmissionDetail>> {
        let connection = self.reader();
        let sql = format!("{SUBMISSION} WHERE id = ?");
        let Some(found) = one(&connection, &sql, id as i64, submission)? else { return Ok(None) };
        let name =
            one(&connection, "SELECT name FROM datanets WHERE id = ?", found.datanet, |row| {
                Ok(row.get(0)?)
            })?;
        let mut select = Select::new(EVENT);
        select.and("submission = ?", id as i64);
        select.sql.push_str(" ORDER BY block, idx");
        Ok(Some(SubmissionDetail {
            submission: found,
            datanet_name: name.unwrap_or_default(),
            votes: votes(&connection, id)?,
            history: select.all(&connection, event)?,
        }))
    }

    fn votes(&self, submission: u64) -> Result<Vec<Vote>> {
        votes(&self.reader(), submission)
    }

    fn board(
        &self,
        datanet: u32,
        period: Option<u32>,
        page: &PageQuery,
    ) -> Result<Page<BoardEntry>> {
        let connection = self.reader();
        let mut select = Select::new(
            "SELECT b.account, b.points, b.sequence, b.files, c.pending, c.accepted, c.rejected, \
             c.withdrawn FROM boards b JOIN contributions c \
             ON c.account = b.account AND c.datanet = b.datanet",
        );
        select.and("b.datanet = ?", datanet);
        select.and("b.period = ?", period.map_or(ALL_TIME, i64::from));
        let mut first = 0;
        if let Some([points, sequence, rank]) = numbers::<3>(page.cursor.as_deref())? {
            // One range of the index, and within it the rest of those of equal points.
            let points = points.to_be_bytes().to_vec();
            select.and("b.points <= ?", points.clone());
            select.and("(b.points < ?", points);
            select.sql.push_str(" OR b.sequence > ?)");
            select.values.push((sequence.min(i64::MAX as u128) as i64).into());
            first = rank.min(u64::MAX as u128) as u64;
        }
        let mut found = select.page(
            &connection,
            " ORDER BY b.points DESC, b.sequence",
            page,
            |row| board_entry(row, 0),
            |_| String::new(),
        )?;
        for (entry, rank) in found.items.iter_mut().zip(first + 1..) {
            entry.rank = rank;
        }
        if let (Some(next), Some(last)) = (&mut found.next, found.items.last()) {
            *next = format!("{}.{}.{}", last.points, last.sequence, last.rank);
        }
        Ok(found)
    }

    fn periods(&self, datanet: u32, page: &PageQuery) -> Result<Page<Period>> {
        let mut select = Select::new("SELECT period, points, rate, closed FROM periods");
        select.and("datanet = ?", datanet);
        select.and_if("period < ?", number(page.cursor.as_deref())?);
        let read = |row: &Row<'_>| {
            let closed: String = row.get(3)?;
            Ok(Period {
                period: row.get(0)?,
                points: row.get(1)?,
                rate: row.get(2)?,
                closed: serde_json::from_str(&closed)?,
            })
        };
        let cursor = |period: &Period| period.period.to_string();
        select.page(&self.reader(), " ORDER BY period DESC", page, read, cursor)
    }

    fn standings(&self, account: &AccountId, page: &PageQuery) -> Result<Page<Standing>> {
        let connection = self.reader();
        let mut select = Select::new(
            "SELECT c.account, b.points, b.sequence, b.files, c.pending, c.accepted, c.rejected, \
             c.withdrawn, c.datanet, c.claimed FROM contributions c LEFT JOIN boards b \
             ON b.datanet = c.datanet AND b.period = -1 AND b.account = c.account",
        );
        select.and("c.account = ?", account.to_string());
        select.and_if("c.datanet > ?", number(page.cursor.as_deref())?);
        let read = |row: &Row<'_>| {
            let datanet: u32 = row.get(8)?;
            let points: Option<[u8; 16]> = row.get(1)?;
            let entry = match points {
                Some(points) => {
                    let sequence: i64 = row.get(2)?;
                    board_entry(row, rank(&connection, datanet, points, sequence)?)?
                }
                None => BoardEntry {
                    rank: 0,
                    account: row.get(0)?,
                    points: "0".to_owned(),
                    sequence: 0,
                    files: 0,
                    counts: counts(row, 4)?,
                },
            };
            Ok(Standing { datanet, entry, claimed: row.get(9)? })
        };
        let cursor = |standing: &Standing| standing.datanet.to_string();
        select.page(&connection, " ORDER BY c.datanet", page, read, cursor)
    }

    fn rewarded(
        &self,
        account: &AccountId,
        datanet: u32,
        period: Option<u32>,
        page: &PageQuery,
    ) -> Result<Page<Submission>> {
        let mut select = Select::new(SUBMISSION);
        select.and("contributor = ?", account.to_string());
        select.and("datanet = ?", datanet);
        select.and_if("period = ?", period);
        select.and("leaf > ?", number(page.cursor.as_deref())?.unwrap_or(-1));
        let cursor = |entry: &Submission| entry.leaf.unwrap_or(0).to_string();
        select.page(&self.reader(), " ORDER BY leaf", page, submission, cursor)
    }

    fn jobs(&self, query: &JobQuery, page: &PageQuery) -> Result<Page<Job>> {
        let mut select = Select::new("SELECT data FROM jobs");
        select.and_if("owner = ?", query.owner.clone());
        select.and_if("state = ?", query.state.clone());
        select.and_if("id < ?", number(page.cursor.as_deref())?);
        let cursor = |job: &Job| job.id.to_string();
        select.page(&self.reader(), " ORDER BY id DESC", page, json, cursor)
    }

    fn job(&self, id: u64) -> Result<Option<Job>> {
        one(&self.reader(), "SELECT data FROM jobs WHERE id = ?", id as i64, json)
    }

    fn timeline(&self, job: u64) -> Result<Vec<Event>> {
        let mut select = Select::new(EVENT);
        select.and("job = ?", job as i64);
        // Signs of life are many, and only the last of them says something: the job itself has it.
        select.sql.push_str(" AND kind <> 'Training.JobProgressed' ORDER BY block, idx LIMIT 1000");
        select.all(&self.reader(), event)
    }

    fn adapters(&self, owner: Option<&AccountId>, page: &PageQuery) -> Result<Page<Adapter>> {
        let mut select = Select::new("SELECT data FROM adapters");
        select.and_if("owner = ?", owner.map(ToString::to_string));
        select.and_if("id < ?", number(page.cursor.as_deref())?);
        let cursor = |adapter: &Adapter| adapter.id.to_string();
        select.page(&self.reader(), " ORDER BY id DESC", page, json, cursor)
    }

    fn adapter(&self, id: u64) -> Result<Option<Adapter>> {
        one(&self.reader(), "SELECT data FROM adapters WHERE id = ?", id as i64, json)
    }

    fn leaves(&self, datanet: u32, start: u64, end: u64, limit: u32) -> Result<Vec<Submission>> {
        let mut select = Select::new(SUBMISSION);
        select.and("datanet = ?", datanet);
        select.and("leaf >= ?", i64::try_from(start).unwrap_or(i64::MAX));
        select.and("leaf < ?", i64::try_from(end).unwrap_or(i64::MAX));
        select.sql.push_str(" ORDER BY leaf LIMIT ?");
        select.values.push(limit.into());
        select.all(&self.reader(), submission)
    }

    fn base_models(&self, page: &PageQuery) -> Result<Page<BaseModel>> {
        let mut select = Select::new("SELECT data FROM base_models");
        select.and_if("id > ?", number(page.cursor.as_deref())?);
        let cursor = |model: &BaseModel| model.id.to_string();
        select.page(&self.reader(), " ORDER BY id", page, json, cursor)
    }

    fn base_model(&self, id: u32) -> Result<Option<BaseModel>> {
        one(&self.reader(), "SELECT data FROM base_models WHERE id = ?", id, json)
    }

    fn workers(&self, page: &PageQuery) -> Result<Page<Worker>> {
        let mut select = Select::new("SELECT data FROM workers");
        select.and_if("account > ?", page.cursor.clone());
        let cursor = |worker: &Worker| worker.account.clone();
        select.page(&self.reader(), " ORDER BY account", page, json, cursor)
    }

    fn worker(&self, account: &AccountId) -> Result<Option<Worker>> {
        let sql = "SELECT data FROM workers WHERE account = ?";
        one(&self.reader(), sql, account.to_string(), json)
    }

    fn events(&self, query: &EventQuery, page: &PageQuery) -> Result<Page<Event>> {
        // An account's events come through its activity, in the same order.
        let mut select = match &query.account {
            Some(account) => {
                let mut select = Select::new(
                    "SELECT e.block, e.idx, e.kind, e.time, e.extrinsic, e.fields FROM activity a \
                     CROSS JOIN events e ON e.block = a.block AND e.idx = a.idx",
                );
                select.and("a.account = ?", account.clone());
                select
            }
            None => Select::new(
                "SELECT a.block, a.idx, a.kind, a.time, a.extrinsic, a.fields FROM events a",
            ),
        };
        let kind = if query.account.is_some() { "e.kind = ?" } else { "a.kind = ?" };
        select.and_if(kind, query.kind.clone());
        if let Some([block, index]) = numbers::<2>(page.cursor.as_deref())? {
            select.and("(a.block, a.idx) < (?", block.min(i64::MAX as u128) as i64);
            select.sql.push_str(", ?)");
            select.values.push((index.min(i64::MAX as u128) as i64).into());
        }
        let cursor = |event: &Event| event.id.replace('-', ".");
        let order = " ORDER BY a.block DESC, a.idx DESC";
        select.page(&self.reader(), order, page, event, cursor)
    }

    fn stream(&self, from: u32, limit: u32) -> Result<Vec<StreamedBlock>> {
        let mut connection = self.reader();
        // One transaction: blocks and events of the same moment.
        let tx = connection.transaction()?;
        let mut select = Select::new("SELECT number, hash, time FROM blocks");
        select.and("number >= ?", from);
        select.sql.push_str(" ORDER BY number LIMIT ?");
        select.values.push(limit.into());
        let heads = select.all(&tx, |row| Ok(head(row)?))?;
        let mut blocks = Vec::with_capacity(heads.len());
        for Head { number, hash, time } in heads {
            let mut select = Select::new(EVENT);
            select.and("block = ?", number);
            select.sql.push_str(" ORDER BY idx");
            let events = select.all(&tx, |row| Ok((row.get(1)?, event(row)?)))?;
            blocks.push(StreamedBlock { number, hash, time, events });
        }
        Ok(blocks)
    }

    fn named(&self, by: NamedBy<'_>) -> Result<Option<Submission>> {
        let connection = self.reader();
        let mut select = Select::new(SUBMISSION);
        match by {
            NamedBy::Sha256(text) => select.and("sha256 = ?", text.to_owned()),
            NamedBy::Content(text) => select.and("content = ?", text.to_owned()),
        }
        // In this order of the alphabet.
        select.sql.push_str(" AND state IN ('accepted', 'pending') ORDER BY state LIMIT 1");
        Ok(select.all(&connection, submission)?.pop())
    }

    fn search(&self, text: &str) -> Result<Found> {
        let connection = self.reader();
        let mut found = Found::default();
        let by = |column: &str, value: Value| {
            let mut select = Select::new(SUBMISSION);
            select.and(column, value);
            select.sql.push_str(" ORDER BY id DESC LIMIT 10");
            select.all(&connection, submission)
        };
        let mut datanets = Select::new(DATANET);
        if let Ok(number) = text.parse::<u32>() {
            found.submissions = by("id = ?", number.into())?;
            found.job = one(&connection, "SELECT data FROM jobs WHERE id = ?", number, json)?;
            let sql = "SELECT number, hash, time FROM blocks WHERE number = ?";
            found.block = connection.prepare_cached(sql)?.query_row([number], head).optional()?;
            datanets.and("(id = ?", number);
            datanets.sql.push_str(" OR instr(name, ?) > 0)");
            datanets.values.push(text.to_owned().into());
        } else {
            let plain = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
            if plain.len() == 64 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                found.submissions = by("sha256 = ?", plain.clone().into())?;
                let sql = "SELECT number, hash, time FROM blocks WHERE hash = ?";
                found.block =
                    connection.prepare_cached(sql)?.query_row([plain], head).optional()?;
                return Ok(found);
            }
            found.submissions = by("content = ?", text.to_owned().into())?;
            datanets.and("instr(lower(name), lower(?)) > 0", text.to_owned());
        }
        datanets.sql.push_str(" ORDER BY id LIMIT 10");
        let datanets = datanets.all(&connection, datanet)?;
        found.datanets = datanets
            .into_iter()
            .map(|datanet| with_curators(&connection, datanet))
            .collect::<Result<_>>()?;
        Ok(found)
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let connection = self.reader();
        let counted = [
            ("datanets", "SELECT coalesce(max(id) + 1, 0) FROM datanets"),
            ("submissions", "SELECT coalesce(max(id) + 1, 0) FROM submissions"),
            ("jobs", "SELECT coalesce(max(id) + 1, 0) FROM jobs"),
            ("base_models", "SELECT coalesce(max(id) + 1, 0) FROM base_models"),
        ];
        debug_assert!(counted.iter().all(|(table, _)| schema::TABLES.contains(table)));
        let mut sizes = Vec::new();
        for (name, sql) in counted {
            let count: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            sizes.push((name, count as u64));
        }
        Ok(sizes)
    }
}

fn votes(connection: &Connection, submission: u64) -> Result<Vec<Vote>> {
    let mut select = Select::new(
        "SELECT curator, accept, reason, score, units, text_root, extractor, replaced, block, time, \
         extrinsic FROM votes",
    );
    select.and("submission = ?", submission as i64);
    select.sql.push_str(" ORDER BY block, idx LIMIT 1000");
    select.all(connection, |row| {
        Ok(Vote {
            curator: row.get(0)?,
            accept: row.get(1)?,
            reason: row.get(2)?,
            score: row.get(3)?,
            units: row.get::<_, Option<i64>>(4)?.map(|units| units as u64),
            text_root: row.get(5)?,
            extractor: row.get(6)?,
            replaced: row.get(7)?,
            at: moment(row.get(8)?, row.get(9)?, row.get(10)?),
        })
    })
}

/// An account's place on the board of all time.
fn rank(connection: &Connection, datanet: u32, points: [u8; 16], sequence: i64) -> Result<u64> {
    let sql = "SELECT count(*) FROM boards WHERE datanet = ?1 AND period = -1 AND points >= ?2 \
               AND (points > ?2 OR sequence < ?3)";
    let better: i64 = connection
        .prepare_cached(sql)?
        .query_row(params![datanet, points, sequence], |row| row.get(0))?;
    Ok(better as u64 + 1)
}
