//! Requests to other servers: where they may go, and that they go there.
//!
//! A name is resolved once, every address that it has is judged, and the connection is made to one of
//! those very addresses, so that a name that answers otherwise a moment later changes nothing. Redirects
//! are not followed: the address that they name would have to be judged anew, and a server of answers has
//! no reason to send one. Proxies of the environment are not used.

use async_trait::async_trait;
use axum::http::{header, HeaderValue, Method, Request, Response, Uri};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{crypto::ring, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Time for a name, for a connection, and for TLS.
const CONNECT: Duration = Duration::from_secs(5);
/// Time until the head of an answer is there: an adapter may have to be fetched first.
const ANSWER: Duration = Duration::from_secs(130);
/// Addresses of a name that are looked at; one that has more is refused.
const MAX_ADDRESSES: usize = 16;
/// Bytes of an answer's head.
const MAX_HEAD: usize = 64 << 10;

/// Why a request did not go out, or was not answered.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The address is none.
    #[error("{url:?} is no address of a server: {reason}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The name has no address.
    #[error("{host} has no address: {reason}")]
    Name {
        /// The name.
        host: String,
        /// Why.
        reason: String,
    },
    /// The name leads to where this gateway does not go.
    #[error("{host} leads to {address}, which is not {wanted}")]
    Forbidden {
        /// The name.
        host: String,
        /// An address of it.
        address: IpAddr,
        /// What it should be.
        wanted: &'static str,
    },
    /// It does not answer.
    #[error("{host} does not answer: {reason}")]
    Unreachable {
        /// The name.
        host: String,
        /// Why.
        reason: String,
    },
    /// It sends elsewhere.
    #[error("{host} redirects (status {status}); redirects are not followed")]
    Redirect {
        /// The name.
        host: String,
        /// The answer's status.
        status: u16,
    },
}

/// Who says that a server may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The operator's configuration: https anywhere, http on this machine only.
    Operator,
    /// Text that anyone can write, on the operator's list: https at public addresses only.
    Listed,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    https: bool,
    host: String,
    port: u16,
    path: String,
}

impl Target {
    /// Reads an address: scheme, host, perhaps a port, perhaps a path (`/v1` where there is none).
    ///
    /// # Errors
    ///
    /// [`OutsideError::Address`].
    pub fn parse(url: &str) -> Result<Self, OutsideError> {
        let (mut target, uri) = Self::split(url)?;
        if uri.query().is_some() || url.contains('#') {
            let reason = "it has neither a query nor a fragment";
            return Err(OutsideError::Address { url: url.chars().take(200).collect(), reason });
        }
        let path = uri.path().trim_end_matches('/');
        target.path = if path.is_empty() { "/v1" } else { path }.to_owned();
        Ok(target)
    }

    /// Reads the address of a page: its server, and path and query apart.
    ///
    /// # Errors
    ///
    /// [`OutsideError::Address`].
    pub fn page(url: &str) -> Result<(Self, String), OutsideError> {
        let (target, uri) = Self::split(url)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok((target, path.to_owned()))
    }

    /// The server of an address, without a path, and all of it.
    fn split(url: &str) -> Result<(Self, Uri), OutsideError> {
        let wrong = |reason| OutsideError::Address { url: url.chars().take(200).collect(), reason };
        let uri: Uri = url.parse().map_err(|_| wrong("it cannot be read"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it begins with https:// or http://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("names and passwords do not belong in it"));
        }
        let host = authority.host().to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() || bare.ends_with('.') {
            return Err(wrong("it names no host"));
        }
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let target = Self { https, host: bare.to_owned(), port, path: String::new() };
        Ok((target, uri))
    }

    /// Scheme, host and port: what an operator's list names.
    pub fn origin(&self) -> (bool, &str, u16) {
        (self.https, &self.host, self.port)
    }

    /// Host, and port where it is not the usual one, as they stand in an address.
    pub fn authority(&self) -> String {
        let host = match self.host.parse::<Ipv6Addr>() {
            Ok(six) => format!("[{six}]"),
            Err(_) => self.host.clone(),
        };
        match (self.https, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    fn judge(&self, address: IpAddr, trust: Trust) -> Result<(), OutsideError> {
        let wanted = match trust {
            Trust::Operator if self.https || address.is_loopback() => return Ok(()),
            Trust::Operator => "this machine; give https:// for another one",
            Trust::Listed if is_public(address) => return Ok(()),
            Trust::Listed => "a public address",
        };
        Err(OutsideError::Forbidden { host: self.host.clone(), address, wanted })
    }
}

/// Whether an address can be reached by anyone on the Internet, and is no door to something else: not
/// private, local, shared, reserved, for documentation, benchmarks or multicast, nor an IPv6 form that
/// carries such an IPv4 address (IANA's special-purpose registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_public_four(four),
        IpAddr::V6(six) => is_public_six(six),
    }
}

fn is_public_four(four: Ipv4Addr) -> bool {
    let [a, b, c, _] = four.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 88, 99)
            | (192, 168, _)
            | (192, 175, 48)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_six(six: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = six.segments();
    let carried = |high: u16, low: u16| {
        let [w, x] = high.to_be_bytes();
        let [y, z] = low.to_be_bytes();
        is_public_four(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b, c, d, e, f) {
        // NAT64 and 6to4 lead to the IPv4 address within.
        (0x64, 0xff9b, 0, 0, 0, 0) => carried(g, h),
        (0x2002, high, low, _, _, _) => carried(high, low),
        // Teredo, benchmarks, ORCHID and documentation.
        (0x2001, 0..=0x01ff | 0x0db8, _, _, _, _) | (0x3fff, 0..=0x0fff, _, _, _, _) => false,
        // Global unicast is all that is assigned; mapped, local and multicast addresses lie elsewhere.
        (0x2000..=0x3fff, _, _, _, _, _) => true,
        _ => false,
    }
}

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All of them.
    ///
    /// # Errors
    ///
    /// Where there are none.
    async fn resolve(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
pub struct System;

#[async_trait]
impl Resolve for System {
    async fn resolve(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Makes requests.
#[derive(Clone)]
pub struct Outside {
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

/// An answer whose connection ends when it is dropped.
pub struct Answer {
    /// Head and body.
    pub response: Response<Incoming>,
    /// Ends the connection.
    pub connection: Connection,
}

/// Ends a connection when it is dropped, and so the answer that comes on it.
pub struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Outside {
    /// With a resolver, trusting Mozilla's certificates.
    ///
    /// # Errors
    ///
    /// Where TLS cannot be set up.
    pub fn new(resolver: Arc<dyn Resolve>) -> Result<Self, tokio_rustls::rustls::Error> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { resolver, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// The addresses that a request to a target would go to.
    ///
    /// # Errors
    ///
    /// [`OutsideError`] where even one of them is not allowed: a name that leads to a public and to a
    /// private address is a trap.
    pub async fn addresses(
        &self,
        target: &Target,
        trust: Trust,
    ) -> Result<Vec<SocketAddr>, OutsideError> {
        let host = || target.host.clone();
        if trust == Trust::Listed && !target.https {
            let url = format!("http://{}", target.authority());
            return Err(OutsideError::Address { url, reason: "it begins with https://" });
        }
        let found = match target.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => tokio::time::timeout(CONNECT, self.resolver.resolve(&target.host))
                .await
                .map_err(|_| OutsideError::Name { host: host(), reason: "too slow".to_owned() })?
                .map_err(|e| OutsideError::Name { host: host(), reason: e.to_string() })?,
        };
        if found.is_empty() || found.len() > MAX_ADDRESSES {
            let reason = format!("{} addresses; it may have 1 to {MAX_ADDRESSES}", found.len());
            return Err(OutsideError::Name { host: host(), reason });
        }
        for address in &found {
            target.judge(*address, trust)?;
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, target.port)).collect())
    }

    async fn connect(
        &self,
        target: &Target,
        trust: Trust,
    ) -> Result<Box<dyn Stream>, OutsideError> {
        let failed =
            |reason: String| OutsideError::Unreachable { host: target.host.clone(), reason };
        let mut last = String::new();
        for address in self.addresses(target, trust).await? {
            let stream = match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    last = error.to_string();
                    continue;
                }
                Err(_) => {
                    last = format!("no connection within {} s", CONNECT.as_secs());
                    continue;
                }
            };
            if !target.https {
                return Ok(Box::new(stream));
            }
            let name =
                ServerName::try_from(target.host.clone()).map_err(|e| failed(e.to_string()))?;
            let stream = tokio::time::timeout(CONNECT, self.tls.connect(name, stream)).await;
            let stream = stream.map_err(|_| failed("TLS took too long".to_owned()))?;
            return Ok(Box::new(stream.map_err(|error| failed(error.to_string()))?));
        }
        Err(failed(last))
    }

    /// Asks a server of answers and waits for the head of its answer.
    ///
    /// # Errors
    ///
    /// [`OutsideError`]. An answer with an error's status is an answer, a redirect is none.
    pub async fn request(
        &self,
        target: &Target,
        trust: Trust,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> Result<Answer, OutsideError> {
        let failed =
            |reason: String| OutsideError::Unreachable { host: target.host.clone(), reason };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", target.path))
            .header(header::ACCEPT, "application/json, text/event-stream");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| failed("its key cannot stand in a header".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(Full::new(body)).map_err(|error| failed(error.to_string()))?;
        let answer = self.send(target, trust, request).await?;
        if answer.response.status().is_redirection() {
            let status = answer.response.status().as_u16();
            return Err(OutsideError::Redirect { host: target.host.clone(), status });
        }
        Ok(answer)
    }

    /// Asks for a page of text, uncompressed, and waits for the head of the answer, which may be a redirect.
    ///
    /// # Errors
    ///
    /// [`OutsideError`].
    pub async fn page(
        &self,
        target: &Target,
        trust: Trust,
        path: &str,
    ) -> Result<Answer, OutsideError> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(path)
            .header(header::ACCEPT, "text/markdown, text/plain;q=0.5")
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::USER_AGENT, concat!("openledger-gateway/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::new()));
        let failed =
            |reason: String| OutsideError::Unreachable { host: target.host.clone(), reason };
        let request = request.map_err(|error| failed(error.to_string()))?;
        self.send(target, trust, request).await
    }

    /// Sends a request on a connection of its own.
    async fn send(
        &self,
        target: &Target,
        trust: Trust,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Answer, OutsideError> {
        let failed =
            |reason: String| OutsideError::Unreachable { host: target.host.clone(), reason };
        let host = HeaderValue::from_str(&target.authority())
            .map_err(|_| failed("its name cannot stand in a header".to_owned()))?;
        request.headers_mut().insert(header::HOST, host);
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        let stream = self.connect(target, trust).await?;
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to another server ended");
            }
        });
        let connection = Connection(task.abort_handle());
        let response = tokio::time::timeout(ANSWER, sender.send_request(request)).await;
        let response = response
            .map_err(|_| failed(format!("no answer within {} s", ANSWER.as_secs())))?
            .map_err(|error| failed(error.to_string()))?;
        Ok(Answer { response, connection })
    }
}
