//! Submissions, feeless within the quota, and what is refused before it reaches the chain.

use super::{both, must, Story};
use crate::{
    cli::{list, number, plancks, text, Actor, Refused},
    console::open,
    data::{self, Sample, ADA, BEN, PICTURE},
    report, sheet, Result,
};
use openledger_primitives::{RefusalRule, OPEN};
use serde_json::Value;
use std::path::PathBuf;

/// What Bob pays into the pool.
const FUNDING: u128 = 100 * OPEN;

impl Story {
    /// Ada and Ben submit; a copy and a picture are refused; Bob funds the reward pool; Eve
    /// registers the base model.
    pub(super) fn contribute(&mut self) -> Result<()> {
        let ada = self.write_files("ada", &ADA)?;
        let ben = self.write_files("ben", &BEN)?;
        let people = self.people.clone();
        let datanet = self.datanet.to_string();
        let funding = format!("{}OPEN", FUNDING / OPEN);
        let model = self.model.display().to_string();
        let cli = &self.cli;
        let ((ada_sent, ben_sent), ((_, model), bread)) = both(
            || {
                // One after the other, so that every run trains on the files in the same order.
                let ada_sent = cli.run(&people.ada, &submit(&datanet, &ada))?;
                Ok((ada_sent, cli.run(&people.ben, &submit(&datanet, &ben))?))
            },
            || {
                let fund = || {
                    let fund = ["rewards", "fund", "--datanet", &datanet, "--amount", &funding];
                    // At most 20 OPEN for one period, and 0.0001 OPEN for one point.
                    let terms = ["--per-period", "20OPEN", "--max-per-point", "100000000000000"];
                    let set = ["rewards", "terms", "--datanet", &datanet];
                    cli.run(&people.bob, &[&set[..], &terms[..]].concat())?;
                    cli.run(&people.bob, &[&fund[..], &terms[..]].concat())
                };
                let register = || {
                    let register = ["model", "register", "--name", "SmolLM2-135M-Instruct"];
                    let family = ["--family", "llama", "--licence", "Apache-2.0"];
                    let weights = ["--weights", &model];
                    cli.run(&people.eve, &[&register[..], &family[..], &weights[..]].concat())
                };
                both(|| both(fund, register), || self.open_bread())
            },
        )?;
        self.pay("Bob", "reward pot", "paid into the reward pool", FUNDING);
        self.base = number(&model, "/model")?;
        self.report.model = Some(report::Model {
            id: self.base,
            content: text(&model, "/content")?,
            sha256: text(&model, "/sha256")?,
            size: number(&model, "/size")?,
        });
        for (who, samples, sent) in [("Ada", &ADA[..], &ada_sent), ("Ben", &BEN[..], &ben_sent)] {
            must(plancks(sent, "/fee")? == 0, || format!("{who}'s submission cost a fee: {sent}"))?;
            self.note_submissions(who, samples, sent)?;
        }
        self.open_court(bread)?;
        self.refusals(&datanet)?;
        for actor in [&people.ada, &people.ben] {
            let shown = self.cli.run(actor, &["contributor", "show"])?;
            self.console.line(format!("{}'s quota today: {}", actor.name, quota_in_words(&shown)?));
        }
        self.console.line(format!(
            "Bob paid {} OPEN into the reward pool; Eve registered the base model, {} bytes on her \
             IPFS node",
            open(sheet::signed(FUNDING)),
            self.report.model.as_ref().map_or(0, |model| model.size)
        ));
        Ok(())
    }

    fn write_files(&self, who: &str, samples: &[Sample]) -> Result<Vec<PathBuf>> {
        let directory = self.directory.join("disks").join(who);
        samples.iter().map(|sample| data::write(&directory, sample.name, sample.bytes)).collect()
    }

    fn note_submissions(&mut self, who: &str, samples: &[Sample], sent: &Value) -> Result<()> {
        let submissions = list(sent, "/submissions")?;
        must(submissions.len() == samples.len(), || {
            format!("{who} submitted {} files, the answer names {sent}", samples.len())
        })?;
        let mut rows = Vec::new();
        for (sample, submission) in samples.iter().zip(submissions) {
            let sha256 = text(submission, "/sha256")?;
            must(sha256 == digest(sample.bytes), || {
                format!(
                    "sha256 of {} is {}, the answer says {sha256}",
                    sample.name,
                    digest(sample.bytes)
                )
            })?;
            let content = text(submission, "/content")?;
            let id = number(submission, "/submission")?;
            rows.push(vec![
                id.to_string(),
                who.to_owned(),
                sample.name.to_owned(),
                sample.bytes.len().to_string(),
                content.clone(),
            ]);
            self.report.counts.submitted += 1;
            self.report.files.push(report::File {
                name: sample.name.to_owned(),
                contributor: who.to_owned(),
                submission: Some(id),
                content: Some(content),
                sha256,
                outcome: "pending".to_owned(),
                reason: None,
            });
        }
        self.console.table(&["no.", "from", "file", "bytes", "CID"], &rows);
        self.console.line(format!("{who} paid no fee"));
        Ok(())
    }

    /// A copy of Ada's file from Ben, and a picture from Ada.
    fn refusals(&mut self, datanet: &str) -> Result<()> {
        let copied = ADA.first().map_or(&[][..], |sample| sample.bytes);
        let (name, bytes) = PICTURE;
        let people = self.people.clone();
        self.refusal(&people.ben, datanet, "copied.md", copied, RefusalRule::AlreadySubmitted)?;
        self.refusal(&people.ada, datanet, name, bytes, RefusalRule::WrongModality)
    }

    fn refusal(
        &mut self,
        actor: &Actor,
        datanet: &str,
        name: &str,
        bytes: &[u8],
        rule: RefusalRule,
    ) -> Result<()> {
        let directory = self.directory.join("disks").join(actor.name.to_lowercase());
        let path = data::write(&directory, name, bytes)?;
        let refused = self.cli.refused(actor, &submit(datanet, &[path]))?;
        check_refusal(name, &refused, rule)?;
        self.console.line(format!("{name} from {}: refused, {}", actor.name, refused.message));
        self.report.counts.refused += 1;
        self.report.files.push(report::File {
            name: name.to_owned(),
            contributor: actor.name.to_owned(),
            submission: None,
            content: None,
            sha256: digest(bytes),
            outcome: "refused".to_owned(),
            reason: Some(refused.message),
        });
        Ok(())
    }
}

/// Fails unless a command was refused by `rule`, with its code and with words.
///
/// # Errors
///
/// What it was instead.
pub fn check_refusal(what: &str, refused: &Refused, rule: RefusalRule) -> Result<()> {
    must(
        refused.exit == 3 && refused.kind == "refused" && refused.code == Some(rule.code().into()),
        || format!("{what} should be refused with code {} ({rule:?}): {refused:?}", rule.code()),
    )?;
    must(refused.message.split_whitespace().count() >= 4, || {
        format!("the refusal of {what} says only {:?}", refused.message)
    })
}

/// The command that submits `files`.
pub fn submit<'a>(datanet: &'a str, files: &'a [PathBuf]) -> Vec<&'a str> {
    let mut command = vec!["submit", "--datanet", datanet];
    command.extend(files.iter().filter_map(|file| file.to_str()));
    command
}

/// sha2-256 in lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}

/// Used and allowed files and bytes.
fn quota_in_words(shown: &Value) -> Result<String> {
    let quota = |name: &str| number(shown, &format!("/quota/{name}"));
    let (files, most_files) = (quota("filesUsed")?, quota("filesLimit")?);
    let (bytes, most_bytes) = (quota("bytesUsed")?, quota("bytesLimit")?);
    Ok(format!("{files} of {most_files} files, {bytes} of {most_bytes} bytes"))
}
