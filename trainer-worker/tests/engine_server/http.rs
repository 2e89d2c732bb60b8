//! The program as a child process, and a client that can do what no proper client does.

use crate::common::{lora_config, random, real_model, real_model_path};
use openledger_engine::lora::Adapter;
use openledger_engine::peft;
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// The base's name in all tests.
pub const BASE: &str = "smol";

pub struct Server {
    child: Child,
    /// What it says when it starts.
    pub start: Value,
    pub address: String,
    log: Option<JoinHandle<String>>,
    /// Adapters that it was given.
    _adapters: Option<tempfile::TempDir>,
}

impl Server {
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
            .args(["serve", "--json", "--name", BASE, "--address", "127.0.0.1:0"])
            .args(["--kv-memory", "400", "--threads", "2", "--model"])
            .arg(real_model_path())
            .args(args)
            .env("RUST_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut log = child.stderr.take().expect("its log");
        let log = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            log.read_to_end(&mut bytes).expect("the log is read");
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        out.read_line(&mut line).expect("a line");
        if line.is_empty() {
            child.wait().expect("ends");
            panic!("did not start: {}", log.join().expect("a log"));
        }
        let start: Value = serde_json::from_str(&line).expect("JSON");
        let address = start["address"].as_str().expect("an address");
        let address = address.strip_prefix("http://").expect("http").to_owned();
        Self { child, start, address, log: Some(log), _adapters: None }
    }

    /// One that tests share that are run at the same time, with the adapter `tone`.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let dir = tempfile::tempdir().expect("a folder");
        write_adapter(&dir.path().join("tone"), 1);
        let adapter = format!("tone={}", dir.path().join("tone").display());
        let mut server = Self::start(&["--adapter", &adapter]);
        server._adapters = Some(dir);
        let server = Arc::new(server);
        *shared = Arc::downgrade(&server);
        server
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a loss of power would.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Waits for its end, and gives its log.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("ends");
        let log = self.log.take().expect("once").join().expect("a log");
        (status, log)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time");
        stream
    }

    /// Sends bytes as they are, and reads all that comes until the connection is closed.
    pub fn raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        // A server that refuses early may have closed before all is sent.
        let _ = stream.write_all(bytes);
        Reply::read(&mut stream)
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.raw(request(method, path, headers, body).as_bytes())
    }

    pub fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.request("POST", path, &[], &body.to_string())
    }

    /// A JSON answer of status 200.
    pub fn ask(&self, path: &str, body: &Value) -> Value {
        let reply = self.post(path, body);
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        reply.json()
    }

    /// The events of a stream.
    pub fn stream(&self, path: &str, body: &Value) -> Vec<Event> {
        let mut body = body.clone();
        body["stream"] = true.into();
        let reply = self.post(path, &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("content-type"), Some("text/event-stream"));
        events(&reply.text())
    }

    /// What one of its metrics says.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text.lines().find(|line| line.starts_with(&format!("openledger_{name} ")));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a metric")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request that ends its connection.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    if !given("host") {
        text.push_str("host: localhost\r\n");
    }
    if !body.is_empty() {
        if !given("content-type") {
            text.push_str("content-type: application/json\r\n");
        }
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "\r\n" + body
}

/// A request whose answer does not end by itself: the model's end tokens are never drawn.
pub fn endless(headers: &[(&str, &str)], stream: bool) -> String {
    let body = json!({
        "model": BASE, "prompt": "One, two,", "max_tokens": 4000, "temperature": 1.5, "stream": stream,
        "logit_bias": { "0": -100, "2": -100 },
    });
    request("POST", "/v1/completions", headers, &body.to_string())
}

/// An event of a stream.
#[derive(Debug, Clone)]
pub struct Event {
    pub name: Option<String>,
    /// Its JSON, or a text such as `[DONE]`.
    pub data: Value,
}

pub fn events(text: &str) -> Vec<Event> {
    let blocks = text.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':'));
    blocks
        .map(|block| {
            let field = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
            };
            let data = field("data: ").unwrap_or_else(|| panic!("no data in {block:?}"));
            let data = serde_json::from_str(&data).unwrap_or(Value::String(data));
            Event { name: field("event: "), data }
        })
        .collect()
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        // What came before a connection was reset counts.
        let _ = stream.read_to_end(&mut bytes);
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().expect("a status").split(' ').nth(1).expect("a status");
        let header = |line: &str| {
            let (name, value) = line.split_once(':').expect("a header");
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers: Vec<_> = lines.map(header).collect();
        let chunked = headers.iter().any(|(n, v)| n == "transfer-encoding" && v == "chunked");
        let body = &bytes[end + 4..];
        let body = if chunked { dechunked(body) } else { body.to_vec() };
        Self { status: status.parse().expect("a number"), headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// Asserts a refusal in OpenAI's shape, and gives its message.
    pub fn refused(&self, status: u16, code: &str, param: Option<&str>) -> String {
        let told = self.json();
        assert_eq!(self.status, status, "{told}");
        let error = told["error"].as_object().expect("an error");
        let names: Vec<&str> = error.keys().map(String::as_str).collect();
        assert_eq!(names, ["code", "message", "param", "type"]);
        assert_eq!(error["code"], code, "{told}");
        assert_eq!(error["param"].as_str(), param, "{told}");
        error["message"].as_str().expect("a message").to_owned()
    }
}

fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") {
        let size = String::from_utf8_lossy(&bytes[..end]);
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        let (from, to) = (end + 2, end + 2 + size);
        if size == 0 || to > bytes.len() {
            break;
        }
        whole.extend_from_slice(&bytes[from..to]);
        bytes = &bytes[to + 2..];
    }
    whole
}

/// An adapter of the real model that changes what it says.
pub fn write_adapter(dir: &Path, seed: u64) {
    let (model, _) = real_model();
    let config = lora_config(&model, 4, 8.0, &["q_proj", "v_proj"]);
    let mut adapter = Adapter::new(config, &model.config, seed);
    for (layer, values) in adapter.layers.iter_mut().enumerate() {
        *values = random(seed + layer as u64, values.len(), 0.5);
    }
    peft::save(dir, &adapter, "SmolLM2-135M-Instruct").expect("saved");
}
