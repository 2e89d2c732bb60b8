//! An OpenAI-compatible server on the engine's scheduler (docs/serving.md).
//!
//! # Parts
//!
//! * `access`, [`keys`]: who may ask, and how much;
//! * [`fields`]: every field of every request, and what becomes of it;
//! * [`names`]: models and adapters by name;
//! * one file an endpoint: `chat`, `completions`, `responses`, `models`, `tokenize`, `health`, `metrics`;
//! * `request`, `generation`, `sse`: what endpoints that write answers share.
//!
//! # What bounds the memory
//!
//! Connections ([`Limits::connections`]), each with 64 KiB of buffers; bodies that are being read
//! ([`Limits::body_bytes`] each, [`Limits::all_bodies`] together); requests that wait and run, which
//! the scheduler counts; and answers that are not sent yet ([`Limits::all_answers`] together), of which each
//! takes what it may take at most before it is begun. Of bodies and answers a key holds no more than it leaves
//! free, so that none shuts out the others.

mod access;
pub mod adapters;
mod chat;
mod completions;
mod error;
pub mod fields;
mod files;
pub mod fine_tuning;
mod generation;
mod health;
mod jobs;
mod json;
pub mod keys;
mod logprobs;
mod metrics;
mod models;
pub mod names;
mod pages;
mod request;
mod responses;
mod sse;
mod tokenize;
mod turns;
mod usage;

use axum::extract::State;
use axum::http::{header, HeaderValue, Method};
use axum::response::IntoResponse;
use axum::Router;
use keys::Keys;
use names::{Adapters, Base};
use openledger_engine::model::Model;
use openledger_engine::serving::Scheduler;
use openledger_engine::tokenizer::Tokenizer;
use openledger_http::Budget;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer, ExposeHeaders};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Files that may come at the same time; those of a key are half of them at most, and take the room of as
/// many files on disk until they are whole.
const UPLOADS: usize = 32;

/// How long the last bytes of answers may take after a drain is over: on a busy machine a second is too
/// short for a client to be told that its answer was cut off.
const LAST_BYTES: Duration = Duration::from_secs(5);

/// How long a browser may remember what another origin may ask.
const CORS_AGE: Duration = Duration::from_secs(600);

/// What clients can make last or grow, at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections, and the heads of requests.
    pub connections: openledger_http::Limits,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read.
    pub all_bodies: usize,
    /// Bytes of all answers that are not sent yet.
    pub all_answers: usize,
    /// Until a request's body is there.
    pub body_time: Duration,
    /// From a request to the end of its answer.
    pub request_time: Duration,
    /// Tokens of an answer.
    pub answer_tokens: usize,
    /// Tokens of prompt and answer together.
    pub context: usize,
}

/// Files and jobs of those who may train.
pub struct FineTuning {
    /// What was uploaded.
    pub files: Arc<fine_tuning::FileStore>,
    /// What is trained of it.
    pub jobs: Arc<fine_tuning::Jobs>,
}

/// What a server answers with.
pub struct Parts {
    /// The model.
    pub model: Arc<Model>,
    /// Its tokenizer.
    pub tokenizer: Arc<Tokenizer>,
    /// What writes the answers.
    pub scheduler: Scheduler,
    /// How the model is named.
    pub base: Base,
    /// The adapters that may be asked for.
    pub adapters: Box<dyn Adapters>,
    /// Where it trains.
    pub fine_tuning: Option<FineTuning>,
    /// Who may ask.
    pub keys: Keys,
    /// What bounds them.
    pub limits: Limits,
    /// Origins whose pages may ask, as browsers name them; `*` for all.
    pub origins: Vec<HeaderValue>,
}

/// What handlers share.
pub(crate) struct App {
    model: Arc<Model>,
    tokenizer: Arc<Tokenizer>,
    scheduler: Scheduler,
    base: Base,
    adapters: Box<dyn Adapters>,
    fine_tuning: Option<FineTuning>,
    keys: Arc<Keys>,
    limits: Limits,
    bodies: Arc<Budget>,
    answers: Arc<Budget>,
    /// Uploads under way, each counted as one.
    uploads: Arc<Budget>,
    /// Turns at what takes the processor beside the scheduler.
    computing: turns::Turns,
    metrics: metrics::Metrics,
    draining: AtomicBool,
    /// Origins whose pages may ask.
    origins: Vec<HeaderValue>,
    /// Counts ids where the system gives no random numbers.
    ids: AtomicU64,
}

impl App {
    /// An id that no other answer has. It is drawn, so that it tells nobody how many others there are.
    fn id(&self, prefix: &str) -> String {
        let mut bytes = [0u8; 12];
        if getrandom::fill(&mut bytes).is_err() {
            let number = self.ids.fetch_add(1, Ordering::Relaxed);
            return format!("{prefix}-{number:024x}");
        }
        format!("{prefix}-{}", hex::encode(bytes))
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "OpenLedger",
        description = "Answers of a language model and its adapters, in the shapes of OpenAI's API. The \
            fields of requests are described in docs/serving.md."
    ),
    modifiers(&Bearer),
)]
struct Description;

/// Keys are sent as bearer tokens.
struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = api.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
        let requirement = utoipa::openapi::SecurityRequirement::new("key", [""; 0]);
        api.security = Some(vec![requirement]);
    }
}

fn routes() -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(models::list))
        .routes(routes!(models::get, models::delete))
        .routes(routes!(chat::create))
        .routes(routes!(completions::create))
        .routes(routes!(responses::create))
        .routes(routes!(tokenize::tokenize))
        .routes(routes!(tokenize::detokenize))
        .routes(routes!(files::create, files::list))
        .routes(routes!(files::get, files::delete))
        .routes(routes!(files::content))
        .routes(routes!(jobs::create, jobs::list))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::events))
        .routes(routes!(health::get))
        .routes(routes!(metrics::get))
        .split_for_parts()
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    let all = origins.iter().any(|origin| origin == "*");
    let origins = if all { AllowOrigin::any() } else { AllowOrigin::list(origins) };
    let told = names::HEADERS.into_iter().chain([access::REQUEST_ID, header::RETRY_AFTER]);
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::list(told))
        .max_age(CORS_AGE)
}

fn router(app: &Arc<App>, origins: Vec<HeaderValue>) -> Router {
    let (routes, api) = routes();
    // It is the same at every request.
    let api = Arc::new(api.to_json().unwrap_or_default());
    let described = move |State(_): State<Arc<App>>| {
        let api = api.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], api.to_string()).into_response() }
    };
    let guard = axum::middleware::from_fn_with_state(app.clone(), access::guard);
    routes
        .route("/openapi.json", axum::routing::get(described))
        .fallback(access::not_found)
        .method_not_allowed_fallback(access::wrong_method)
        // Bodies are read by `json`, with limits of its own.
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(guard)
        .layer(cors(origins))
        .with_state(app.clone())
}

/// Serves until `stop` ends, and then for at most `drain`: no new requests are taken, and those that run
/// are finished, or cut off with an error. Says whether all were finished.
pub async fn serve(
    listener: TcpListener,
    parts: Parts,
    stop: impl Future<Output = ()>,
    drain: Duration,
) -> bool {
    let Parts { model, tokenizer, scheduler, base, adapters, fine_tuning, keys, limits, origins } =
        parts;
    let app = Arc::new(App {
        model,
        tokenizer,
        scheduler: scheduler.clone(),
        base,
        adapters,
        fine_tuning,
        computing: turns::Turns::new(keys.are_needed()),
        keys: Arc::new(keys),
        bodies: Budget::new(limits.all_bodies),
        answers: Budget::new(limits.all_answers),
        uploads: Budget::new(UPLOADS),
        metrics: metrics::Metrics::default(),
        draining: AtomicBool::new(false),
        origins: origins.clone(),
        ids: AtomicU64::new(0),
        limits: limits.clone(),
    });
    let watching = tokio::spawn(app.keys.clone().watch());
    let (stopping, stopped) = watch::channel(false);
    let router = router(&app, origins);
    let mut connections = tokio::spawn(openledger_http::accept(
        listener,
        router,
        Arc::new(limits.connections),
        Arc::new(access::Unreadable),
        stopped,
    ));
    tokio::select! {
        () = stop => {}
        // It ends by itself only when it panics.
        _ = &mut connections => return false,
    }
    app.draining.store(true, Ordering::Relaxed);
    let begun = tokio::time::Instant::now();
    // Refuses new requests at once, and waits for those that run.
    let drained = tokio::task::spawn_blocking(move || scheduler.drain(drain));
    let drained = drained.await.unwrap_or(false);
    // The last bytes of answers are sent before connections are closed.
    stopping.send_replace(true);
    let left = drain.saturating_sub(begun.elapsed()).max(LAST_BYTES);
    let closed = tokio::time::timeout(left, &mut connections).await.is_ok();
    if !closed {
        connections.abort();
    }
    watching.abort();
    drained && closed
}
