//! The gateway: whole curves of the trainings, and answers of the server that it is told of.

use super::{must, Story};
use crate::{
    cli::{float, text},
    data::questions,
    http::{self, Response},
    interrupt::poll,
    Error, Result,
};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What the gateway calls the server of answers.
const SERVER: &str = "local";
/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

impl Story {
    fn of_gateway(&self, cause: impl ToString) -> Error {
        Error::failed("the gateway", cause.to_string(), "read its log")
            .with_log(&self.network.log("gateway"))
    }

    fn gateway_port(&self) -> Result<u16> {
        self.network.gateway_port().ok_or_else(|| self.of_gateway("it was not started"))
    }

    fn ask_gateway(&self, method: &str, path: &str, body: &str) -> Result<Response> {
        let port = self.gateway_port()?;
        http::request(port, method, path, body, ANSWER_LIMIT)
            .map_err(|cause| self.of_gateway(cause))
    }

    fn gateway_json(&self, path: &str) -> Result<Value> {
        let answer = self.ask_gateway("GET", path, "")?;
        let json = serde_json::from_slice(&answer.body).map_err(|cause| self.of_gateway(cause))?;
        match answer.status {
            200 => Ok(json),
            status => Err(self.of_gateway(format!("{path}: status {status}, {json}"))),
        }
    }

    /// The gateway must have every step of a job that is over, told by its worker, though node or worker
    /// went away meanwhile; and the loss before training is the one on chain.
    pub(super) fn check_metrics(&mut self, id: u64, steps: u64, before: f64) -> Result<()> {
        let path = format!("/v1/jobs/{id}/metrics?limit=1000");
        // The last batch goes out beside the result.
        let whole = poll(Duration::from_secs(90), Duration::from_millis(500), || {
            let told = self.gateway_json(&path)?;
            let log = told["items"].as_array().into_iter().flatten();
            let posted = |entry: &Value| {
                entry["text"].as_str().is_some_and(|text| text.starts_with("posting the result"))
            };
            Ok(log.clone().any(posted).then(|| told.clone()))
        })?
        .ok_or_else(|| self.of_gateway(format!("job {id}: the end of its metrics did not come")))?;
        must(text(&whole, "/reportedBy")? == "worker", || {
            format!("who told it is not said: {whole}")
        })?;
        let ferdie = self.address("Ferdie")?;
        must(text(&whole, "/attempts/0/account")? == ferdie, || {
            format!("told by another: {whole}")
        })?;
        must(whole.pointer("/attempts/0/dropped") == Some(&json!(0)), || {
            format!("dropped: {whole}")
        })?;
        let items: Vec<&Value> = whole["items"].as_array().into_iter().flatten().collect();
        let mut losses = BTreeMap::new();
        for item in items.iter().filter(|item| item["kind"] == "step") {
            let step = item["step"].as_u64().unwrap_or(0);
            let loss = float(item, "/loss")?;
            must(loss.is_finite() && loss > 0.0, || format!("step {step} of job {id}: {item}"))?;
            losses.insert(step, loss);
        }
        let told: Vec<u64> = losses.into_keys().collect();
        let wanted: Vec<u64> = (1..=steps).collect();
        must(told == wanted, || format!("of job {id}'s {steps} steps the gateway has {told:?}"))?;
        let first = items.iter().find(|item| item["kind"] == "evaluated" && item["step"] == 0);
        let first = first.map(|item| float(item, "/loss")).transpose()?;
        must(first.is_some_and(|loss| (loss - before).abs() < 1e-6), || {
            format!("the loss before job {id} is {before} on chain and {first:?} at the gateway")
        })?;
        self.console.line(format!("the gateway has all {steps} steps of job {id}"));
        Ok(())
    }

    /// Starts the gateway again, now that there is a server of answers, and asks through it.
    pub(super) fn chat_through_gateway(&mut self) -> Result<()> {
        let (Some(job), Some(port)) = (self.report.jobs.last().cloned(), self.server_port) else {
            return Ok(());
        };
        self.network.restart_gateway(&[format!("{SERVER}=http://127.0.0.1:{port}")])?;
        let kept = self.gateway_json(&format!("/v1/jobs/{}/metrics?limit=1", job.id))?;
        must(kept["items"].as_array().is_some_and(|items| items.len() == 1), || {
            format!("the metrics are gone after a restart: {kept}")
        })?;
        let models = self.gateway_json("/v1/chat/models")?;
        let name = format!("openledger:{}", job.id);
        let adapters = models.pointer("/items/0/adapters").and_then(Value::as_array);
        let listed =
            adapters.into_iter().flatten().find(|adapter| adapter["model"] == name.as_str());
        must(
            listed.is_some_and(|adapter| adapter["sha256"] == job.adapter.sha256.as_str()),
            || format!("{name} is not among what can be asked: {models}"),
        )?;

        let Some(question) = questions()?.into_iter().next() else { return Ok(()) };
        let full = self.gateway_json("/v1/chat/budget")?;
        let asked = |max_tokens: u32| {
            json!({
                "model": name, "max_tokens": max_tokens, "temperature": 0.0, "seed": 1,
                "messages": [{ "role": "user", "content": question.question }],
            })
            .to_string()
        };
        let answer = self.ask_gateway("POST", "/v1/chat", &asked(24))?;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        must(answer.status == 200, || format!("status {}: {said}", answer.status))?;
        let sha256 = answer.header("x-openledger-adapter-sha256");
        must(sha256 == Some(job.adapter.sha256.as_str()), || {
            format!("{name} answers as {sha256:?}, the chain says {}", job.adapter.sha256)
        })?;
        must(said.trim_end().ends_with("data: [DONE]"), || format!("it does not end: {said}"))?;
        let words: String = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
            .filter_map(|chunk| {
                chunk.pointer("/choices/0/delta/content")?.as_str().map(str::to_owned)
            })
            .collect();
        must(!words.trim().is_empty(), || format!("it says nothing: {said}"))?;
        let left = self.gateway_json("/v1/chat/budget")?;
        let tokens = |budget: &Value| budget["remaining"].as_u64().unwrap_or(0);
        let used = tokens(&full).saturating_sub(tokens(&left));
        must((10..200).contains(&used), || {
            format!("the answer cost {used} tokens: {full}, {left}")
        })?;
        self.console.line(format!("{name} through the gateway, {used} tokens: {}", words.trim()));
        self.go_away(port, &asked(2_000))
    }

    /// Leaves a long answer after its beginning: the server must stop writing it.
    fn go_away(&mut self, server: u16, question: &str) -> Result<()> {
        let port = self.gateway_port()?;
        let cancelled = || -> Result<u64> {
            let text = http::request(server, "GET", "/metrics", "", ANSWER_LIMIT)
                .map_err(|cause| self.of_gateway(cause))?;
            let text = String::from_utf8_lossy(&text.body).into_owned();
            let count = text.lines().find_map(|line| {
                line.strip_prefix("openledger_requests_cancelled_total ")?.trim().parse().ok()
            });
            count.ok_or_else(|| self.of_gateway("the server counts no cancelled requests"))
        };
        let before = cancelled()?;
        http::begin(port, "/v1/chat", question, ANSWER_LIMIT)
            .map_err(|cause| self.of_gateway(cause))?;
        let began = Instant::now();
        let after = poll(Duration::from_secs(20), Duration::from_millis(100), || {
            Ok(Some(cancelled()?).filter(|count| *count > before))
        })?;
        must(after.is_some(), || "the server wrote on though nobody listened".to_owned())?;
        self.console.line(format!(
            "an answer that was left ended at the server within {:.1} s",
            began.elapsed().as_secs_f64()
        ));
        Ok(())
    }
}
