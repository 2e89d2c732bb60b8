//! JSON-RPC over plain HTTP, byte for byte what `curl -d` would send.

use serde_json::{json, Value};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Most bytes of an answer.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The node could not be reached or did not speak HTTP.
    #[error("the node at 127.0.0.1:{port} does not answer: {cause}")]
    Unreachable {
        /// Its port.
        port: u16,
        /// What went wrong.
        cause: String,
    },
    /// The node answered with an error.
    #[error("{method}: the node answers error {code}, {message}")]
    Answered {
        /// What was asked.
        method: String,
        /// The JSON-RPC error code.
        code: i64,
        /// Its words.
        message: String,
    },
}

/// A node's JSON-RPC port on this machine.
#[derive(Clone, Debug)]
pub struct Rpc {
    port: u16,
}

impl Rpc {
    /// The node at a port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Calls a method with positional parameters.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let unreachable = |cause: String| RpcError::Unreachable { port: self.port, cause };
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (status, body) =
            self.post(&request.to_string()).map_err(|cause| unreachable(cause.to_string()))?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|cause| unreachable(format!("HTTP {status}, not JSON: {cause}")))?;
        if let Some(error) = answer.get("error") {
            return Err(RpcError::Answered {
                method: method.to_owned(),
                code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
                message: error
                    .get("message")
                    .and_then(Value::as_str)
                    .unwrap_or("(no words)")
                    .to_owned(),
            });
        }
        answer
            .get("result")
            .cloned()
            .ok_or_else(|| unreachable(format!("HTTP {status} without result or error")))
    }

    /// Sends one HTTP request and reads its answer: status code and body.
    ///
    /// # Errors
    ///
    /// If the connection fails or the answer is not HTTP.
    pub fn post(&self, body: &str) -> std::io::Result<(u16, Vec<u8>)> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
        parse(&answer).ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::InvalidData, "the answer is not HTTP/1.1")
        })
    }

    /// Number of the best block.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub fn block(&self) -> Result<u64, RpcError> {
        self.number_of(json!([]))
    }

    /// Number of the last finalised block.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub fn finalised(&self) -> Result<u64, RpcError> {
        let hash = self.call("chain_getFinalizedHead", json!([]))?;
        self.number_of(json!([hash]))
    }

    fn number_of(&self, params: Value) -> Result<u64, RpcError> {
        let header = self.call("chain_getHeader", params)?;
        let text = header.get("number").and_then(Value::as_str).unwrap_or("0x0");
        u64::from_str_radix(text.trim_start_matches("0x"), 16).map_err(|cause| {
            RpcError::Unreachable {
                port: self.port,
                cause: format!("block number {text}: {cause}"),
            }
        })
    }
}

/// Status code and body of an HTTP/1.1 answer.
fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let body = answer.get(end + 4..)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    });
    Some((status, if chunked { unchunk(body)? } else { body.to_vec() }))
}

/// The body of an answer in chunks.
fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(body.get(..end)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        let start = end + 2;
        whole.extend_from_slice(body.get(start..start.checked_add(size)?)?);
        body = body.get(start.checked_add(size)?.checked_add(2)?..)?;
    }
}
