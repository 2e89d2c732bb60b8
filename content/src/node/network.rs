//! The task that drives the libp2p swarm: listening, and staying connected with known peers.

use super::{identity, NodeConfig};
use crate::{
    bitswap,
    error::{Error, Result},
};
use futures::StreamExt;
use libp2p::{
    connection_limits::{self, ConnectionLimits},
    core::transport::ListenerId,
    identify,
    identity::Keypair,
    multiaddr::Protocol,
    noise, ping,
    swarm::{dial_opts::DialOpts, ConnectionId, NetworkBehaviour, SwarmEvent},
    tcp, yamux, Multiaddr, PeerId, Swarm, SwarmBuilder,
};
use std::{
    collections::{BTreeSet, HashSet},
    fs::File,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{interval, timeout, MissedTickBehavior},
};

/// Time for all listeners to come up.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often lost peers are looked for.
const REDIAL_TICK: Duration = Duration::from_millis(250);
/// The first and the longest pause before a peer is dialled again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Most addresses that a node visits at the same time.
pub const MAX_VISITED: usize = 96;
/// Most connections with one peer.
const MAX_CONNECTIONS_A_PEER: u32 = 4;

/// What the node's handles see of the task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    pub(crate) addresses: Vec<Multiaddr>,
    pub(crate) peers: BTreeSet<PeerId>,
}

/// What the node's handles ask of the task.
#[derive(Debug)]
pub(crate) enum Control {
    AddPeer(Multiaddr),
    Visit(Vec<Multiaddr>),
    Shutdown,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    bitswap: bitswap::Behaviour,
}

/// A peer to stay connected with.
struct Known {
    address: Multiaddr,
    /// From the address, or learnt when it was first reached.
    peer: Option<PeerId>,
    dialling: Option<ConnectionId>,
    next_dial: Instant,
    pause: Duration,
    /// Whether it is a peer for a while only.
    visited: bool,
}

impl Known {
    fn new(address: Multiaddr) -> Self {
        let peer = address.iter().find_map(|protocol| match protocol {
            Protocol::P2p(peer) => Some(peer),
            _ => None,
        });
        let (next_dial, pause) = (Instant::now(), FIRST_PAUSE);
        Self { address, peer, dialling: None, next_dial, pause, visited: false }
    }
}

/// Whether an address is one that this node can dial.
pub(crate) fn check_peer_address(address: &Multiaddr) -> Result<()> {
    let has = |wanted: fn(&Protocol<'_>) -> bool| address.iter().any(|one| wanted(&one));
    let reason = if !has(|one| {
        use Protocol::{Dns, Dns4, Dns6, Dnsaddr, Ip4, Ip6};
        matches!(one, Ip4(_) | Ip6(_) | Dns(_) | Dns4(_) | Dns6(_) | Dnsaddr(_))
    }) {
        "it names no host"
    } else if !has(|one| matches!(one, Protocol::Tcp(_) | Protocol::Udp(_) | Protocol::Dnsaddr(_)))
    {
        "it names no TCP or UDP port"
    } else if has(|one| matches!(one, Protocol::P2pCircuit)) {
        "relayed addresses are not supported"
    } else {
        return Ok(());
    };
    Err(Error::PeerAddress { address: address.to_string(), reason: reason.to_string() })
}

/// Starts the swarm and the task that drives it.
pub(crate) async fn start(
    config: &NodeConfig,
    identity: identity::Loaded,
    bitswap: bitswap::Behaviour,
    control: mpsc::UnboundedReceiver<Control>,
) -> Result<(watch::Receiver<Shared>, JoinHandle<()>)> {
    for address in &config.peers {
        check_peer_address(address)?;
    }
    let mut swarm = build(identity.keypair, config, bitswap)?;
    let mut waiting = HashSet::new();
    for address in &config.listen {
        let listener = swarm.listen_on(address.clone()).map_err(|error| Error::Listen {
            address: address.to_string(),
            reason: innermost(&error),
        })?;
        waiting.insert(listener);
    }
    let (sender, receiver) = watch::channel(Shared::default());
    let mut task = Task {
        swarm,
        shared: sender,
        known: config.peers.iter().cloned().map(Known::new).collect(),
        control,
        _lock: identity.lock,
    };
    let asked = || config.listen.iter().map(Multiaddr::to_string).collect::<Vec<_>>().join(", ");
    timeout(LISTEN_TIMEOUT, task.wait_for_listeners(waiting))
        .await
        .unwrap_or_else(|_| Err(format!("no answer after {} s", LISTEN_TIMEOUT.as_secs())))
        .map_err(|reason| Error::Listen { address: asked(), reason })?;
    Ok((receiver, tokio::spawn(task.run())))
}

fn build(
    keypair: Keypair,
    config: &NodeConfig,
    bitswap: bitswap::Behaviour,
) -> Result<Swarm<Behaviour>> {
    let failed = |reason: String| Error::Network { reason };
    let most = config.max_connections;
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(most))
        .with_max_pending_outgoing(Some(most))
        // Counted apart, so that strangers who dial in cannot keep this node from dialling out.
        .with_max_established_incoming(Some(most))
        .with_max_established_outgoing(Some(most))
        .with_max_established_per_peer(Some(MAX_CONNECTIONS_A_PEER));
    let agent = concat!("openledger-ipfs/", env!("CARGO_PKG_VERSION"));
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        identify: identify::Behaviour::new(
            identify::Config::new("ipfs/0.1.0".into(), keypair.public())
                .with_agent_version(agent.into()),
        ),
        ping: ping::Behaviour::new(ping::Config::new()),
        bitswap,
    };
    let transports = || {
        SwarmBuilder::with_existing_identity(keypair.clone())
            .with_tokio()
            .with_tcp(
                tcp::Config::default().nodelay(true),
                noise::Config::new,
                yamux::Config::default,
            )
            .map(|builder| builder.with_quic())
            .map_err(|error| failed(error.to_string()))
    };
    match transports()?.with_dns() {
        Ok(builder) => Ok(builder
            .with_behaviour(|_| behaviour)
            .map_err(|error| failed(error.to_string()))?
            .build()),
        // A machine without DNS settings still reaches peers by number.
        Err(error) => {
            tracing::warn!(%error, "no DNS: peers can be dialled by IP address only");
            Ok(transports()?
                .with_behaviour(|_| behaviour)
                .map_err(|error| failed(error.to_string()))?
                .build())
        }
    }
}

struct Task {
    swarm: Swarm<Behaviour>,
    shared: watch::Sender<Shared>,
    known: Vec<Known>,
    control: mpsc::UnboundedReceiver<Control>,
    /// Let go of when the task ends.
    _lock: Option<File>,
}

impl Task {
    async fn wait_for_listeners(&mut self, mut waiting: HashSet<ListenerId>) -> Result<(), String> {
        while !waiting.is_empty() {
            let event = self.swarm.select_next_some().await;
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    waiting.remove(listener_id);
                }
                SwarmEvent::ListenerClosed { listener_id, reason, .. }
                    if waiting.contains(listener_id) =>
                {
                    return Err(match reason {
                        Ok(()) => "the listener was closed".to_string(),
                        Err(error) => innermost(error),
                    });
                }
                SwarmEvent::ListenerError { listener_id, error }
                    if waiting.contains(listener_id) =>
                {
                    return Err(innermost(error));
                }
                _ => {}
            }
            self.on_event(event);
        }
        Ok(())
    }

    async fn run(mut self) {
        let mut redial = interval(REDIAL_TICK);
        redial.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                _ = redial.tick() => self.dial_lost_peers(),
                control = self.control.recv() => match control {
                    Some(Control::AddPeer(address)) => {
                        match self.known.iter_mut().find(|known| known.address == address) {
                            Some(known) => known.visited = false,
                            None => self.known.push(Known::new(address)),
                        }
                        self.dial_lost_peers();
                    }
                    Some(Control::Visit(addresses)) => self.visit(addresses),
                    Some(Control::Shutdown) | None => break,
                },
            }
        }
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // It may have left in this very moment.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.shared.send_replace(Shared::default());
    }

    /// Lets peers go that are visited no more, and dials those that are new.
    fn visit(&mut self, addresses: Vec<Multiaddr>) {
        let wanted: Vec<Multiaddr> = addresses.into_iter().take(MAX_VISITED).collect();
        let stays = |known: &Known| !known.visited || wanted.contains(&known.address);
        let (known, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.known).into_iter().partition(stays);
        self.known = known;
        for peer in left.into_iter().filter_map(|known| known.peer) {
            if self.known.iter().all(|known| known.peer != Some(peer)) {
                // It may have left in this very moment. If it fetches something here, it dials again.
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
        for address in wanted {
            if self.known.iter().all(|known| known.address != address) {
                self.known.push(Known { visited: true, ..Known::new(address) });
            }
        }
        self.dial_lost_peers();
    }

    fn dial_lost_peers(&mut self) {
        let now = Instant::now();
        let own = *self.swarm.local_peer_id();
        for known in &mut self.known {
            let connected = known.peer.is_some_and(|peer| self.swarm.is_connected(&peer));
            let waits = known.dialling.is_some() || now < known.next_dial;
            if connected || waits || known.peer == Some(own) {
                continue;
            }
            let options = match known.peer {
                Some(peer) => {
                    DialOpts::peer_id(peer).addresses(vec![known.address.clone()]).build()
                }
                None => DialOpts::unknown_peer_id().address(known.address.clone()).build(),
            };
            let id = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => known.dialling = Some(id),
                Err(error) => {
                    tracing::debug!(address = %known.address, %error, "cannot dial");
                    back_off(known, now);
                }
            }
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = Instant::now();
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                let own = *self.swarm.local_peer_id();
                let address = match address.with_p2p(own) {
                    Ok(address) | Err(address) => address,
                };
                self.shared.send_modify(|shared| shared.addresses.push(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                let own = *self.swarm.local_peer_id();
                let full = address.clone().with_p2p(own).unwrap_or_else(|address| address);
                self.shared.send_modify(|shared| {
                    shared.addresses.retain(|one| *one != full && *one != address);
                });
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, .. } => {
                for known in &mut self.known {
                    if known.dialling == Some(connection_id) {
                        known.dialling = None;
                        known.peer = Some(peer_id);
                    }
                    if known.peer == Some(peer_id) {
                        known.pause = FIRST_PAUSE;
                        known.next_dial = now;
                    }
                }
                self.shared.send_if_modified(|shared| shared.peers.insert(peer_id));
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "disconnected");
                self.shared.send_if_modified(|shared| shared.peers.remove(&peer_id));
                for known in self.known.iter_mut().filter(|known| known.peer == Some(peer_id)) {
                    back_off(known, now);
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                for known in &mut self.known {
                    if known.dialling == Some(connection_id) {
                        tracing::debug!(address = %known.address, %error, "cannot connect");
                        known.dialling = None;
                        back_off(known, now);
                    }
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(error),
            })) if !matches!(error, ping::Failure::Unsupported) => {
                // A peer that answers no ping reads nothing else either. One that knows no ping
                // is left alone.
                tracing::debug!(%peer, %error, "closing a silent connection");
                self.swarm.close_connection(connection);
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener reports an error");
            }
            _ => {}
        }
    }
}

fn back_off(known: &mut Known, now: Instant) {
    known.next_dial = now + known.pause;
    known.pause = (known.pause * 2).min(LONGEST_PAUSE);
}

/// The last cause of an error: what the system said, without the layers around it.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
