//! Rows that are the chain's own records: pools, models, jobs, adapters, workers.

use super::{add, Result, Writer};
use crate::api::types::{
    Adapter, BaseModel, Dataset, Job, Kind, Outcome, Pool, Refused, Spec, WaitingPolicy, Worker,
};
use crate::index::sqlite::schema::FundsRecord;
use openledger_client::{blocks::ChainEvent, AccountId, BaseModel as ChainModel};
use openledger_primitives::{
    job::{self, JobState},
    leaf::DatasetRef,
    BaseModelId, JobResult, Pool as ChainPool, Serves,
};
use rusqlite::params;

impl Writer<'_> {
    pub(super) fn changed(&self) -> Result<()> {
        let changed = &self.block.changed;
        for (datanet, pool) in &changed.pools {
            self.run(
                "UPDATE datanets SET pool = ? WHERE id = ?",
                params![serde_json::to_string(&pool_record(pool))?, datanet],
            )?;
        }
        for (datanet, funds) in &changed.funds {
            let record = FundsRecord {
                shares: funds.shares.to_string(),
                unowned: funds.unowned.to_string(),
                generation: funds.generation,
            };
            self.run(
                "UPDATE datanets SET funds = ? WHERE id = ?",
                params![serde_json::to_string(&record)?, datanet],
            )?;
        }
        for (datanet, account, share) in &changed.shares {
            let sql = "UPDATE funders SET shares = ?, leaving = ?, generation = ? \
                       WHERE datanet = ? AND account = ?";
            let (shares, leaving) = (share.shares.to_be_bytes(), share.leaving.to_string());
            let who = self.name(account);
            self.run(sql, params![shares, leaving, share.generation, datanet, who])?;
        }
        for (datanet, waiting) in &changed.waiting_policies {
            let waits = waiting.as_ref().map(|(policy, from)| {
                let (members, threshold) = super::curators(policy);
                let curators = members.iter().map(ToString::to_string).collect();
                let committee = super::seats_of(policy).map(str::to_owned);
                WaitingPolicy { curators, threshold, committee, from: *from }
            });
            let waits = waits.map(|waits| serde_json::to_string(&waits)).transpose()?;
            self.run(
                "UPDATE datanets SET waiting_policy = ? WHERE id = ?",
                params![waits, datanet],
            )?;
        }
        for model in &changed.base_models {
            self.base_model(model)?;
        }
        for (id, value) in &changed.jobs {
            self.job(*id, value)?;
        }
        for event in &self.block.events {
            if let ChainEvent::JobPruned { job, .. } = event.event {
                self.pruned(job)?;
            }
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
                datasets: job.datasets,
                content: outcome.content,
                sha256: outcome.sha256,
                size: outcome.size,
                eval_loss_before: outcome.eval_loss_before,
                eval_loss_after: outcome.eval_loss_after,
                tokens: outcome.tokens,
                dataset_root: outcome.dataset_root,
                // Known when it is read: leaves are revoked later.
                holds_revoked: false,
                created: job.created,
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
        let before: Option<BaseModel> =
            self.json("SELECT data FROM base_models WHERE id = ?", params![model.id])?;
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
            retired: model.retired,
            registered: match before {
                Some(before) => before.registered,
                None => self.moment(event.and_then(|event| self.extrinsic(event))),
            },
        };
        self.run(
            "INSERT OR REPLACE INTO base_models VALUES(?, ?)",
            params![model.id, serde_json::to_string(&record)?],
        )?;
        Ok(())
    }

    /// Marks a base model that takes no new jobs: the chain forgets one at once that no job on record names.
    pub(super) fn retire(&self, id: BaseModelId) -> Result<()> {
        let sql = "SELECT data FROM base_models WHERE id = ?";
        let Some(mut model): Option<BaseModel> = self.json(sql, params![id])? else {
            // Registered and retired in one block.
            return Ok(());
        };
        model.retired = true;
        self.run(
            "UPDATE base_models SET data = ? WHERE id = ?",
            params![serde_json::to_string(&model)?, id],
        )?;
        Ok(())
    }

    /// The data of a job of block `created_at`.
    fn datasets(&self, refs: &[DatasetRef], created_at: u32) -> Result<Vec<Dataset>> {
        // What `leaves_out` of the chain's words says, row by row.
        let sql =
            "SELECT count(*) FROM submissions WHERE datanet = ? AND leaf < ? AND revoked_at < ?";
        let mut datasets = Vec::with_capacity(refs.len());
        for DatasetRef { datanet, version } in refs {
            let leaves = i64::try_from(version.leaves).unwrap_or(i64::MAX);
            let left_out: i64 = self
                .batch
                .tx
                .prepare_cached(sql)?
                .query_row(params![datanet, leaves, created_at], |row| row.get(0))?;
            datasets.push(Dataset {
                datanet: *datanet,
                leaves: version.leaves,
                root: hex::encode(version.root.0),
                left_out: left_out as u64,
            });
        }
        Ok(datasets)
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
            JobState::Submitted { result: posted, .. }
            | JobState::Disputed { result: posted, .. } => result = Some(outcome(posted)),
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
            datasets: match &before {
                Some(before) => before.datasets.clone(),
                None => self.datasets(&job.datasets, created.block)?,
            },
            spec: Spec::from(&job.spec),
            token_ceiling: job.token_ceiling,
            price_per_token: job.price_per_token.to_string(),
            budget: job.budget.to_string(),
            deposit: job.deposit.to_string(),
            deadline: job.deadline,
            attempts: job.attempts,
            refused: job
                .refused
                .iter()
                .map(|refused| Refused {
                    worker: refused.worker.to_string(),
                    reason: refused.reason.map(|reason| reason.name().to_owned()),
                })
                .collect(),
            pruned: false,
            state: job.state.name().to_owned(),
            failure,
            worker: assignment.map(|assignment| assignment.worker.to_string()),
            price: assignment.map(|assignment| assignment.price.to_string()),
            step: steps.map(|steps| steps.0),
            total_steps: steps.map(|steps| steps.1),
            due: due(job),
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

    /// A job that the chain has forgotten stays listed as it ended.
    fn pruned(&self, id: u64) -> Result<()> {
        let Some(mut job): Option<Job> =
            self.json("SELECT data FROM jobs WHERE id = ?", params![id as i64])?
        else {
            // Created, called off and pruned in one block.
            return Ok(());
        };
        for event in &self.block.events {
            match event.event {
                ChainEvent::JobCancelled { job: of, .. } if of == id => {
                    job.state = JobState::<()>::Cancelled.name().to_owned();
                }
                ChainEvent::JobFailed { job: of, failure, .. } if of == id => {
                    job.state = JobState::<()>::Failed(failure).name().to_owned();
                    job.failure = Some(failure.name().to_owned());
                }
                _ => {}
            }
        }
        job.pruned = true;
        job.deposit = "0".to_owned();
        job.due = None;
        job.worker = None;
        job.updated = self.moment(None);
        self.run(
            "INSERT OR REPLACE INTO jobs VALUES(?, ?, ?, ?)",
            params![id as i64, job.owner, job.state, serde_json::to_string(&job)?],
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
                raise_to: None,
                models: None,
                max_model_bytes: None,
                tokens_per_second: 0,
                bond: "0".to_owned(),
                endpoint: String::new(),
                job: None,
                paused: false,
                completed: 0,
                timed_out: 0,
                declined: 0,
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
                    record.raise_to = view.raise.map(|(price, _)| price.to_string());
                    (record.models, record.max_model_bytes) = match &view.serves {
                        Serves::Models(models) => (Some(models.to_vec()), None),
                        Serves::UpTo(bytes) => (None, Some(*bytes)),
                    };
                    record.tokens_per_second = view.tokens_per_second;
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
                    ChainEvent::JobDeclined { worker, .. } if worker == account => {
                        record.declined += 1;
                    }
                    ChainEvent::WorkPaid { worker, pay, .. } if worker == account => {
                        record.earned = add(&record.earned, *pay);
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

/// The last block in which a job may be as it is, by what stands in its record.
fn due(job: &job::Job<AccountId>) -> Option<u32> {
    match &job.state {
        JobState::Queued => Some(job.deadline),
        JobState::Assigned { take_by, .. } => Some((*take_by).min(job.deadline)),
        JobState::Training { heartbeat_by, .. } => Some((*heartbeat_by).min(job.deadline)),
        JobState::Submitted { completes_at, .. } => Some(*completes_at),
        // Its dispute says until when.
        JobState::Disputed { .. } => None,
        JobState::Completed { .. } | JobState::Failed(_) | JobState::Cancelled => None,
    }
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
        shares: String::new(),
        unowned: String::new(),
    }
}
