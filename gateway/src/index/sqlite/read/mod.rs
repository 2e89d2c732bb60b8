//! Pages of the index.

mod committee;
mod rows;

use super::{ranks, schema, write::ALL_TIME, Sqlite};
use crate::api::draws::{Draw, DrawDetail, Settlement};
use crate::api::global::{GlobalEntry, GlobalPeriod};
use crate::api::seats::Reviewer;
use crate::api::types::{
    Adapter, BaseModel, BoardEntry, Datanet, DatanetDetail, Event, Job, Page, Period, Submission,
    SubmissionDetail, Vote, Worker,
};
use crate::index::storage::{
    DatanetQuery, DrawQuery, EventQuery, Found, Head, JobQuery, NamedBy, PageQuery, Standing,
    Storage, StorageError, StreamedBlock, SubmissionQuery,
};
use openledger_client::{blocks::Block, AccountId};
use rows::{
    board_entry, board_sum, counts, datanet, event, funders, head, json, number, numbers, one,
    submission, votes, with_curators, with_revoked, Select, BOARD, DATANET, EVENT, SUBMISSION,
};
use rusqlite::{types::Value, OptionalExtension, Row};

type Result<T> = std::result::Result<T, StorageError>;

impl Storage for Sqlite {
    fn head(&self) -> Result<Option<Head>> {
        let connection = self.reader();
        let sql = "SELECT number, hash, time FROM blocks ORDER BY number DESC LIMIT 1";
        let found = connection.prepare_cached(sql)?.query_row([], head).optional()?;
        Ok(found)
    }

    fn hash(&self, number: u32) -> Result<Option<String>> {
        let sql = "SELECT hash FROM blocks WHERE number = ?";
        one(&self.reader(), sql, number, |row| Ok(row.get(0)?))
    }

    fn bulk(&self, on: bool) -> Result<()> {
        self.set_bulk(on)
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
        select.and_if("status = ?", query.status.clone());
        select.and_if(
            "instr(lower(name || char(10) || summary || char(10) || tags), lower(?)) > 0",
            query.search.clone(),
        );
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

    fn datanet_detail(&self, id: u32) -> Result<Option<DatanetDetail>> {
        let Some(datanet) = self.datanet(id)? else { return Ok(None) };
        let connection = self.reader();
        let sql =
            "SELECT description, waiting_terms, waiting_policy, funds FROM datanets WHERE id = ?";
        let said = one(&connection, sql, id, |row| {
            let text: [Option<String>; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
            Ok((row.get::<_, String>(0)?, text))
        })?;
        let Some((description, [terms, policy, funds])) = said else { return Ok(None) };
        let funds =
            funds.map(|funds| serde_json::from_str(&funds)).transpose()?.unwrap_or_default();
        let available = datanet.pool.as_ref().map_or("0", |pool| pool.available.as_str());
        Ok(Some(DatanetDetail {
            description,
            waiting_terms: terms.map(|terms| serde_json::from_str(&terms)).transpose()?,
            waiting_policy: policy.map(|policy| serde_json::from_str(&policy)).transpose()?,
            funders: funders(&connection, id, &funds, available)?,
            datanet,
        }))
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
            draws: committee::draws_of(&connection, id)?,
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
        let period = period.map_or(ALL_TIME, i64::from);
        let all = board_sum(&connection, datanet, period)?;
        let mut select = Select::new(BOARD);
        select.and("b.datanet = ?", datanet);
        select.and("b.period = ?", period);
        let mut first = 0;
        if let Some([points, sequence, rank]) = numbers::<3>(page.cursor.as_deref())? {
            let sequence = sequence.min(u64::MAX as u128) as u64;
            select.and("b.key < ?", ranks::key(points, sequence).to_vec());
            first = rank.min(u64::MAX as u128) as u64;
        }
        let mut found = select.page(
            &connection,
            " ORDER BY b.key DESC",
            page,
            |row| board_entry(row, 0, all),
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

    fn board_entry(
        &self,
        datanet: u32,
        period: Option<u32>,
        account: &AccountId,
    ) -> Result<Option<BoardEntry>> {
        let connection = self.reader();
        let period = period.map_or(ALL_TIME, i64::from);
        let all = board_sum(&connection, datanet, period)?;
        let mut select = Select::new(BOARD);
        select.and("b.datanet = ?", datanet);
        select.and("b.period = ?", period);
        select.and("b.account = ?", account.to_string());
        let found = select.all(&connection, |row| {
            let rank = ranks::rank(&connection, datanet, period, &row.get(1)?)?;
            board_entry(row, rank, all)
        });
        Ok(found?.pop())
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
            "SELECT c.account, b.key, b.files, c.pending, c.accepted, c.rejected, \
             c.withdrawn, c.datanet, c.claimed FROM contributions c LEFT JOIN boards b \
             ON b.datanet = c.datanet AND b.period = -1 AND b.account = c.account",
        );
        select.and("c.account = ?", account.to_string());
        select.and_if("c.datanet > ?", number(page.cursor.as_deref())?);
        let read = |row: &Row<'_>| {
            let datanet: u32 = row.get(7)?;
            let key: Option<ranks::Key> = row.get(1)?;
            let entry = match key {
                Some(key) => {
                    let all = board_sum(&connection, datanet, ALL_TIME)?;
                    let rank = ranks::rank(&connection, datanet, ALL_TIME, &key)?;
                    board_entry(row, rank, all)?
                }
                None => BoardEntry {
                    rank: 0,
                    account: row.get(0)?,
                    points: "0".to_owned(),
                    share: 0.0,
                    sequence: 0,
                    files: 0,
                    counts: counts(row, 3)?,
                },
            };
            Ok(Standing { datanet, entry, claimed: row.get(8)? })
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

    fn draws(&self, query: &DrawQuery, page: &PageQuery) -> Result<Page<Draw>> {
        committee::draws(&self.reader(), query, page)
    }

    fn draw(&self, id: u64) -> Result<Option<DrawDetail>> {
        committee::draw(&self.reader(), id)
    }

    fn reviewer(&self, account: &AccountId) -> Result<Reviewer> {
        committee::reviewer(&self.reader(), account)
    }

    fn settlements(&self, account: &AccountId, page: &PageQuery) -> Result<Page<Settlement>> {
        committee::settlements(&self.reader(), account, page)
    }

    fn global_board(&self, period: Option<u32>, page: &PageQuery) -> Result<Page<GlobalEntry>> {
        committee::board(&self.reader(), period, page)
    }

    fn global_entry(
        &self,
        period: Option<u32>,
        account: &AccountId,
    ) -> Result<Option<GlobalEntry>> {
        committee::board_entry(&self.reader(), period, account)
    }

    fn global_periods(&self, page: &PageQuery) -> Result<Page<GlobalPeriod>> {
        committee::periods(&self.reader(), page)
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
        let connection = self.reader();
        let read = |row: &Row<'_>| with_revoked(&connection, json(row)?);
        select.page(&connection, " ORDER BY id DESC", page, read, cursor)
    }

    fn adapter(&self, id: u64) -> Result<Option<Adapter>> {
        let connection = self.reader();
        one(&connection, "SELECT data FROM adapters WHERE id = ?", id as i64, |row| {
            with_revoked(&connection, json(row)?)
        })
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
