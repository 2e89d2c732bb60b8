//! The web app: one build within the program, or a folder that the operator names.
//!
//! Files under `assets/` carry a hash of what they hold in their names and are kept for ever by browsers;
//! everything else is asked for each time. An address without a file is a page of the app.

use crate::app::Shared;
use crate::server::{unknown, wrong_method};
use axum::extract::State;
use axum::http::{header, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use include_dir::{include_dir, Dir};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

static EMBEDDED: Dir<'_> = include_dir!("$OUT_DIR/web");

/// More is no web app.
const MAX_FILES: usize = 2000;
/// Bytes of a file of the web app, at most.
const MAX_FILE: u64 = 32 << 20;

/// The files of the web app by their path.
#[derive(Default)]
pub struct Web {
    files: BTreeMap<String, Bytes>,
}

impl Web {
    /// The build within the program.
    pub fn embedded() -> Self {
        let mut web = Self::default();
        let mut folders = vec![&EMBEDDED];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            for file in folder.files() {
                if let Some(path) = file.path().to_str().filter(|path| is_served(path)) {
                    web.files.insert(path.to_owned(), Bytes::from_static(file.contents()));
                }
            }
        }
        web
    }

    /// The build in a folder, read once.
    ///
    /// # Errors
    /// What cannot be read, or is no web app.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let mut web = Self::default();
        let mut folders = vec![directory.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let size = path.metadata()?.len();
                if size > MAX_FILE || web.files.len() >= MAX_FILES {
                    let reason = format!(
                        "{} is no web app: more than {MAX_FILES} files, or one of more than {MAX_FILE} bytes",
                        directory.display()
                    );
                    return Err(io::Error::other(reason));
                }
                let name = path.strip_prefix(directory).ok().and_then(Path::to_str);
                if let Some(name) = name.filter(|name| is_served(name)) {
                    web.files.insert(name.to_owned(), std::fs::read(&path)?.into());
                }
            }
        }
        if !web.files.contains_key("index.html") {
            let reason = format!("there is no index.html in {}", directory.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, reason));
        }
        Ok(web)
    }

    /// Whether there are pages.
    pub fn is_there(&self) -> bool {
        self.files.contains_key("index.html")
    }
}

/// Any address that no route of the API takes.
pub async fn page(
    State(app): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let web = &app.web;
    if method != Method::GET && method != Method::HEAD {
        return wrong_method(method, uri).await.into_response();
    }
    if !web.is_there() {
        let text = "This gateway was built without the web app. Build it with `npm ci --ignore-scripts && npm \
                    run build` in web/ and build the gateway again, or start it with --web DIR.\n\
                    The API is described at /openapi.json.\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    }
    let path = uri.path().trim_start_matches('/');
    // What is packed goes out under the name of what is in it.
    let is_packed = [".br", ".gz"]
        .iter()
        .any(|ending| path.strip_suffix(ending).is_some_and(|plain| web.files.contains_key(plain)));
    let (path, status) = match web.files.contains_key(path) && !is_packed {
        true => (path, StatusCode::OK),
        // A file that is not there is no page: whoever asks for it wants no HTML.
        false if is_file(path) => return unknown(uri).await.into_response(),
        false => ("index.html", StatusCode::OK),
    };
    let accepts = |coding: &str| {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let mut accepted = accepted.unwrap_or("").split(',');
        accepted.any(|given| given.split(';').next().unwrap_or("").trim() == coding)
    };
    let packed = [("br", ".br"), ("gzip", ".gz")].into_iter().find_map(|(coding, ending)| {
        let bytes = web.files.get(&format!("{path}{ending}"))?;
        accepts(coding).then_some((bytes, Some(coding)))
    });
    let plain = || web.files.get(path).map(|bytes| (bytes, None));
    let Some((bytes, coding)) = packed.or_else(plain) else {
        return unknown(uri).await.into_response();
    };
    let mut response = (status, bytes.clone()).into_response();
    let carried = response.headers_mut();
    carried.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    carried.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        carried.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    if path == "index.html" {
        carried.insert(header::LINK, HeaderValue::from_static(crate::docs::LINKS));
    }
    let kept = match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    carried.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

/// Whether an address is that of a file, and of no page of the app: agents and browsers try such names.
fn is_file(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or("");
    path.starts_with("assets/") || path.starts_with(".well-known/") || last.contains('.')
}

/// Whether a file of a build is one of the app: not what the build notes for itself.
fn is_served(path: &str) -> bool {
    !path.split('/').any(|part| part.starts_with('.'))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
