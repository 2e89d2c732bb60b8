//! A training job: dispatched by the runtime, trained by the worker, paid once.

use super::{must, review::PRICE_PER_TOKEN, Budget, Fault, JobPlan, Story, LEAST_FALL};
use crate::{
    cli::{float, number, plancks, text},
    console::open,
    interrupt::{poll, sleep},
    report, sheet, Error, Result,
};
use openledger_primitives::OPEN;
use serde_json::{json, Value};
use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

/// Longest time a job may take. The story's take about a minute on two cores.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// What Eve offers for a job.
const BUDGET: u128 = 2 * OPEN;

impl Budget {
    /// Most tokens, and the settings by their names on the command line.
    fn settings(self) -> (u64, &'static str) {
        match self {
            Self::Small => (
                6_000,
                "--lora-r 4 --lora-alpha 8 --target-modules q_proj,v_proj --learning-rate 2e-3 \
                 --per-device-train-batch-size 4 --num-train-epochs 1 --max-seq-length 128",
            ),
            Self::Full => (
                20_000,
                "--lora-r 8 --lora-alpha 32 --learning-rate 2e-3 \
                 --target-modules q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj \
                 --per-device-train-batch-size 4 --num-train-epochs 4 --max-seq-length 128",
            ),
        }
    }
}

impl Story {
    /// Creates a job over the current version, watches it to its end, and checks result and price.
    pub(super) fn train(&mut self, plan: JobPlan) -> Result<()> {
        let began = Instant::now();
        let (ceiling, settings) = plan.budget.settings();
        // The job pays what it offers; the worker's floor is lower.
        let price_per_token = BUDGET.div_ceil(u128::from(ceiling.max(1)));
        let price = price_per_token.saturating_mul(ceiling.into());
        must(price_per_token >= PRICE_PER_TOKEN, || {
            format!("{price_per_token} plancks a token are below the worker's floor")
        })?;
        let (base, datanet) = (self.base.to_string(), self.datanet.to_string());
        let (budget, ceiling) = (format!("{}OPEN", BUDGET / OPEN), ceiling.to_string());
        let parent = match self.report.jobs.first() {
            Some(first) if plan.refines => Some((first.id, first.eval_loss.after)),
            _ => None,
        };
        let from = match parent {
            Some((parent, _)) => ("--parent", parent.to_string()),
            None => ("--model", base),
        };
        let what = ["job", "create", from.0, &from.1, "--datanet", &datanet];
        let terms = ["--budget", &budget, "--token-ceiling", &ceiling, "--method", "lora"];
        let split = ["--eval-fraction", "0.2", "--seed", "42"];
        let settings: Vec<&str> = settings.split_whitespace().collect();
        let command = [&what[..], &terms[..], &split[..], &settings[..]].concat();
        let eve = self.people.eve.clone();
        let created = self.cli.run(&eve, &command)?;
        let id = number(&created, "/job")?;
        self.console.line(format!(
            "job {id}: at most {ceiling} tokens, {} OPEN held, which the worker is paid",
            open(sheet::signed(price))
        ));
        self.console.line(format!("settings: {}", settings.join(" ")));

        let (done, steps) = self.watch(id, plan.fault)?;
        let watched = self.cli.run(&eve, &["job", "watch", &id.to_string()])?;
        let state = text(&watched, "/state")?;
        must(state == "completed", || format!("`job watch` ends with a job that is {state}"))?;
        self.check_result(id, &done, price)?;
        self.check_ancestry(id, parent.map(|(parent, _)| parent))?;

        self.check_metrics(id, steps, float(&done, "/result/evalLossBefore")?)?;

        let eval_loss = report::EvalLoss {
            before: float(&done, "/result/evalLossBefore")?,
            after: float(&done, "/result/evalLossAfter")?,
        };
        if let Some((parent, loss)) = parent {
            // The same files held out, so the parent's loss is the beginning's to the last digit.
            must(eval_loss.before == loss, || {
                let before = eval_loss.before;
                format!("job {id} began at {before} nats, adapter {parent} had ended at {loss}")
            })?;
            self.console.line(format!("job {id} trained adapter {parent} further"));
        }
        let worker = text(&done, "/worker")?;
        self.pay("Eve", "Ferdie", &format!("price of job {id}"), price);
        self.console.line(format!(
            "held-out loss {:.3} → {:.3} nats a token; {} was paid {} OPEN",
            eval_loss.before,
            eval_loss.after,
            self.name_of(&worker),
            open(sheet::signed(price)),
        ));
        self.report.jobs.push(report::Job {
            id,
            method: text(&done, "/method")?,
            worker,
            eval_loss,
            adapter: report::Adapter {
                content: text(&done, "/result/content")?,
                sha256: text(&done, "/result/sha256")?,
                size: number(&done, "/result/size")?,
            },
            tokens: number(&done, "/result/tokens")?,
            steps,
            fault: plan.fault.map(|fault| format!("{fault:?}")),
            price: price.to_string(),
            seconds: began.elapsed().as_secs_f64(),
        });
        let fall = eval_loss.before - eval_loss.after;
        if self.options.must_learn && fall < LEAST_FALL {
            return Err(Error::failed(
                "training",
                format!(
                    "held-out loss fell by {fall:.3} nats a token, at least {LEAST_FALL} is asked"
                ),
                "read the worker's log for the loss of each step",
            )
            .with_log(&self.network.log("worker")));
        }
        Ok(())
    }

    /// Follows a job until it is completed, and makes the fault happen while it trains. Returns the
    /// job as the node tells it once the result stands, and the steps it took.
    fn watch(&mut self, id: u64, fault: Option<Fault>) -> Result<(Value, u64)> {
        let began = Instant::now();
        let mut fault = fault;
        let mut steps = 0;
        let mut result = None;
        while began.elapsed() < LIMIT {
            self.network.ensure_running()?;
            let job = self.network.call("openledger_job", json!([id]))?;
            let state = text(&job, "/state")?;
            let step = job.get("step").and_then(Value::as_u64).unwrap_or(0);
            steps = job.get("totalSteps").and_then(Value::as_u64).unwrap_or(0).max(steps);
            let seconds = began.elapsed().as_secs();
            self.console.progress(match state.as_str() {
                "training" if steps > 0 => {
                    let says = self.network.worker_says().unwrap_or_default();
                    format!("{state}, {seconds} s; on chain step {step} of {steps}; worker: {says}")
                }
                _ => format!("{state}, {seconds} s"),
            });
            match state.as_str() {
                // The first steps are done, so what happens now happens in the middle of training.
                "training" if step > 0 => self.disturb(fault.take())?,
                // After completion the chain keeps the result with the adapter.
                "submitted" => result = Some(job),
                "completed" => {
                    must(fault.is_none(), || {
                        format!("job {id} was over before {fault:?} could happen")
                    })?;
                    let mut job = job;
                    if job.get("result").is_none_or(Value::is_null) {
                        let adapter = self.network.call("openledger_adapter", json!([id]))?;
                        job["result"] = adapter;
                    }
                    if let Some(before) = &result {
                        same_result(before, &job)?;
                    }
                    return Ok((job, steps));
                }
                "failed" | "cancelled" => {
                    return Err(Error::failed(
                        "the job",
                        format!("it is {state}"),
                        "read the worker's log",
                    )
                    .with_log(&self.network.log("worker")));
                }
                _ => {}
            }
            sleep(Duration::from_millis(500))?;
        }
        Err(Error::failed(
            "the job",
            format!("not over after {} s", LIMIT.as_secs()),
            "read the worker's log; a machine under load trains slowly",
        )
        .with_log(&self.network.log("worker")))
    }

    fn disturb(&mut self, fault: Option<Fault>) -> Result<()> {
        match fault {
            None => Ok(()),
            Some(Fault::RestartNode) => {
                let calm = Arc::clone(&self.calm);
                let _calm = calm.lock().unwrap_or_else(PoisonError::into_inner);
                let (before, after) = self.network.restart_node()?;
                must(after >= before, || {
                    format!("the chain went back from block {before} to {after}")
                })?;
                self.console.line(format!(
                    "the node was stopped at block {before} and started again, now at block {after}"
                ));
                Ok(())
            }
            Some(Fault::KillWorker) => {
                let (before, after) = self.network.kill_and_restart_worker()?;
                self.console.line(format!(
                    "the worker was killed (process {before}) and started again ({after})"
                ));
                Ok(())
            }
        }
    }

    /// Node and command line must say from which adapter a job's adapter comes.
    fn check_ancestry(&self, id: u64, parent: Option<u64>) -> Result<()> {
        let ancestry = self.network.call("openledger_ancestry", json!([id]))?;
        let expected: Vec<u64> = parent.into_iter().collect();
        must(ancestry == json!(expected), || format!("the ancestry of {id} is {ancestry}"))?;
        let id = id.to_string();
        let shown = self.cli.run(&self.people.eve, &["adapter", "ancestry", &id])?;
        let list = shown.pointer("/ancestry").and_then(Value::as_array);
        let ids: Vec<String> =
            list.into_iter().flatten().map(|one| one["id"].to_string()).collect();
        let wanted: Vec<String> =
            [id.clone()].into_iter().chain(expected.iter().map(u64::to_string)).collect();
        must(ids == wanted, || format!("the command line says that {id} comes from {ids:?}"))
    }

    fn check_result(&self, id: u64, done: &Value, price: u128) -> Result<()> {
        let paid = plancks(done, "/price")?;
        must(paid == price, || format!("job {id} cost {paid} plancks, fixed were {price}"))?;
        let attempts = number(done, "/attempts")?;
        must(attempts == 0, || format!("job {id} was lost {attempts} times on its way"))?;
        let worker = text(done, "/worker")?;
        let ferdie = self.address("Ferdie")?;
        must(worker == ferdie, || format!("job {id} was done by {worker}, not by {ferdie}"))?;
        for name in ["evalLossBefore", "evalLossAfter"] {
            let loss = float(done, &format!("/result/{name}"))?;
            must(loss.is_finite() && loss > 0.0 && loss < 20.0, || {
                format!("{name} of job {id} is {loss} nats a token")
            })?;
        }
        // The budget is held no longer, and nothing else of Eve's for this job.
        let settled = poll(Duration::from_secs(30), Duration::from_millis(300), || {
            let eve = self.cli.run(&self.people.eve, &["account", "show"])?;
            let held = eve.get("holds").map(Value::to_string).unwrap_or_default();
            Ok((!held.to_lowercase().contains("budget")).then_some(()))
        })?;
        must(settled.is_some(), || format!("the budget of job {id} is still held after its end"))
    }
}

/// What stands on chain after completion must be what was posted.
fn same_result(before: &Value, after: &Value) -> Result<()> {
    for name in ["content", "sha256", "size", "evalLossBefore", "evalLossAfter", "tokens"] {
        let pointer = format!("/result/{name}");
        let (posted, kept) = (before.pointer(&pointer), after.pointer(&pointer));
        must(posted.is_some() && posted == kept, || {
            format!("the result's {name} was posted as {posted:?} and stands as {kept:?}")
        })?;
    }
    Ok(())
}
