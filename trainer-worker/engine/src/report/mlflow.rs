//! MLflow tracking by its REST API (version 2.0): experiment and run are created, parameters and
//! metrics logged in batches by a thread of its own.
//!
//! A server that is slow or away never holds up or stops a training: what could not be sent is kept
//! (up to a bound) and sent when the server answers again, and the caller is told.

use crate::error::{read_bounded, write_atomically, Error, Result};
use crate::http;
use serde_json::{json, Value};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use ureq::Agent;

/// File in the output folder that remembers the run, so that a resumed training continues it.
pub const FILE: &str = "mlflow_run.json";
/// Metrics a request; the API accepts 1,000.
const BATCH: usize = 500;
/// Parameters a request; the API accepts 100.
const PARAMETERS: usize = 100;
/// Metrics that wait for a server that is away.
const MAX_WAITING: usize = 50_000;
/// Longest value of a parameter that every version of the server accepts.
const MAX_VALUE: usize = 500;
/// Time for one request.
const CALL: Duration = Duration::from_secs(10);
/// Time that the end of a run waits for its last metrics.
const FAREWELL: Duration = Duration::from_secs(20);
/// Time between two sendings.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where and under which name a run is tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlflowSettings {
    /// Address of the server, `http://…` or `https://…`. User and password may be written into it;
    /// otherwise they come from `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or a
    /// token from `MLFLOW_TRACKING_TOKEN`.
    pub tracking_uri: String,
    /// Name of the experiment, created when there is none.
    pub experiment_name: String,
    /// Name of the run; the server invents one without it.
    pub run_name: Option<String>,
    /// Folder that keeps [`FILE`].
    pub directory: PathBuf,
    /// Whether to continue the run that the folder remembers.
    pub resume: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Completed.
    Finished,
    /// Ended by an error.
    Failed,
    /// Interrupted by its user.
    Killed,
}

impl RunStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
}

enum Order {
    Metrics(u64, Vec<(String, f64)>, u64),
    Finish(RunStatus),
}

/// A run that is being tracked.
#[derive(Debug)]
pub struct Mlflow {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Mlflow {
    /// Starts to track a run with these parameters. Nothing is sent yet when this returns; `tell`
    /// receives sentences about the run's address and about failures.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for an address that is neither http nor https.
    pub fn start(
        settings: MlflowSettings,
        parameters: Vec<(String, String)>,
        tell: impl Fn(&str) + Send + 'static,
    ) -> Result<Self> {
        let uri = settings.tracking_uri.trim_end_matches('/').to_owned();
        if !(uri.starts_with("http://") || uri.starts_with("https://")) {
            return Err(Error::Setting {
                name: "mlflow_tracking_uri",
                value: http::without_secrets(&uri),
                range: "an address that begins with http:// or https:// (a server started by \
                        `mlflow server`)"
                    .to_owned(),
            });
        }
        let (uri, authorization) = credentials(&uri);
        let agent = http::agent(Some(CALL))?;
        let (orders, receiver) = std::sync::mpsc::channel();
        let client = Client { agent, uri, authorization };
        let worker = Worker {
            client,
            settings,
            parameters,
            run: None,
            waiting: VecDeque::new(),
            dropped: 0,
            away: None,
            tell: Box::new(tell),
        };
        let thread = std::thread::Builder::new()
            .name("mlflow".to_owned())
            .spawn(move || worker.work(&receiver))
            .map_err(|e| Error::Threads { reason: e.to_string() })?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Logs metrics of a step. Never waits; values that are no numbers are left out.
    pub fn metrics(&self, step: u64, values: &[(&str, f64)]) {
        let values = values
            .iter()
            .filter(|(_, value)| value.is_finite())
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect();
        if let Some(orders) = &self.orders {
            // The thread lives as long as this sender.
            let _ = orders.send(Order::Metrics(step, values, milliseconds()));
        }
    }

    /// Sends what is left and ends the run; waits at most [`FAREWELL`] and a call.
    pub fn finish(mut self, status: RunStatus) {
        if let Some(orders) = self.orders.take() {
            let _ = orders.send(Order::Finish(status));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Mlflow {
    /// A run that is dropped has failed.
    fn drop(&mut self) {
        if let (Some(orders), Some(thread)) = (self.orders.take(), self.thread.take()) {
            let _ = orders.send(Order::Finish(RunStatus::Failed));
            let _ = thread.join();
        }
    }
}

/// Splits user and password off an address.
fn credentials(uri: &str) -> (String, Option<String>) {
    let variable = |name| std::env::var(name).ok().filter(|v: &String| !v.is_empty());
    if let Some((scheme, rest)) = uri.split_once("://") {
        let authority = rest.split('/').next().unwrap_or(rest);
        if let Some((user, _)) = authority.rsplit_once('@') {
            let address = rest.get(user.len() + 1..).unwrap_or(rest);
            return (format!("{scheme}://{address}"), Some(basic(user)));
        }
    }
    let authorization = match variable("MLFLOW_TRACKING_TOKEN") {
        Some(token) => Some(format!("Bearer {token}")),
        None => variable("MLFLOW_TRACKING_USERNAME").map(|user| {
            basic(&format!("{user}:{}", variable("MLFLOW_TRACKING_PASSWORD").unwrap_or_default()))
        }),
    };
    (uri.to_owned(), authorization)
}

/// Basic authorisation (RFC 7617).
fn basic(user_and_password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("Basic ");
    for chunk in user_and_password.as_bytes().chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

fn milliseconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

struct Client {
    agent: Agent,
    uri: String,
    authorization: Option<String>,
}

impl Client {
    fn post(&self, method: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/api/2.0/mlflow/{method}", self.uri);
        let mut request = self.agent.post(&url);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        self.read(&url, request.send_json(body))
    }

    fn get(&self, method: &str, query: (&str, &str)) -> Result<Value> {
        let url = format!("{}/api/2.0/mlflow/{method}", self.uri);
        let mut request = self.agent.get(&url).query(query.0, query.1);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        self.read(&url, request.call())
    }

    fn read(
        &self,
        url: &str,
        response: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value> {
        let mut response = response.map_err(|e| http::failed(url, &e))?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(http::MAX_ANSWER)
            .read_to_string()
            .map_err(|e| http::failed(url, &e))?;
        let answer: Option<Value> = serde_json::from_str(&text).ok();
        if (200..300).contains(&status) {
            return Ok(answer.unwrap_or(Value::Null));
        }
        let field = |name| answer.as_ref().and_then(|a| a.get(name)).and_then(Value::as_str);
        let code = field("error_code").unwrap_or("");
        let message: String = field("message").unwrap_or(&text).chars().take(300).collect();
        Err(Error::Http {
            url: http::without_secrets(url),
            reason: format!("status {status} {code} {message}").trim_end().to_owned(),
            // Too many requests and errors of the server pass; the rest would fail again.
            retry: status == 429 || status >= 500,
        })
    }
}

type Metric = (u64, String, f64, u64);

struct Worker {
    client: Client,
    settings: MlflowSettings,
    parameters: Vec<(String, String)>,
    run: Option<String>,
    waiting: VecDeque<Metric>,
    dropped: usize,
    /// Since the server is away: when to try again, and the present pause.
    away: Option<(Instant, Duration)>,
    tell: Box<dyn Fn(&str) + Send>,
}

impl Worker {
    fn work(mut self, orders: &Receiver<Order>) {
        let mut sent = Instant::now();
        self.send();
        let status = loop {
            match orders.recv_timeout(INTERVAL) {
                Ok(Order::Metrics(step, values, time)) => {
                    for (name, value) in values {
                        self.waiting.push_back((step, name, value, time));
                        if self.waiting.len() > MAX_WAITING {
                            self.waiting.pop_front();
                            self.dropped += 1;
                        }
                    }
                }
                Ok(Order::Finish(status)) => break status,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break RunStatus::Failed,
            }
            if sent.elapsed() >= INTERVAL {
                self.send();
                sent = Instant::now();
            }
        };
        let until = Instant::now() + FAREWELL;
        loop {
            self.send();
            if (self.run.is_some() && self.waiting.is_empty()) || self.client.uri.is_empty() {
                break;
            }
            if Instant::now() >= until {
                (self.tell)(&format!(
                    "MLflow: {} metrics could not be sent; trainer_state.json and the TensorBoard \
                     files hold them",
                    self.waiting.len() + self.dropped
                ));
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        if let Some(run) = &self.run {
            let body = json!({
                "run_id": run, "status": status.name(), "end_time": milliseconds(),
            });
            if let Err(error) = self.client.post("runs/update", &body) {
                (self.tell)(&format!("MLflow: the run could not be marked as ended: {error}"));
            }
        }
        if self.dropped > 0 {
            (self.tell)(&format!("MLflow: the {} oldest metrics were not sent", self.dropped));
        }
    }

    /// Sends what waits, unless the server was away a moment ago.
    fn send(&mut self) {
        if self.client.uri.is_empty() || self.away.is_some_and(|(until, _)| Instant::now() < until)
        {
            return;
        }
        match self.try_send() {
            Ok(()) => {
                if self.away.take().is_some() {
                    (self.tell)("MLflow: the server answers again");
                }
            }
            Err(Error::Http { url, reason, retry: true }) => {
                let pause = match self.away {
                    Some((_, pause)) => (pause * 2).min(Duration::from_secs(60)),
                    None => {
                        (self.tell)(&format!(
                            "MLflow: {url}: {reason}; the training goes on and tries again"
                        ));
                        Duration::from_secs(1)
                    }
                };
                self.away = Some((Instant::now() + pause, pause));
            }
            Err(error) => {
                (self.tell)(&format!("MLflow: {error}; the training goes on without MLflow"));
                self.client.uri.clear();
                self.waiting.clear();
            }
        }
    }

    fn try_send(&mut self) -> Result<()> {
        let run = match self.run.clone() {
            Some(run) => run,
            None => {
                let run = self.open_run()?;
                self.run = Some(run.clone());
                run
            }
        };
        while !self.parameters.is_empty() {
            let count = self.parameters.len().min(PARAMETERS);
            let parameters: Vec<Value> = self
                .parameters
                .iter()
                .take(count)
                .map(|(key, value)| {
                    json!({ "key": key, "value": value.chars().take(MAX_VALUE).collect::<String>() })
                })
                .collect();
            self.client.post("runs/log-batch", &json!({ "run_id": run, "params": parameters }))?;
            self.parameters.drain(..count);
        }
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(BATCH);
            let metrics: Vec<Value> = self
                .waiting
                .iter()
                .take(count)
                .map(|(step, key, value, time)| {
                    json!({ "key": key, "value": value, "timestamp": time, "step": step })
                })
                .collect();
            self.client.post("runs/log-batch", &json!({ "run_id": run, "metrics": metrics }))?;
            self.waiting.drain(..count);
        }
        Ok(())
    }

    /// The run to log to: the remembered one when the training is resumed, otherwise a new one.
    fn open_run(&mut self) -> Result<String> {
        let file = self.settings.directory.join(FILE);
        if self.settings.resume {
            if let Some(run) = remembered(&file, &self.client.uri) {
                let body = json!({ "run_id": run, "status": "RUNNING" });
                match self.client.post("runs/update", &body) {
                    Ok(_) => {
                        // The parameters of a run cannot change: they are those of its start.
                        self.parameters.clear();
                        (self.tell)(&format!("MLflow: run {run} continues"));
                        return Ok(run);
                    }
                    Err(error @ Error::Http { retry: true, .. }) => return Err(error),
                    Err(error) => (self.tell)(&format!(
                        "MLflow: the run {run} cannot be continued ({error}); a new one is created"
                    )),
                }
            }
        }
        let experiment = self.experiment()?;
        let mut body = json!({
            "experiment_id": experiment,
            "start_time": milliseconds(),
            "tags": [{ "key": "mlflow.source.name", "value": "trainer-worker" }],
        });
        if let (Some(name), Some(fields)) = (&self.settings.run_name, body.as_object_mut()) {
            fields.insert("run_name".to_owned(), json!(name));
        }
        let answer = self.client.post("runs/create", &body)?;
        let run = answer
            .pointer("/run/info/run_id")
            .and_then(Value::as_str)
            .ok_or_else(|| self.strange("runs/create", "no run_id"))?
            .to_owned();
        (self.tell)(&format!("MLflow: {}/#/experiments/{experiment}/runs/{run}", self.client.uri));
        let memory = json!({
            "tracking_uri": self.client.uri, "experiment_id": experiment, "run_id": run,
        });
        // Without it a resumed training would begin a new run, which is no reason to stop.
        if let Err(error) = write_atomically(&file, format!("{memory:#}\n").as_bytes()) {
            (self.tell)(&format!("MLflow: {error}"));
        }
        Ok(run)
    }

    fn experiment(&self) -> Result<String> {
        let name = self.settings.experiment_name.as_str();
        let find = || {
            let found = self.client.get("experiments/get-by-name", ("experiment_name", name))?;
            found
                .pointer("/experiment/experiment_id")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(|| self.strange("experiments/get-by-name", "no experiment_id"))
        };
        match find() {
            Err(Error::Http { reason, .. }) if reason.contains("RESOURCE_DOES_NOT_EXIST") => {}
            other => return other,
        }
        match self.client.post("experiments/create", &json!({ "name": name })) {
            Ok(answer) => answer
                .get("experiment_id")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(|| self.strange("experiments/create", "no experiment_id")),
            // Somebody else created it in between.
            Err(Error::Http { reason, .. }) if reason.contains("RESOURCE_ALREADY_EXISTS") => find(),
            Err(error) => Err(error),
        }
    }

    fn strange(&self, method: &str, what: &str) -> Error {
        Error::Http {
            url: self.client.uri.clone(),
            reason: format!("{method} answered with {what}; is this an MLflow server?"),
            retry: false,
        }
    }
}

/// The run that an output folder remembers, if it is on this server.
fn remembered(file: &Path, uri: &str) -> Option<String> {
    let json: Value = serde_json::from_slice(&read_bounded(file, 1 << 16).ok()?).ok()?;
    let same = json.get("tracking_uri").and_then(Value::as_str) == Some(uri);
    let run = json.get("run_id").and_then(Value::as_str)?;
    let plain =
        !run.is_empty() && run.len() <= 64 && run.bytes().all(|b| b.is_ascii_alphanumeric());
    (same && plain).then(|| run.to_owned())
}
