//! Which sources may be asked, and where a page of theirs is.

use super::document::OWN;
use crate::chat::outside::{OutsideError, Target, Trust};
use crate::error::ApiError;
use std::fmt;
use std::str::FromStr;

/// A host whose documentation may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnowledgeHost {
    target: Target,
}

impl KnowledgeHost {
    fn trust(&self) -> Trust {
        match self.target.origin() {
            (true, ..) => Trust::Listed,
            // Named by the operator with its scheme; `Outside` holds it to this machine.
            (false, ..) => Trust::Operator,
        }
    }
}

impl FromStr for KnowledgeHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = match text.contains("://") {
            true => text.to_owned(),
            false => format!("https://{text}"),
        };
        let (target, path) = Target::page(&url).map_err(|error| error.to_string())?;
        match path == "/" && !text.ends_with('/') {
            true => Ok(Self { target }),
            false => {
                Err(format!("{text:?} is no host: give a name, and perhaps a port, without a path"))
            }
        }
    }
}

impl fmt::Display for KnowledgeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target.origin() {
            (true, ..) => f.write_str(&self.target.authority()),
            (false, ..) => write!(f, "http://{}", self.target.authority()),
        }
    }
}

/// A page that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its server.
    pub target: Target,
    /// Who says that it may be asked.
    pub trust: Trust,
    /// Path and query.
    pub path: String,
}

impl Page {
    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        let (https, ..) = self.target.origin();
        format!("{}://{}", if https { "https" } else { "http" }, self.target.authority())
    }

    /// The page of an address, where its host is allowed.
    ///
    /// # Errors
    ///
    /// [`PageError`].
    pub fn parse(url: &str, hosts: &[KnowledgeHost]) -> Result<Self, PageError> {
        let (target, path) = Target::page(url)?;
        let host = hosts.iter().find(|host| host.target.origin() == target.origin());
        let trust = host
            .map(KnowledgeHost::trust)
            .ok_or_else(|| PageError::NotAllowed { host: target.authority() })?;
        Ok(Self { target, trust, path })
    }

    /// Where a redirect leads, which must be allowed as well. One from outside never leads to this machine.
    ///
    /// # Errors
    ///
    /// [`PageError`].
    pub fn redirected(&self, location: &str, hosts: &[KnowledgeHost]) -> Result<Self, PageError> {
        let whole = match location {
            whole if whole.contains("://") => whole.to_owned(),
            beside if beside.starts_with("//") => format!("https:{beside}"),
            within if within.starts_with('/') => format!("{}{within}", self.origin()),
            _ => return Err(PageError::Location),
        };
        let next = Self::parse(&whole, hosts)?;
        match (self.trust, next.trust) {
            (Trust::Listed, Trust::Operator) => {
                Err(PageError::NotAllowed { host: next.target.authority() })
            }
            _ => Ok(next),
        }
    }
}

/// Why a page may not be asked.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] OutsideError),
    /// The operator does not allow the host.
    #[error(
        "{host} is not among the hosts that this gateway's operator allows (--knowledge-host)"
    )]
    NotAllowed {
        /// Name and port.
        host: String,
    },
    /// A redirect that names no address.
    #[error("its redirect names no address")]
    Location,
}

/// The page that is asked of a source's address: the markdown twin of what it names.
pub(super) fn markdown(source: &str, hosts: &[KnowledgeHost]) -> Result<Page, ApiError> {
    let wrong = |message: String| ApiError::field("sources", message);
    let shown: String = source.chars().take(100).collect();
    if source.contains(['?', '#', '<', '[', '\\']) || !source.is_ascii() {
        let message =
            format!("{shown:?} is no source: give \"{OWN}\" or a page's address without a query");
        return Err(wrong(message));
    }
    let mut page = Page::parse(source, hosts).map_err(|error| wrong(error.to_string()))?;
    if page.path.ends_with('/') {
        page.path.push_str("readme");
    }
    if !page.path.ends_with(".md") {
        page.path.push_str(".md");
    }
    Ok(page)
}
