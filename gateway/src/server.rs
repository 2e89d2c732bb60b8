//! Routes, and what every response carries.

use crate::agents::{self, Agents, OpenError, Parts};
use crate::api;
use crate::app::{App, Shared};
use crate::arguments::Arguments;
use crate::chat::{self, Chat, ChatError};
use crate::description;
use crate::docs::{self, Docs, Origin};
use crate::door::{self, Door};
use crate::error::ApiError;
use crate::extract::Address;
use crate::faucet::Faucet;
use crate::index::{source::NodeSource, sqlite::Sqlite, Index, IndexError};
use crate::live::{self, Live, StoreError};
use crate::mcp::{self, Mcp};
use crate::node::{About, Look, Pulse};
use crate::proxies::Proxies;
use crate::rpc;
use crate::sessions;
use crate::uploads::{self, Uploads};
use crate::web::{self, Web};
use axum::extract::{Request, State};
use axum::http::{header, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::Router;
use openledger_client::{Client, H256};
use openledger_docs::{Book, BookError};
use openledger_http::{head, Peer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use utoipa_axum::router::OpenApiRouter;

/// Nothing is taken from another host, and no other page may show this one in a frame. `'wasm-unsafe-eval'`:
/// sr25519 in the browser is WebAssembly. Styles of charts are set by script, which is no inline style.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; \
    worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long a browser may remember what another origin may ask.
const CORS_AGE: Duration = Duration::from_secs(600);

fn routes() -> (Router<Shared>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(description::begin())
        .routes(utoipa_axum::routes!(api::config::config))
        .merge(api::routes())
        .merge(uploads::routes())
        .merge(live::routes())
        .merge(chat::routes())
        .merge(agents::routes())
        .split_for_parts()
}

/// The API's description, as `/openapi.json` answers it.
pub fn description() -> serde_json::Value {
    description::finish(&routes().1)
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        // Pages that speak MCP read their session's name.
        .expose_headers([HeaderName::from_static(mcp::SESSION)])
        .max_age(CORS_AGE)
}

/// All routes.
pub fn router(app: &Shared) -> Router {
    let (routes, api) = routes();
    let api: Arc<str> = description::finish(&api).to_string().into();
    let described = move || {
        let api = api.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], api.to_string()) }
    };
    let guard = axum::middleware::from_fn_with_state(app.clone(), guard);
    routes
        .route("/openapi.json", axum::routing::get(described.clone()))
        .route("/.well-known/openapi.json", axum::routing::get(described))
        .merge(docs::routes())
        .route("/rpc", axum::routing::get(rpc::relay))
        .merge(mcp::routes())
        .route("/v1/{*rest}", axum::routing::any(unknown))
        .fallback(web::page)
        .method_not_allowed_fallback(wrong_method)
        .layer(cors(&app.origins))
        .layer(guard)
        .with_state(app.clone())
}

pub(crate) async fn unknown(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(100).collect();
    ApiError::not_found(format!("there is no {path:?}; GET /openapi.json describes what there is"))
}

pub(crate) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(100).collect();
    let message =
        format!("{path:?} does not take {method}; GET /openapi.json describes what it takes");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message)
}

/// Says who asks, refuses hosts and origins that are not ours, and adds what every response carries.
async fn guard(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get::<Peer>() {
        let client = Address::of(app.proxies.client(peer.ip(), request.headers()));
        request.extensions_mut().insert(client);
    }
    let mut response = match check_host(&app, &request) {
        Ok(()) => {
            let origin = origin(&app, &request);
            request.extensions_mut().insert(origin);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    let carried = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self), \
             publickey-credentials-create=(self)",
        ),
    ];
    for (name, value) in carried {
        // A route may have a narrower policy of its own.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A page in a browser can have a name of its own resolve to this machine (DNS rebinding) and would then be
/// of the same origin: only names that the operator gave, and those of this machine, are answered to.
fn check_host(app: &App, request: &Request) -> Result<(), ApiError> {
    let (uri, headers) = (request.uri(), request.headers());
    head::check_hosts(uri, headers, request.version()).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_host", error.to_string())
    })?;
    let host = head::host_of(uri, headers);
    if door::is_ours(&app.hosts, host) {
        return Ok(());
    }
    let shown: String = host.chars().take(100).collect();
    let message = format!(
        "the host {shown:?} is not one of this gateway; its operator can allow it with --host"
    );
    Err(ApiError::new(StatusCode::FORBIDDEN, "host_not_allowed", message))
}

/// This server as the client names it. The host is checked already.
fn origin(app: &App, request: &Request) -> Origin {
    let peer = request.extensions().get::<Peer>().map(|Peer(peer)| peer.ip());
    let scheme = app.proxies.scheme(peer, request.headers());
    Origin(format!("{scheme}://{}", head::host_of(request.uri(), request.headers())))
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The node does not answer.
    #[error("{0}; start a node first, or name another with --node")]
    Node(#[from] openledger_client::ClientError),
    /// The faucet cannot be opened.
    #[error("the faucet cannot give anything: {0}")]
    Faucet(#[source] openledger_client::ClientError),
    /// Uploads cannot be kept.
    #[error(transparent)]
    Uploads(#[from] uploads::UploadsError),
    /// The node's chain cannot be indexed.
    #[error("{0}")]
    Index(#[from] IndexError),
    /// Metrics cannot be kept.
    #[error(transparent)]
    Live(#[from] StoreError),
    /// Agents cannot be kept.
    #[error(transparent)]
    Agents(#[from] OpenError),
    /// Chat cannot be set up.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// The documentation cannot be read.
    #[error("the documentation: {0}")]
    Docs(#[from] BookError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; choose another with --listen")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        cause: std::io::Error,
    },
    /// A file or folder cannot be used.
    #[error("{what}: {cause}")]
    File {
        /// Which.
        what: String,
        /// Why not.
        cause: std::io::Error,
    },
}

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// [`StartError`].
pub async fn run(arguments: Arguments) -> Result<(), StartError> {
    let web = match &arguments.web {
        Some(directory) => Web::read(directory)
            .map_err(|cause| StartError::File { what: "the web app".to_owned(), cause })?,
        None => Web::embedded(),
    };
    let docs = Docs::new(match &arguments.docs {
        Some(directory) => Book::read(directory)?,
        None => Book::embedded()?,
    });
    let client = Client::connect_to(&arguments.node).await?;
    let about = About::ask(&client).await?;
    let index = start_index(&arguments, &client).await?;
    let uploads = start_uploads(&arguments, &client, &index).await?;
    let genesis = H256(about.genesis);
    let chain = Arc::new(client.clone());
    let live = Live::open(&arguments.directory, Default::default(), chain.clone(), genesis)?;
    let system = Arc::new(chat::outside::System);
    let shared = Arc::new(uploads.clone());
    let parts = Parts {
        resolver: system.clone(),
        chain: Arc::new(agents::IndexedChain::new(client.clone(), index.clone())),
        publisher: shared.clone(),
        own: Some(Arc::new(docs.clone())),
        genesis,
        receipts: agents::MAX_RECEIPTS,
    };
    let agents = Agents::open(&arguments.agents, &arguments.directory, parts)?;
    let chat = Chat::new(&arguments.chat, &arguments.directory, system, chain, shared, agents)?;
    chat.check_servers().await?;
    docs.written_by(Arc::new(chat.clone()));
    let (hosts, origins) = (arguments.hosts, arguments.origins);
    let proxies = Proxies { trusted: arguments.trusted_proxies, header: arguments.proxy_header };
    let mcp = Mcp::new(
        docs.clone(),
        index.clone(),
        &description(),
        &hosts,
        &origins,
        mcp::sessions::IDLE,
    );
    let relays = rpc::places();
    let app = Arc::new(App {
        client,
        about,
        index,
        web,
        docs,
        uploads,
        live,
        chat,
        mcp,
        relays,
        proxies,
        hosts,
        origins,
    });

    let listening = |cause| StartError::Listen { address: arguments.listen, cause };
    let listener = TcpListener::bind(arguments.listen).await.map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    let limits = openledger_http::Limits {
        connections: arguments.max_connections as usize,
        of_address: arguments.max_connections_per_address as usize,
        headers: 64,
        header_time: Duration::from_secs(10),
        write_time: Duration::from_secs(30),
    };
    let (stopping, stopped) = watch::channel(false);
    let (limits, door) = (Arc::new(limits), Arc::new(Door(app.proxies.clone())));
    let serving = openledger_http::accept(listener, router(&app), limits, door, stopped);
    let connections = tokio::spawn(serving);
    // A browser gives passkeys to names only, never to addresses.
    match address.ip().is_loopback() || address.ip().is_unspecified() {
        true => println!("listening on http://localhost:{}", address.port()),
        false => println!("listening on http://{address}"),
    }
    told_to_stop().await;
    stopping.send_replace(true);
    // Streams never end by themselves.
    let _ = tokio::time::timeout(Duration::from_secs(3), connections).await;
    app.uploads.stop().await;
    Ok(())
}

/// Opens the index and begins to follow the node; it goes on for as long as the program runs.
async fn start_index(arguments: &Arguments, client: &Client) -> Result<Index, StartError> {
    let directory = &arguments.directory;
    std::fs::create_dir_all(directory).map_err(|cause| StartError::File {
        what: format!("the folder {}", directory.display()),
        cause,
    })?;
    let storage = Sqlite::open(&directory.join("index.sqlite")).map_err(IndexError::from)?;
    let pulse = Pulse::follow(Arc::new(client.clone()), client.look().await?);
    let index = Index::new(Arc::new(storage), Some(client.clone()), pulse);
    let index = index.map_err(IndexError::from)?;
    let source = NodeSource::new(client.clone());
    index.check(&source).await?;
    let follower = index.clone();
    tokio::spawn(async move { follower.follow(&source).await });
    Ok(index)
}

async fn start_uploads(
    arguments: &Arguments,
    client: &Client,
    index: &Index,
) -> Result<Uploads, StartError> {
    let genesis = client.block_hash(0).await?.unwrap_or_default();
    let options = uploads::options::Options {
        directory: arguments.directory.clone(),
        hosts: arguments.hosts.clone(),
        origins: arguments.origins.clone(),
        challenge: sessions::CHALLENGE,
        session: sessions::SESSION,
        arguments: arguments.uploads.clone(),
    };
    let chain = Arc::new(uploads::named::IndexedChain::new(client.clone(), index.clone()));
    let faucet = Faucet::open(&arguments.uploads, client).await.map_err(StartError::Faucet)?;
    Ok(Uploads::start(options, chain, genesis.0, faucet).await?)
}

async fn told_to_stop() {
    use tokio::signal::unix::{signal, SignalKind};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
