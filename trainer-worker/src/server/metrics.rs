//! `GET /metrics`, in Prometheus' text format.

use super::App;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use openledger_engine::serving::policy::Counts;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// What is counted of responses: methods and paths are those that routes know, so there are few.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    responses: Mutex<BTreeMap<(String, String, u16), u64>>,
}

impl Metrics {
    pub(super) fn count(&self, method: &str, path: &str, status: u16) {
        let mut responses = self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        *responses.entry((method.to_owned(), path.to_owned(), status)).or_default() += 1;
    }
}

/// Counts and gauges of the server.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses((status = 200, description = "Prometheus' text format", body = String, content_type = "text/plain")),
)]
pub(super) async fn get(State(app): State<Arc<App>>) -> impl IntoResponse {
    let mut text = String::new();
    {
        let responses = app.metrics.responses.lock().unwrap_or_else(PoisonError::into_inner);
        head(&mut text, "http_responses_total", "counter", "Responses by path and status.");
        for ((method, path, status), count) in responses.iter() {
            let _ = writeln!(
                text,
                "openledger_http_responses_total{{method=\"{method}\",path=\"{path}\",status=\"{status}\"}} \
                 {count}"
            );
        }
    }
    let stats = app.scheduler.stats();
    let counts = stats.counts;
    let gauge = |text: &mut String, name, help, value: f64| one(text, name, "gauge", help, value);
    let counter =
        |text: &mut String, name, help, value: f64| one(text, name, "counter", help, value);
    gauge(&mut text, "requests_waiting", "Requests that wait for a place.", stats.waiting as f64);
    gauge(&mut text, "requests_running", "Requests that are being answered.", stats.running as f64);
    gauge(&mut text, "kv_pages", "Pages of keys and values.", stats.pages as f64);
    gauge(&mut text, "kv_pages_used", "Pages of running requests.", stats.used_pages as f64);
    gauge(&mut text, "kv_pages_cached", "Pages kept for later.", stats.cached_pages as f64);
    gauge(&mut text, "kv_pages_free", "Pages with nothing in them.", stats.free_pages as f64);
    let (bytes, loaded) = app.adapters.in_memory();
    gauge(&mut text, "adapters_bytes", "Bytes of adapters in memory.", bytes as f64);
    gauge(&mut text, "adapters_loaded", "Adapters in memory.", loaded as f64);
    let bytes = stats.grammar_bytes as f64;
    gauge(&mut text, "grammars_bytes", "Bytes of grammars that answers follow.", bytes);
    gauge(&mut text, "rows_per_second", "Rows a second, lately.", stats.rows_per_second);
    gauge(&mut text, "keys", "API keys that are valid.", app.keys.count() as f64);
    let broken = f64::from(u8::from(app.keys.is_broken()));
    gauge(&mut text, "keys_file_broken", "1 while the file of keys cannot be read.", broken);
    let seconds = stats.step_time.as_secs_f64();
    counter(&mut text, "step_seconds_total", "Time in steps.", seconds);
    counter(&mut text, "requests_refused_total", "Requests not taken.", stats.refused as f64);
    for (name, help, value) in counted(&counts) {
        counter(&mut text, name, help, value as f64);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP openledger_{name} {help}\n# TYPE openledger_{name} {kind}");
}

fn one(text: &mut String, name: &str, kind: &str, help: &str, value: f64) {
    head(text, name, kind, help);
    let _ = writeln!(text, "openledger_{name} {value}");
}

fn counted(counts: &Counts) -> [(&'static str, &'static str, u64); 9] {
    [
        ("prompt_tokens_total", "Tokens of prompts that were begun.", counts.prompt_tokens),
        ("cached_tokens_total", "Those that were there already.", counts.cached_tokens),
        ("generated_tokens_total", "Tokens written.", counts.generated_tokens),
        ("steps_total", "Steps of the model.", counts.steps),
        ("rows_total", "Rows of all steps.", counts.rows),
        ("preemptions_total", "Times that a request gave up its pages.", counts.preemptions),
        ("requests_finished_total", "Requests answered to their end.", counts.finished),
        ("requests_cancelled_total", "Requests that nobody waited for.", counts.cancelled),
        ("requests_failed_total", "Requests that ended with an error.", counts.failed),
    ]
}
