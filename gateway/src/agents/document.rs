//! Instructions as their owner signs them.

use crate::error::ApiError;
use openledger_client::AccountId;
use openledger_primitives::text::{check, check_page};
use openledger_primitives::JobId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Bytes of the system text.
pub const MAX_SYSTEM: usize = 8 << 10;
/// Bytes of the goal.
pub const MAX_GOAL: usize = 200;
/// Sources of one document.
pub const MAX_SOURCES: usize = 8;
/// Bytes of a source's address.
pub const MAX_URL: usize = 300;
/// The gateway's own documentation, as a source.
pub const OWN: &str = "docs";

/// What an agent is told, and whom it asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Instructions {
    /// How to answer: what stands first in the model's prompt. At most 8 KiB; may be empty.
    pub system: String,
    /// What askers are after, told to the sources as `goal`: a line of at most 200 bytes.
    #[serde(default)]
    pub goal: Option<String>,
    /// Sites that answer `GET <page>.md?ask=<question>`: `docs` (this gateway's own documentation), or https
    /// addresses of pages on hosts that the operator allows; at most 8. `["docs"]` where it is left out.
    #[serde(default = "own")]
    pub sources: Vec<String>,
}

fn own() -> Vec<String> {
    vec![OWN.to_owned()]
}

impl Instructions {
    /// Whether they tell an agent anything. Those that do not switch the agent off.
    pub fn is_empty(&self) -> bool {
        self.system.is_empty() && self.sources.is_empty()
    }

    /// Refuses what is too long, holds what cannot be seen, or names a source twice. Hosts are another
    /// matter: which are allowed may change.
    ///
    /// # Errors
    ///
    /// 400 with the field.
    pub fn check(&self) -> Result<(), ApiError> {
        let long = |field: &'static str, has: usize, most: usize| {
            ApiError::field(field, format!("{field} has {has} bytes, {most} at most"))
        };
        if self.system.len() > MAX_SYSTEM {
            return Err(long("system", self.system.len(), MAX_SYSTEM));
        }
        check_page(self.system.as_bytes())
            .map_err(|error| ApiError::field("system", error.to_string()))?;
        if let Some(goal) = &self.goal {
            if goal.len() > MAX_GOAL {
                return Err(long("goal", goal.len(), MAX_GOAL));
            }
            check(goal.as_bytes()).map_err(|error| ApiError::field("goal", error.to_string()))?;
        }
        if self.sources.len() > MAX_SOURCES {
            let message =
                format!("{} sources are named, {MAX_SOURCES} at most", self.sources.len());
            return Err(ApiError::field("sources", message));
        }
        for (place, source) in self.sources.iter().enumerate() {
            if source.len() > MAX_URL {
                return Err(long("sources", source.len(), MAX_URL));
            }
            if self.sources[..place].contains(source) {
                return Err(ApiError::field("sources", format!("{source:?} is named twice")));
            }
        }
        Ok(())
    }
}

/// The text that the owner signs, between `<Bytes>` and `</Bytes>`. No two documents have the same one: every
/// line before the system text is one line, and how long that is stands before it.
pub fn text(
    genesis: &[u8; 32],
    adapter: JobId,
    owner: &AccountId,
    version: u32,
    instructions: &Instructions,
) -> String {
    let Instructions { system, goal, sources } = instructions;
    let goal = goal.as_ref().map(|goal| format!("Goal: {goal}\n")).unwrap_or_default();
    let listed: String = sources.iter().map(|source| format!("- {source}\n")).collect();
    format!(
        "Tell an adapter on OpenLedger how to answer, and which documentation to ask. Nothing is paid and no \
         transaction is sent.\n\n\
         Domain: openledger:agent-instructions:1\n\
         Genesis: {}\n\
         Adapter: {adapter}\n\
         Owner: {owner}\n\
         Version: {version}\n\
         {goal}\
         Sources: {}\n\
         {listed}\
         System: {} bytes\n\n\
         {system}",
        hex::encode(genesis),
        sources.len(),
        system.len(),
    )
}

/// The file on IPFS: the signed text with its signature, so that whoever has it needs to trust nobody.
#[derive(Debug, Serialize)]
pub(super) struct Signed<'a> {
    /// SS58.
    pub account: String,
    /// Hexadecimal.
    pub signature: String,
    /// What is signed.
    pub text: &'a str,
}

impl Signed<'_> {
    pub(super) fn file(&self) -> Result<Vec<u8>, ApiError> {
        let mut file = serde_json::to_vec(self)
            .map_err(|error| ApiError::internal("writing instructions", &error))?;
        file.push(b'\n');
        Ok(file)
    }
}
