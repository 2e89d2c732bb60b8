//! A server with small limits, and clients by hand.

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::Router;
use openledger_http::{accept, Limits, Policy};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// Says the status as JSON; 127.0.0.99 is a proxy.
struct Words;

impl Policy for Words {
    fn refusal(&self, status: StatusCode) -> String {
        format!("{{\"status\":{}}}", status.as_u16())
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        address == IpAddr::from([127, 0, 0, 99])
    }
}

/// A server; it ends when dropped.
pub struct Server {
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Server {
    pub async fn start(connections: usize, of_address: usize) -> Self {
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/wait", get(std::future::pending::<&'static str>))
            .route("/length", post(|body: axum::body::Bytes| async move { body.len().to_string() }))
            .route("/trap", get(trap));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            connections,
            of_address,
            headers: 20,
            header_time: Duration::from_secs(30),
            write_time: Duration::from_secs(5),
        };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(accept(listener, router, Arc::new(limits), Arc::new(Words), stopped));
        Self { address, stop }
    }

    /// A connection from 127.0.0.`from`, on which `text` is sent.
    pub async fn connect(&self, from: u8, text: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into()).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// What is answered to a request, to the end of the connection.
    pub async fn ask(&self, from: u8, text: &str) -> String {
        whole(self.connect(from, text).await).await
    }
}

/// A body whose second piece looks like the beginning of an answer that hyper gives by itself.
async fn trap() -> axum::body::Body {
    let pieces = ["first\n", "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"];
    axum::body::Body::from_stream(futures::stream::unfold(0, move |place| async move {
        let piece = pieces.get(place)?;
        // What came before is sent by now.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Some((Ok::<_, std::io::Error>(*piece), place + 1))
    }))
}

pub const GET: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Everything that comes, or a failure after a while.
pub async fn whole(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let read = tokio::time::timeout(Duration::from_secs(10), read).await.expect("an end in time");
    let _ = read;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the other side has closed a connection by now, without a word.
pub async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut [0; 8])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

/// The status and the body of an answer.
pub fn parts(answer: &str) -> (u16, &str) {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("no answer: {answer:?}")), body)
}
