//! The servers of answers that the operator names.

use super::outside::{OutsideError, Target, Trust};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Most bytes of a key's file.
const MAX_KEY: usize = 4_096;

/// `NAME=URL` or `NAME=URL,key-file=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerArgument {
    name: String,
    target: Target,
    key_file: Option<PathBuf>,
}

impl FromStr for ServerArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rest) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is not NAME=URL[,key-file=PATH]"))?;
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(letter) {
            return Err(format!(
                "the name {name:?} has 1 to 64 letters, digits, dots, hyphens and underscores"
            ));
        }
        let (url, key_file) = match rest.split_once(",key-file=") {
            Some((url, path)) => (url, Some(PathBuf::from(path))),
            None => (rest, None),
        };
        let target = Target::parse(url).map_err(|error| error.to_string())?;
        Ok(Self { name: name.to_owned(), target, key_file })
    }
}

/// The origin of a worker's endpoint that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed(Target);

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let target = Target::parse(text).map_err(|error| error.to_string())?;
        match target.origin() {
            (true, ..) => Ok(Self(target)),
            _ => Err(format!("{text:?}: workers are asked over https:// only")),
        }
    }
}

/// A server that may be asked.
#[derive(Clone)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub target: Target,
    /// Who says that it may be asked.
    pub trust: Trust,
    /// The key that it asks for; never shown.
    pub key: Option<String>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({} at {:?})", self.name, self.target)
    }
}

impl Server {
    /// The operator's servers, with their keys read.
    ///
    /// # Errors
    ///
    /// In words: a name that is given twice, or a file that holds no key.
    pub fn all(arguments: &[ServerArgument]) -> Result<Vec<Self>, String> {
        let mut servers: Vec<Self> = Vec::new();
        for ServerArgument { name, target, key_file } in arguments {
            if servers.iter().any(|server| server.name == *name) {
                return Err(format!("--chat-server names {name} twice"));
            }
            let key = key_file.as_deref().map(read_key).transpose()?;
            let (name, target) = (name.clone(), target.clone());
            servers.push(Self { name, target, trust: Trust::Operator, key });
        }
        Ok(servers)
    }

    /// A worker's server, where its endpoint is one that the operator allows. It gets no key of ours.
    ///
    /// # Errors
    ///
    /// [`OutsideError::Address`] for an endpoint that is none, and nothing for one that is not allowed.
    pub fn of_worker(
        name: &str,
        endpoint: &str,
        allowed: &[Allowed],
    ) -> Result<Option<Self>, OutsideError> {
        let target = Target::parse(endpoint)?;
        let listed = allowed.iter().any(|Allowed(other)| other.origin() == target.origin());
        let server = Self { name: name.to_owned(), target, trust: Trust::Listed, key: None };
        Ok(listed.then_some(server))
    }
}

fn read_key(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("the key file {shown}: {error}"))?;
    if bytes.len() > MAX_KEY {
        return Err(format!("the key file {shown} has {} bytes, {MAX_KEY} at most", bytes.len()));
    }
    let text = String::from_utf8(bytes).unwrap_or_default();
    let key = text.trim();
    let visible = key.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    match key.is_empty() || !visible {
        true => Err(format!("the key file {shown} holds no key: one line of letters and signs")),
        false => Ok(key.to_owned()),
    }
}
