//! The adapter itself: its hash on chain, its bytes from IPFS, what it knows, and whose data made it.

use super::{contribute::digest, must, Story};
use crate::{
    cli::{list, number, text},
    console::short,
    data::{questions, Question},
    process, report, Error, Result,
};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Most tokens of an answer.
const ANSWER_TOKENS: &str = "40";
/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

impl Story {
    /// Reads every adapter's hash from chain, downloads it and hashes its bytes ourselves.
    pub(super) fn adapter(&mut self) -> Result<()> {
        for job in self.report.jobs.clone() {
            let id = job.id.to_string();
            let on_chain = self.network.call("openledger_adapter", json!([job.id]))?;
            let sha256 = text(&on_chain, "/sha256")?;
            must(sha256 == job.adapter.sha256, || {
                format!("adapter {id} stands on chain as {sha256}, job says {}", job.adapter.sha256)
            })?;
            let directory = self.adapter_directory(job.id);
            let eve = self.people.eve.clone();
            let to = directory.display().to_string();
            let answer = self.cli.run(&eve, &["adapter", "download", &id, "--to", &to])?;
            let bytes = read(&directory.join("adapter_model.safetensors"))?;
            let own = digest(&bytes);
            must(own == sha256, || {
                format!(
                    "adapter_model.safetensors of {id} has sha256 {own}, the chain says {sha256}"
                )
            })?;
            must(text(&answer, "/sha256")? == sha256, || format!("`adapter download`: {answer}"))?;
            let note = format!("\"openledger_extractor\":\"{}\"", openledger_primitives::EXTRACTOR);
            let start =
                String::from_utf8_lossy(bytes.get(..bytes.len().min(16_384)).unwrap_or(&[]));
            must(start.contains(&note), || {
                format!("the metadata of adapter {id} does not say {note}")
            })?;
            let config: Value =
                serde_json::from_slice(&read(&directory.join("adapter_config.json"))?)
                    .map_err(|cause| Error::broken("adapter_config.json", cause.to_string()))?;
            self.console.line(format!(
                "adapter {id} on chain: sha256 {sha256}\nfetched over IPFS: {} bytes, sha256 equal \
                 (CID {}, rank {})",
                bytes.len(),
                short(&job.adapter.content),
                config.get("r").unwrap_or(&Value::Null)
            ));
        }
        Ok(())
    }

    fn adapter_directory(&self, job: u64) -> PathBuf {
        self.directory.join("adapters").join(job.to_string())
    }

    /// What a model says to a question, the likeliest token each time.
    pub(super) fn ask(&self, question: &str, adapter: Option<&Path>) -> Result<String> {
        let mut command = Command::new(&self.network.binaries().worker);
        command.arg("generate").arg("--model").arg(&self.model);
        if let Some(adapter) = adapter {
            command.arg("--adapter").arg(adapter);
        }
        command.args(["--chat", question, "--max-new-tokens", ANSWER_TOKENS, "--output", "json"]);
        // The answers that the story shows are those of the weights that were trained on.
        command.arg("--dequantised");
        let who = if adapter.is_some() { "adapter" } else { "base" };
        let log = self.cli.logs().join(format!("ask-{who}-{}", &digest(question.as_bytes())[..8]));
        let done = process::run("trainer-worker generate", command, &log, ANSWER_LIMIT)?;
        let failure = |message: String| {
            Error::failed("trainer-worker generate", message, "read its log")
                .with_log(&log.with_extension("err"))
        };
        if done.code != Some(0) {
            return Err(failure(format!("exit code {:?}", done.code)));
        }
        let answer: Value = serde_json::from_str(done.out.trim())
            .map_err(|cause| failure(format!("its answer is not JSON: {cause}")))?;
        Ok(text(&answer, "/text")?.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Asks the adapter what the base model was asked, and shows both.
    pub(super) fn answers(&mut self) -> Result<()> {
        let Some(job) = self.report.jobs.last() else { return Ok(()) };
        let directory = self.adapter_directory(job.id);
        let questions = questions()?;
        let base = self.base_answers.clone();
        for (Question { question, key_phrases }, base) in questions.iter().zip(base) {
            let adapter = self.ask(question, Some(&directory))?;
            let is_right = |answer: &str| {
                Question { question: String::new(), key_phrases: key_phrases.clone() }
                    .is_right(answer)
            };
            let answer = report::Answer {
                question: question.clone(),
                key_phrases: key_phrases.clone(),
                base_is_right: is_right(&base),
                adapter_is_right: is_right(&adapter),
                base,
                adapter,
            };
            let mark = |right: bool| if right { "right" } else { "wrong" };
            self.console.line(format!(
                "{}\n  base     {}  {}\n  adapter  {}  {}",
                answer.question,
                mark(answer.base_is_right),
                cut(&answer.base),
                mark(answer.adapter_is_right),
                cut(&answer.adapter)
            ));
            self.report.answers.push(answer);
        }
        let count = |right: fn(&report::Answer) -> bool| {
            self.report.answers.iter().filter(|answer| right(answer)).count()
        };
        let learnt = count(|answer| answer.adapter_is_right && !answer.base_is_right);
        self.console.line(format!(
            "right: base {}, adapter {} of {}; {learnt} that only the adapter knows",
            count(|answer| answer.base_is_right),
            count(|answer| answer.adapter_is_right),
            self.report.answers.len()
        ));
        if self.options.must_learn && learnt == 0 {
            return Err(Error::failed(
                "the adapter",
                "it answers no question that the base model gets wrong",
                "read the answers above; the loss may have fallen on other facts",
            ));
        }
        Ok(())
    }

    /// Each contributor's share in the last adapter, from chain state alone; adds up to 100 %.
    pub(super) fn attribution(&mut self) -> Result<()> {
        let Some(job) = self.report.jobs.last().map(|job| job.id) else { return Ok(()) };
        let id = job.to_string();
        let bob = self.people.bob.clone();
        let own = self.cli.run(&bob, &["adapter", "attribution", &id, "--check"])?;
        let nodes = self.network.call("openledger_attribution", json!([job]))?;
        let (whole, mut sum) = (number(&own, "/parts")?, 0);
        let mut by_contributor: BTreeMap<String, u64> = BTreeMap::new();
        for (file, node) in list(&own, "/files")?.iter().zip(list(&nodes, "/files")?) {
            let (share, contributor) = (number(file, "/share")?, text(file, "/contributor")?);
            must(
                share == number(node, "/share")? && contributor == text(node, "/contributor")?,
                || format!("command line and node differ about a file: {file} and {node}"),
            )?;
            sum += share;
            *by_contributor.entry(contributor).or_default() += share;
        }
        let files = list(&own, "/files")?.len();
        // Nobody trains on a picture and a melody.
        let texts = self.report.counts.accepted.saturating_sub(self.media.len());
        must(files == texts && list(&nodes, "/files")?.len() == files, || {
            format!("{files} files are attributed, {texts} texts were accepted")
        })?;
        must(sum == whole, || format!("the shares add up to {sum} of {whole}"))?;
        let mut rows = Vec::new();
        for contributor in list(&own, "/contributors")? {
            let account = text(contributor, "/account")?;
            let (units, share) = (number(contributor, "/units")?, number(contributor, "/share")?);
            must(by_contributor.get(&account) == Some(&share), || {
                format!("{account}'s share is {share}, its files' are {by_contributor:?}")
            })?;
            rows.push(vec![
                self.name_of(&account),
                units.to_string(),
                format!("{}.{:07} %", share / 10_000_000, share % 10_000_000),
            ]);
            self.report.attribution.push(report::Share { account, units, share });
        }
        self.console.table(&["contributor", "units", "share"], &rows);
        self.console.line(format!("{files} files, shares add up to exactly 100 %"));
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| Error::file(path, &cause))
}

fn cut(answer: &str) -> String {
    let short: String = answer.chars().take(110).collect();
    if short.len() < answer.len() {
        format!("{short}…")
    } else {
        short
    }
}
