//! HTTP to programs on this machine, one request a connection.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Most bytes of an answer.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Names in lower case with their values.
    headers: Vec<(String, String)>,
    /// The body, its chunks put together.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

fn send(
    port: u16,
    method: &str,
    path: &str,
    body: &str,
    patience: Duration,
) -> std::io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

/// Sends JSON to a port and reads the answer: status code and body.
///
/// # Errors
///
/// If the connection fails, nothing comes for so long, or the answer is not HTTP.
pub fn post(
    port: u16,
    path: &str,
    body: &str,
    patience: Duration,
) -> std::io::Result<(u16, Vec<u8>)> {
    request(port, "POST", path, body, patience).map(|answer| (answer.status, answer.body))
}

/// Sends a request and reads the answer.
///
/// # Errors
///
/// As [`post`].
pub fn request(
    port: u16,
    method: &str,
    path: &str,
    body: &str,
    patience: Duration,
) -> std::io::Result<Response> {
    let mut answer = Vec::new();
    send(port, method, path, body, patience)?.take(MAX_ANSWER).read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| {
        std::io::Error::new(std::io::ErrorKind::InvalidData, "the answer is not HTTP/1.1")
    })
}

/// Posts JSON, waits for the first event of a stream, and goes away.
///
/// # Errors
///
/// As [`post`], and where the answer is no stream.
pub fn begin(port: u16, path: &str, body: &str, patience: Duration) -> std::io::Result<()> {
    let mut stream = send(port, "POST", path, body, patience)?;
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.windows(6).any(|window| window == b"data: ") {
        let count = stream.read(&mut part)?;
        let odd = count == 0 || answer.len() > 64 * 1024;
        if odd {
            let text = String::from_utf8_lossy(&answer).into_owned();
            return Err(std::io::Error::other(format!("no stream: {text}")));
        }
        answer.extend_from_slice(part.get(..count).unwrap_or_default());
    }
    Ok(())
}

/// An HTTP/1.1 answer.
fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let body = answer.get(end + 4..)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    });
    let body = if chunked { unchunk(body)? } else { body.to_vec() };
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Some(Response { status, headers: headers.collect(), body })
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
