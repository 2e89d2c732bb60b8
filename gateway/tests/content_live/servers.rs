//! Servers of answers that do what a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a server answers.
#[derive(Clone)]
pub struct Reply {
    head: String,
    /// Pieces, each after a pause.
    pieces: Vec<(Duration, Vec<u8>)>,
    /// Whether the connection stays open after the last one, with nothing more to come.
    hangs: bool,
}

impl Reply {
    pub fn json(status: u16, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status} S\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self { head, pieces: vec![(Duration::ZERO, body.into())], hangs: false }
    }

    /// An answer with these lines in its head, which comes after a pause.
    pub fn raw(lines: &str, pause: Duration, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}connection: close\r\n\r\n");
        Self { head, pieces: vec![(pause, body.to_vec())], hangs: false }
    }

    /// A page of documentation.
    pub fn markdown(body: &str) -> Self {
        let lines = format!(
            "content-type: text/markdown; charset=utf-8\r\ncontent-length: {}\r\n",
            body.len()
        );
        Self::raw(&lines, Duration::ZERO, body.as_bytes())
    }

    pub fn redirect(to: &str) -> Self {
        let head = format!("HTTP/1.1 307 S\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
        Self { head, pieces: Vec::new(), hangs: false }
    }

    /// A stream of events.
    pub fn events(pieces: &[&str]) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\
                    x-openledger-adapter: openledger:7\r\nx-openledger-adapter-sha256: abab\r\n\
                    x-secret: inside\r\n\r\n"
            .to_owned();
        let pieces =
            pieces.iter().map(|piece| (Duration::from_millis(20), piece.as_bytes().to_vec()));
        Self { head, pieces: pieces.collect(), hangs: false }
    }

    pub fn hanging(self) -> Self {
        Self { hangs: true, ..self }
    }
}

/// A running server.
pub struct Fake {
    port: u16,
    requests: Arc<Mutex<Vec<(String, String)>>>,
    gone: watch::Receiver<usize>,
}

impl Fake {
    pub async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let (left, gone) = watch::channel(0);
        let (seen, answer, left) = (requests.clone(), Arc::new(answer), Arc::new(left));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer, left) = (seen.clone(), answer.clone(), left.clone());
                tokio::spawn(async move { serve(stream, &seen, &*answer, &left).await });
            }
        });
        Self { port, requests, gone }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The heads of the requests that came.
    pub fn heads(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(head, _)| head.clone()).collect()
    }

    /// Their bodies.
    pub fn bodies(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    /// Waits until a client has gone in the middle of an answer.
    pub async fn client_gone(&mut self) {
        let gone = self.gone.wait_for(|gone| *gone > 0);
        tokio::time::timeout(Duration::from_secs(5), gone).await.expect("in time").unwrap();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<(String, String)>>,
    answer: &(dyn Fn(&str) -> Reply + Send + Sync),
    left: &watch::Sender<usize>,
) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 4096];
        let Ok(count) = stream.read(&mut part).await else { return };
        if count == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let Reply { head: answered, pieces, hangs } = answer(&head);
    seen.lock().unwrap().push((head, body));
    let _ = stream.write_all(answered.as_bytes()).await;
    for (pause, piece) in pieces {
        tokio::time::sleep(pause).await;
        if stream.write_all(&piece).await.is_err() {
            left.send_modify(|gone| *gone += 1);
            return;
        }
    }
    if hangs {
        // The end of what the client sends is its going.
        let mut rest = [0; 16];
        let _ = stream.read(&mut rest).await;
        left.send_modify(|gone| *gone += 1);
    }
}
