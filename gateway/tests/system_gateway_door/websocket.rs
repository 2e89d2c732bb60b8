//! A WebSocket by hand, which can also send what a library would not.

use super::http::head;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};

/// A connection from an address of this machine.
pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// A WebSocket that is open.
pub struct WebSocket {
    pub reader: Reader,
    pub writer: Writer,
}

pub struct Reader(OwnedReadHalf);
pub struct Writer(OwnedWriteHalf);

impl WebSocket {
    /// Opens one at `/rpc`, or returns the status and the text of the refusal.
    pub async fn open(
        from: Ipv4Addr,
        to: SocketAddr,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, String)> {
        let mut stream = connect(from, to).await;
        let head = head(to, "GET", "/rpc", headers).replace("Connection: close\r\n", "")
            + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
               Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        let text = String::from_utf8(answer).unwrap();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        if status != 101 {
            return Err((status, text));
        }
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: Reader(reader), writer: Writer(writer) })
    }

    /// Calls a method and returns its answer.
    pub async fn call(&mut self, id: u32, method: &str, params: Value) -> Value {
        let call =
            serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.writer.text(&call.to_string()).await.unwrap();
        self.reader.json().await.expect("an answer")
    }
}

impl Writer {
    /// Sends a frame; the mask is zeros, which is one.
    pub async fn frame(&mut self, first: u8, bytes: &[u8]) -> std::io::Result<()> {
        let mut frame = vec![first];
        match bytes.len() {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length @ 126..=65_535 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(bytes);
        self.0.write_all(&frame).await
    }

    pub async fn text(&mut self, text: &str) -> std::io::Result<()> {
        self.frame(0x81, text.as_bytes()).await
    }
}

impl Reader {
    /// The next text; `None` once the other side has gone.
    pub async fn text(&mut self) -> Option<String> {
        tokio::time::timeout(Duration::from_secs(60), self.next())
            .await
            .expect("a frame in a minute")
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            let first = self.0.read_u8().await.ok()?;
            let length = match self.0.read_u8().await.ok()? {
                126 => u64::from(self.0.read_u16().await.ok()?),
                127 => self.0.read_u64().await.ok()?,
                length => length.into(),
            };
            let mut bytes = vec![0; length as usize];
            self.0.read_exact(&mut bytes).await.ok()?;
            match first {
                0x81 => return Some(String::from_utf8(bytes).unwrap()),
                0x88 => return None,
                _ => {}
            }
        }
    }

    pub async fn json(&mut self) -> Option<Value> {
        self.text().await.map(|text| serde_json::from_str(&text).unwrap())
    }
}
