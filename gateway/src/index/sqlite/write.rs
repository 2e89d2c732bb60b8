//! A block's rows.

use crate::api::types::{
    Adapter, BaseModel, Dataset, Job, Kind, Moment, Outcome, Pool, Spec, Worker,
};
use crate::index::storage::StorageError;
use openledger_client::{
    blocks::{Block, BlockEvent, ChainEvent, Detail},
    AccountId, BaseModel as ChainModel,
};
use openledger_primitives::{
    job::{self, JobState},
    leaf::DatasetRef,
    JobResult, Pool as ChainPool, ReviewPolicy, SubmissionId, TrainingSpec, Verdict,
};
use rusqlite::{params, OptionalExtension, Transaction};

type Result<T> = std::result::Result<T, StorageError>;

/// The board of all time.
pub(super) const ALL_TIME: i64 = -1;

fn hash(hash: openledger_client::H256) -> String {
    hex::encode(hash.0)
}

/// Writes one block within a transaction.
pub(super) struct Writer<'a> {
    tx: &'a Transaction<'a>,
    block: &'a Block,
}

impl<'a> Writer<'a> {
    pub(super) fn new(tx: &'a Transaction<'a>, block: &'a Block) -> Self {
        Self { tx, block }
    }

    pub(super) fn write(&self) -> Result<()> {
        let block = self.block;
        self.run(
            "INSERT INTO blocks VALUES(?, ?, ?, ?, ?)",
            params![
                block.number,
                hash(block.hash),
                hash(block.parent),
                block.time as i64,
                block.spec
            ],
        )?;
        // Rows that events add to come first.
        self.datanets()?;
        for event in &block.events {
            self.event(event)?;
            self.effect(event)?;
        }
        self.changed()
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        Ok(self.tx.prepare_cached(sql)?.execute(params)?)
    }

    fn json<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Option<T>> {
        let mut statement = self.tx.prepare_cached(sql)?;
        let text: Option<String> = statement.query_row(params, |row| row.get(0)).optional()?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    fn unknown(&self, what: String) -> StorageError {
        StorageError::Unknown { block: self.block.number, what }
    }

    fn extrinsic(&self, event: &BlockEvent) -> Option<String> {
        let place = event.extrinsic? as usize;
        self.block.extrinsics.get(place).map(|of| hash(*of))
    }

    fn moment(&self, extrinsic: Option<String>) -> Moment {
        Moment { block: self.block.number, time: self.block.time, extrinsic }
    }

    fn datanets(&self) -> Result<()> {
        for datanet in &self.block.changed.datanets {
            let event = self.block.events.iter().find(|event| {
                matches!(event.event, ChainEvent::DatanetCreated { datanet: id, .. } if id == datanet.id)
            });
            let created = self.moment(event.and_then(|event| self.extrinsic(event)));
            self.run(
                "INSERT INTO datanets(id, owner, name, modality, min_units, max_units, daily_files, \
                 daily_bytes, created) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    datanet.id,
                    datanet.owner.to_string(),
                    datanet.name,
                    datanet.modality.name(),
                    datanet.min_units as i64,
                    datanet.max_units as i64,
                    datanet.daily_limit.map(|limit| limit.files),
                    datanet.daily_limit.map(|limit| limit.bytes as i64),
                    serde_json::to_string(&created)?,
                ],
            )?;
        }
        for (datanet, owner) in &self.block.changed.owners {
            self.run(
                "UPDATE datanets SET owner = ? WHERE id = ?",
                params![owner.to_string(), datanet],
            )?;
        }
        for (datanet, policy) in &self.block.changed.policies {
            let ReviewPolicy::Curators { members, threshold } = policy;
            self.run(
                "UPDATE datanets SET threshold = ? WHERE id = ?",
                params![threshold, datanet],
            )?;
            self.run("DELETE FROM curators WHERE datanet = ?", params![datanet])?;
            for (place, member) in members.iter().enumerate() {
                self.run(
                    "INSERT INTO curators VALUES(?, ?, ?)",
                    params![datanet, place as i64, member.to_string()],
                )?;
            }
        }
        Ok(())
    }

    fn event(&self, event: &BlockEvent) -> Result<()> {
        let (number, index) = (self.block.number, event.index);
        let said = &event.event;
        self.run(
            "INSERT INTO events VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                number,
                index,
                said.kind(),
                self.block.time as i64,
                self.extrinsic(event),
                said.submission().map(|id| id as i64),
                said.job().map(|id| id as i64),
                said.fields().to_string(),
            ],
        )?;
        for account in said.accounts() {
            self.run(
                "INSERT INTO activity VALUES(?, ?, ?)",
                params![account.to_string(), number, index],
            )?;
        }
        Ok(())
    }

    fn effect(&self, event: &BlockEvent) -> Result<()> {
        match (&event.event, &event.detail) {
            (
                ChainEvent::Submitted { datanet, submission, contributor, sha256 },
                Detail::File(item),
            ) => {
                self.run(
                    "INSERT INTO submissions(id, datanet, contributor, sha256, content, size, media, \
                     state, block, time, extrinsic) VALUES(?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)",
                    params![
                        *submission as i64,
                        datanet,
                        contributor.to_string(),
                        hex::encode(sha256),
                        item.content.to_string(),
                        item.size,
                        item.media.name(),
                        self.block.number,
                        self.block.time as i64,
                        self.extrinsic(event),
                    ],
                )?;
                let new = self.run(
                    "INSERT OR IGNORE INTO contributions(account, datanet) VALUES(?, ?)",
                    params![contributor.to_string(), datanet],
                )?;
                self.run(
                    "UPDATE datanets SET contributors = contributors + ? WHERE id = ?",
                    params![new as i64, datanet],
                )?;
                self.count(*datanet, contributor, "pending", 1)
            }
            (
                ChainEvent::Accepted { datanet, submission, contributor, points, .. },
                Detail::Leaf(leaf),
            ) => {
                self.decide(event, *datanet, *submission, contributor, "accepted")?;
                let root = (!leaf.text_root.is_zero()).then(|| hex::encode(leaf.text_root.0));
                let ChainEvent::Accepted { leaf: place, .. } = event.event else { return Ok(()) };
                self.run(
                    "UPDATE submissions SET score = ?, units = ?, points = ?, leaf = ?, text_root = ?, \
                     extractor = ?, period = ? WHERE id = ?",
                    params![
                        leaf.score.get(),
                        leaf.units as i64,
                        points.to_string(),
                        place as i64,
                        root,
                        leaf.version.extractor(),
                        self.period(),
                        *submission as i64,
                    ],
                )?;
                let units: String = self
                    .tx
                    .prepare_cached("SELECT units FROM datanets WHERE id = ?")?
                    .query_row(params![datanet], |row| row.get(0))?;
                let units = add(&units, leaf.units.into());
                self.run(
                    "UPDATE datanets SET leaves = leaves + 1, units = ? WHERE id = ?",
                    params![units, datanet],
                )?;
                Ok(())
            }
            (ChainEvent::Rejected { datanet, submission, contributor, reason, .. }, _) => {
                self.decide(event, *datanet, *submission, contributor, "rejected")?;
                self.run(
                    "UPDATE submissions SET reason = ? WHERE id = ?",
                    params![reason.name(), *submission as i64],
                )?;
                Ok(())
            }
            (ChainEvent::Withdrawn { datanet, submission, contributor, .. }, _) => {
                self.decide(event, *datanet, *submission, contributor, "withdrawn")
            }
            (ChainEvent::Voted { submission, curator, replaced, .. }, Detail::Vote(verdict)) => {
                self.vote(event, *submission, curator, *replaced, verdict)
            }
            (ChainEvent::PointsEarned { datanet, account, points, .. }, _) => {
                let sequence = self.next_sequence()?;
                self.earn(*datanet, ALL_TIME, account, *points, sequence)?;
                self.earn(*datanet, self.period(), account, *points, sequence)
            }
            (ChainEvent::PeriodClosed { datanet, period, points, rate }, _) => {
                let closed = self.moment(self.extrinsic(event));
                self.run(
                    "INSERT INTO periods VALUES(?, ?, ?, ?, ?)",
                    params![
                        datanet,
                        period,
                        points.to_string(),
                        rate.to_string(),
                        serde_json::to_string(&closed)?
                    ],
                )?;
                Ok(())
            }
            (ChainEvent::Claimed { datanet, account, amount }, _) => {
                let key = params![account.to_string(), datanet];
                let claimed: Option<String> = self
                    .tx
                    .prepare_cached(
                        "SELECT claimed FROM contributions WHERE account = ? AND datanet = ?",
                    )?
                    .query_row(key, |row| row.get(0))
                    .optional()?;
                let claimed = claimed
                    .ok_or_else(|| self.unknown(format!("rewards of {account} in {datanet}")))?;
                self.run(
                    "UPDATE contributions SET claimed = ? WHERE account = ? AND datanet = ?",
                    params![add(&claimed, *amount), account.to_string(), datanet],
                )?;
                Ok(())
            }
            (
                ChainEvent::Submitted { .. }
                | ChainEvent::Accepted { .. }
                | ChainEvent::Voted { .. },
                _,
            ) => Err(self.unknown(format!("{} without what it speaks of", event.event.kind()))),
            _ => Ok(()),
        }
    }

    fn period(&self) -> i64 {
        i64::from(self.block.number / self.block.period_length.max(1))
    }

    /// Moves a count of a Datanet and of a contributor in it.
    fn count(&self, datanet: u32, who: &AccountId, state: &'static str, by: i64) -> Result<()> {
        let (of_datanet, of_account) = match state {
            "pending" => (
                "UPDATE datanets SET pending = pending + ? WHERE id = ?",
                "UPDATE contributions SET pending = pending + ? WHERE account = ? AND datanet = ?",
            ),
            "accepted" => (
                "UPDATE datanets SET accepted = accepted + ? WHERE id = ?",
                "UPDATE contributions SET accepted = accepted + ? WHERE account = ? AND datanet = ?",
            ),
            "rejected" => (
                "UPDATE datanets SET rejected = rejected + ? WHERE id = ?",
                "UPDATE contributions SET rejected = rejected + ? WHERE account = ? AND datanet = ?",
            ),
            _ => (
                "UPDATE datanets SET withdrawn = withdrawn + ? WHERE id = ?",
                "UPDATE contributions SET withdrawn = withdrawn + ? WHERE account = ? AND datanet = ?",
            ),
        };
        let one = self.run(of_datanet, params![by, datanet])?;
        let other = self.run(of_account, params![by, who.to_string(), datanet])?;
        match (one, other) {
            (1, 1) => Ok(()),
            _ => Err(self.unknown(format!("Datanet {datanet} with contributor {who}"))),
        }
    }

    fn decide(
        &self,
        event: &BlockEvent,
        datanet: u32,
        id: SubmissionId,
        who: &AccountId,
        state: &'static str,
    ) -> Result<()> {
        let changed = self.run(
            "UPDATE submissions SET state = ?, decided_block = ?, decided_time = ?, \
             decided_extrinsic = ? WHERE id = ? AND state = 'pending'",
            params![
                state,
                self.block.number,
                self.block.time as i64,
                self.extrinsic(event),
                id as i64
            ],
        )?;
        if changed != 1 {
            return Err(self.unknown(format!("submission {id}")));
        }
        self.count(datanet, who, "pending", -1)?;
        self.count(datanet, who, state, 1)
    }

    fn vote(
        &self,
        event: &BlockEvent,
        id: SubmissionId,
        curator: &AccountId,
        replaced: bool,
        verdict: &Verdict,
    ) -> Result<()> {
        let (accept, reason, measured) = match verdict {
            Verdict::Reject(reason) => (false, Some(reason.name()), None),
            Verdict::Accept { score, units, text_root, extractor } => {
                let root = (!text_root.is_zero()).then(|| hex::encode(text_root.0));
                (true, None, Some((score.get(), *units as i64, root, *extractor)))
            }
        };
        let measured = measured.as_ref();
        self.run(
            "INSERT INTO votes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                id as i64,
                self.block.number,
                event.index,
                self.block.time as i64,
                self.extrinsic(event),
                curator.to_string(),
                accept,
                reason,
                measured.map(|measured| measured.0),
                measured.map(|measured| measured.1),
                measured.and_then(|measured| measured.2.as_deref()),
                measured.map(|measured| measured.3),
                replaced,
            ],
        )?;
        Ok(())
    }

    /// The chain numbers acceptances that bring points from 0, over all Datanets.
    fn next_sequence(&self) -> Result<i64> {
        let sequence: Option<String> = self
            .tx
            .prepare_cached("SELECT value FROM meta WHERE key = 'sequence'")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let sequence: i64 = sequence.and_then(|text| text.parse().ok()).unwrap_or(0);
        self.run(
            "INSERT OR REPLACE INTO meta VALUES('sequence', ?)",
            params![(sequence + 1).to_string()],
        )?;
        Ok(sequence)
    }

    fn earn(
        &self,
        datanet: u32,
        period: i64,
        account: &AccountId,
        points: u128,
        sequence: i64,
    ) -> Result<()> {
        let account = account.to_string();
        let before: Option<[u8; 16]> = self
            .tx
            .prepare_cached(
                "SELECT points FROM boards WHERE datanet = ? AND period = ? AND account = ?",
            )?
            .query_row(params![datanet, period, account], |row| row.get(0))
            .optional()?;
        let total = before.map_or(0, u128::from_be_bytes).saturating_add(points);
        self.run(
            "INSERT INTO boards VALUES(?1, ?2, ?3, ?4, ?5, 1) ON CONFLICT DO UPDATE SET \
             points = ?4, sequence = ?5, files = files + 1",
            params![datanet, period, account, total.to_be_bytes(), sequence],
        )?;
        Ok(())
    }

    fn changed(&self) -> Result<()> {
        let changed = &self.block.changed;
        for (datanet, pool) in &changed.pools {
            self.run(
                "UPDATE datanets SET pool = ? WHERE id = ?",
                params![serde_json::to_string(&pool_record(pool))?, datanet],
            )?;
        }
        for model in &changed.base_models {
            self.base_model(model)?;
        }
        for (id, value) in &changed.jobs {
            self.job(*id, value)?;
        }
        for (id, adapter) in &changed.adapters {
            let job: Job = self
                .json("SELECT data FROM jobs WHERE id = ?", params![*id as i64])?
                .ok_or_else(|| self.unknown(format!("job {id}")))?;
            let outcome = outcome(&adapter.result);
            let record = Adapter {
                id: *id,
                owner: adapter.owner.to_string(),
                worker: adapter.worker.to_string(),
                base: adapter.base,
                parent: job.parent,
                datasets: datasets(&adapter.datasets),
                content: outcome.content,
                sha256: outcome.sha256,
                size: outcome.size,
                eval_loss_before: outcome.eval_loss_before,
                eval_loss_after: outcome.eval_loss_after,
                tokens: outcome.tokens,
                dataset_root: outcome.dataset_root,
                registered: self.moment(None),
            };
            self.run(
                "INSERT INTO adapters VALUES(?, ?, ?)",
                params![*id as i64, record.owner, serde_json::to_string(&record)?],
            )?;
        }
        self.workers()
    }

    fn base_model(&self, model: &ChainModel) -> Result<()> {
        let event = self.block.events.iter().find(|event| {
            matches!(event.event, ChainEvent::BaseModelRegistered { base, .. } if base == model.id)
        });
        let record = BaseModel {
            id: model.id,
            registrar: model.registrar.to_string(),
            family: model.family.name().to_owned(),
            name: model.name.clone(),
            licence: model.licence.clone(),
            weights: model.weights.to_string(),
            weights_sha256: hex::encode(model.weights_sha256),
            weights_size: model.weights_size,
            tokenizer: model.tokenizer.map(|id| id.to_string()),
            config: model.config.map(|id| id.to_string()),
            registered: self.moment(event.and_then(|event| self.extrinsic(event))),
        };
        self.run(
            "INSERT INTO base_models VALUES(?, ?)",
            params![model.id, serde_json::to_string(&record)?],
        )?;
        Ok(())
    }

    fn job(&self, id: u64, job: &job::Job<AccountId>) -> Result<()> {
        let before: Option<Job> =
            self.json("SELECT data FROM jobs WHERE id = ?", params![id as i64])?;
        let of_job = || self.block.events.iter().filter(|event| event.event.job() == Some(id));
        let last = of_job().next_back();
        let updated = self.moment(last.and_then(|event| self.extrinsic(event)));
        let created = match &before {
            Some(before) => before.created.clone(),
            None => self.moment(of_job().next().and_then(|event| self.extrinsic(event))),
        };
        let named = of_job().find_map(|event| match event.event {
            ChainEvent::ParentNamed { parent, .. } => Some(parent),
            _ => None,
        });
        let assignment = job.assignment();
        let (mut steps, mut failure, mut result) = (None, None, None);
        match &job.state {
            JobState::Training { step, total_steps, .. } => steps = Some((*step, *total_steps)),
            JobState::Submitted { result: posted, .. } => result = Some(outcome(posted)),
            JobState::Failed(why) => failure = Some(why.name().to_owned()),
            _ => {}
        }
        if let JobState::Completed { .. } = &job.state {
            // The chain keeps the result of a completed job with its adapter.
            let adapter = self.block.changed.adapters.iter().find(|(of, _)| *of == id);
            result = adapter.map(|(_, adapter)| outcome(&adapter.result));
        }
        let record = Job {
            id,
            owner: job.owner.to_string(),
            base: job.base,
            family: job.kind.family.name().to_owned(),
            parent: before.as_ref().and_then(|before| before.parent).or(named),
            datasets: datasets(&job.datasets),
            spec: spec(&job.spec),
            token_ceiling: job.token_ceiling,
            budget: job.budget.to_string(),
            deadline: job.deadline,
            attempts: job.attempts,
            state: job.state.name().to_owned(),
            failure,
            worker: assignment.map(|assignment| assignment.worker.to_string()),
            price: assignment.map(|assignment| assignment.price.to_string()),
            step: steps.map(|steps| steps.0),
            total_steps: steps.map(|steps| steps.1),
            due: job.due(),
            result: result.or_else(|| {
                let done = matches!(job.state, JobState::Completed { .. });
                before.as_ref().filter(|_| done).and_then(|before| before.result.clone())
            }),
            created,
            updated,
        };
        self.run(
            "INSERT OR REPLACE INTO jobs VALUES(?, ?, ?, ?)",
            params![id as i64, record.owner, record.state, serde_json::to_string(&record)?],
        )?;
        Ok(())
    }

    fn workers(&self) -> Result<()> {
        for (account, view) in &self.block.changed.workers {
            let name = account.to_string();
            let before: Option<Worker> =
                self.json("SELECT data FROM workers WHERE account = ?", params![name])?;
            let mut record = before.unwrap_or_else(|| Worker {
                account: name.clone(),
                registered: false,
                kinds: Vec::new(),
                price_per_token: "0".to_owned(),
                bond: "0".to_owned(),
                endpoint: String::new(),
                job: None,
                paused: false,
                completed: 0,
                timed_out: 0,
                earned: "0".to_owned(),
            });
            match view {
                Some(view) => {
                    record.registered = true;
                    record.kinds = view
                        .kinds
                        .iter()
                        .map(|kind| Kind {
                            family: kind.family.name().to_owned(),
                            method: kind.method.name().to_owned(),
                        })
                        .collect();
                    record.price_per_token = view.price_per_token.to_string();
                    record.bond = view.bond.to_string();
                    record.endpoint = String::from_utf8_lossy(&view.endpoint).into_owned();
                    record.job = view.job;
                    record.paused = view.paused;
                }
                None => {
                    record.registered = false;
                    record.job = None;
                    record.bond = "0".to_owned();
                }
            }
            for event in &self.block.events {
                match &event.event {
                    ChainEvent::JobCompleted { worker, price, .. } if worker == account => {
                        record.completed += 1;
                        record.earned = add(&record.earned, *price);
                    }
                    ChainEvent::JobTimedOut { worker, .. } if worker == account => {
                        record.timed_out += 1;
                    }
                    _ => {}
                }
            }
            self.run(
                "INSERT OR REPLACE INTO workers VALUES(?, ?)",
                params![name, serde_json::to_string(&record)?],
            )?;
        }
        Ok(())
    }
}

fn add(sum: &str, more: u128) -> String {
    // Texts of this table are sums of the chain, which fit.
    sum.parse::<u128>().unwrap_or(0).saturating_add(more).to_string()
}

fn datasets(refs: &[DatasetRef]) -> Vec<Dataset> {
    refs.iter()
        .map(|dataset| Dataset {
            datanet: dataset.datanet,
            leaves: dataset.version.leaves,
            root: hex::encode(dataset.version.root.0),
        })
        .collect()
}

fn outcome(result: &JobResult) -> Outcome {
    Outcome {
        content: result.content.to_string(),
        sha256: hex::encode(result.sha256),
        size: result.size,
        eval_loss_before: f64::from(result.eval_loss_before) / 1e6,
        eval_loss_after: f64::from(result.eval_loss_after) / 1e6,
        tokens: result.tokens,
        dataset_root: hex::encode(result.dataset_root.0),
    }
}

fn spec(spec: &TrainingSpec) -> Spec {
    Spec {
        method: spec.method.name().to_owned(),
        lora_r: spec.lora_r,
        lora_alpha: spec.lora_alpha,
        lora_dropout_bp: spec.lora_dropout_bp,
        target_modules: spec.target_modules.0,
        learning_rate_nano: spec.learning_rate_nano,
        schedule: spec.schedule.name().to_owned(),
        warmup_ratio_bp: spec.warmup_ratio_bp,
        per_device_train_batch_size: spec.per_device_train_batch_size,
        gradient_accumulation_steps: spec.gradient_accumulation_steps,
        num_train_epochs: spec.num_train_epochs,
        max_seq_length: spec.max_seq_length,
        weight_decay_micro: spec.weight_decay_micro,
        max_grad_norm_milli: spec.max_grad_norm_milli,
        seed: spec.seed.to_string(),
        eval_fraction_bp: spec.eval_fraction_bp,
    }
}

fn pool_record(pool: &ChainPool) -> Pool {
    Pool {
        total_in: pool.total_in.to_string(),
        claimed: pool.claimed.to_string(),
        owed: pool.owed.to_string(),
        available: pool.available.to_string(),
        per_period: pool.terms.per_period.to_string(),
        max_per_point: pool.terms.max_per_point.to_string(),
        period: pool.period,
        points: pool.points.to_string(),
    }
}
