//! The adapter in use: a server takes it from the chain by its number, and answers any OpenAI client.

use super::{must, Story};
use crate::{cli::text, data::questions, http, Error, Result};
use serde_json::{json, Value};

impl Story {
    /// Starts a server that knows the chain and the worker's IPFS node, and asks base model and adapter
    /// what the adapter was trained on.
    pub(super) fn serve(&mut self) -> Result<()> {
        let Some(job) = self.report.jobs.last().cloned() else { return Ok(()) };
        let port = self.network.start_server(&self.model, BASE)?;
        let question = match questions()?.into_iter().next() {
            Some(question) => question.question,
            None => return Ok(()),
        };
        let base = self.chat(port, BASE, &question)?;
        must(base.pointer("/openledger/adapter").is_some_and(Value::is_null), || {
            format!("the base model answers with an adapter: {base}")
        })?;
        let name = format!("openledger:{}", job.id);
        let answer = self.chat(port, &name, &question)?;
        let sha256 = text(&answer, "/openledger/adapter_sha256")?;
        must(sha256 == job.adapter.sha256, || {
            format!("{name} is served as {sha256}, the chain says {}", job.adapter.sha256)
        })?;
        let said = |answer: &Value| {
            let content = text(answer, "/choices/0/message/content")?;
            Ok::<_, Error>(content.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        self.console.line(format!(
            "an OpenAI-compatible server at http://127.0.0.1:{port}/v1\n{question}\n  {BASE}  {}\n  {name}  {}",
            said(&base)?,
            said(&answer)?
        ));
        self.server_port = Some(port);
        Ok(())
    }

    fn chat(&self, port: u16, model: &str, question: &str) -> Result<Value> {
        let body = json!({
            "model": model,
            "messages": [{ "role": "user", "content": question }],
            "max_tokens": 40,
            "temperature": 0,
        });
        let failure = |message: String| {
            Error::failed("trainer-worker serve", message, "read its log")
                .with_log(&self.network.log("server"))
        };
        let path = "/v1/chat/completions";
        let (status, body) = http::post(port, path, &body.to_string(), ANSWER_LIMIT)
            .map_err(|cause| failure(cause.to_string()))?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|cause| failure(format!("its answer is not JSON: {cause}")))?;
        match status {
            200 => Ok(answer),
            _ => Err(failure(format!("{model}: status {status}, {answer}"))),
        }
    }
}

/// What the server calls the base model.
const BASE: &str = "smollm2";
/// How long an answer may take, the adapter's way over IPFS included.
const ANSWER_LIMIT: std::time::Duration = std::time::Duration::from_secs(120);
