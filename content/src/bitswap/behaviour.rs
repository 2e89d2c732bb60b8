//! The libp2p side of Bitswap: peers, their accounts, and frames for their connections.

use super::{
    client::Client,
    handle::{Bitswap, Command, Counters},
    handler::{Event, Frame, Handler, HandlerEvent, Load},
    message::{wantlist_frame, Message, MAX_ENTRIES, MAX_MESSAGE_BYTES},
    server::{answer, Answered, Ledger, MAX_ANSWER_BYTES},
};
use crate::{dag::MAX_BLOCK_BYTES, store::BlockStore};
use futures::{stream::FuturesUnordered, StreamExt};
use libp2p::{
    core::{transport::PortUse, Endpoint},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
    },
    Multiaddr, PeerId,
};
use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{interval, Interval, MissedTickBehavior},
};

/// How often silent peers are looked for.
const TICK: Duration = Duration::from_millis(500);
/// Most bytes of our own wantlists that wait for one peer; what does not fit is asked again later.
const MAX_QUEUED_WANTS: usize = 512 * 1024;
/// Most messages built at once, over all peers.
const MAX_JOBS: usize = 16;

/// Bounds of the server side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Most bytes of answers in memory for one peer.
    pub queued_bytes_a_peer: usize,
    /// Most bytes of answers in memory for all peers.
    pub queued_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { queued_bytes_a_peer: 8 * 1024 * 1024, queued_bytes: 128 * 1024 * 1024 }
    }
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    progress: Arc<AtomicU64>,
    seen_progress: u64,
    queued_answers: usize,
    queued_wants: usize,
    unsupported: bool,
}

#[derive(Debug, Default)]
struct Peer {
    connections: Vec<Connection>,
    ledger: Ledger,
    /// A message is being built.
    busy: bool,
    /// When this peer was last served, as a running number.
    served: u64,
}

impl Peer {
    fn is_supported(&self) -> bool {
        self.connections.iter().any(|connection| !connection.unsupported)
    }

    fn queued_answers(&self) -> usize {
        self.connections.iter().map(|connection| connection.queued_answers).sum()
    }
}

/// A message being built: for whom, at which turn, and what came of it.
type Job = JoinHandle<(PeerId, u64, Answered)>;

/// The libp2p behaviour.
pub struct Behaviour {
    config: Config,
    store: BlockStore,
    peers: HashMap<PeerId, Peer>,
    /// Connections that are being accepted, with their handlers' progress.
    accepted: HashMap<ConnectionId, Arc<AtomicU64>>,
    client: Client,
    events: VecDeque<ToSwarm<Infallible, Frame>>,
    jobs: FuturesUnordered<Job>,
    served: u64,
    commands: mpsc::UnboundedReceiver<Command>,
    tick: Interval,
    counters: Arc<Counters>,
}

impl Behaviour {
    /// A behaviour that serves `store`, and the handle to it. Must be called within a tokio runtime.
    pub fn new(store: BlockStore, config: Config) -> (Self, Bitswap) {
        let counters = Arc::new(Counters::default());
        let (bitswap, commands) = Bitswap::new(Arc::clone(&counters));
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let behaviour = Self {
            config,
            store,
            peers: HashMap::new(),
            accepted: HashMap::new(),
            client: Client::default(),
            events: VecDeque::new(),
            jobs: FuturesUnordered::new(),
            served: 0,
            commands,
            tick,
            counters,
        };
        (behaviour, bitswap)
    }

    fn new_handler(&mut self, id: ConnectionId) -> Handler {
        let progress = Arc::new(AtomicU64::new(0));
        self.accepted.insert(id, Arc::clone(&progress));
        Handler::new(progress)
    }

    fn on_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Want { id, waiter, session, reply } => {
                self.client.want(id, waiter, session, reply, now);
            }
            Command::Cancel { id, waiter } => self.client.cancel(&id, waiter),
            Command::EndSession(session) => self.client.end_session(session),
            Command::Stored(blocks) => {
                for peer in self.peers.values_mut() {
                    for id in &blocks {
                        peer.ledger.stored(id);
                    }
                }
            }
        }
    }

    fn on_message(&mut self, peer_id: PeerId, message: Message, now: Instant) {
        self.client.heard(&peer_id, now);
        for arrived in message.blocks {
            let counter = match self.client.arrived(peer_id, arrived, now) {
                true => &self.counters.received_blocks,
                false => &self.counters.unwanted_blocks,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        for (id, have) in message.presences {
            self.client.presence(peer_id, &id, have, now);
        }
        if let Some(peer) = self.peers.get_mut(&peer_id) {
            peer.ledger.update(message.full, message.entries);
        }
    }

    fn on_tick(&mut self, now: Instant) {
        for (id, peer) in &mut self.peers {
            for connection in &mut peer.connections {
                let progress = connection.progress.load(Ordering::Relaxed);
                if progress != connection.seen_progress {
                    connection.seen_progress = progress;
                    self.client.heard(id, now);
                }
            }
        }
        self.client.tick(now);
    }

    fn on_answered(&mut self, peer_id: PeerId, turn: u64, answered: Answered) {
        // A peer that left meanwhile gets no answer, even if it has come back.
        let peer = self.peers.get_mut(&peer_id).filter(|peer| peer.served == turn);
        let Some(peer) = peer else { return };
        peer.busy = false;
        peer.ledger.put_back(answered.unanswered, answered.absent);
        if let Some(frame) = answered.frame {
            self.send(peer_id, frame, Load::Answer);
        }
    }

    /// Queues a frame on a peer's connection.
    fn send(&mut self, peer_id: PeerId, frame: Vec<u8>, load: Load) {
        let connection = self
            .peers
            .get_mut(&peer_id)
            .and_then(|peer| peer.connections.iter_mut().find(|one| !one.unsupported));
        let Some(connection) = connection else { return };
        match load {
            Load::Answer => {
                connection.queued_answers += frame.len();
                let queued = self.counters.queued_bytes.fetch_add(frame.len(), Ordering::Relaxed)
                    + frame.len();
                self.counters.peak_queued_bytes.fetch_max(queued, Ordering::Relaxed);
            }
            // The want is asked again when nothing comes of it.
            Load::Wants if connection.queued_wants + frame.len() > MAX_QUEUED_WANTS => return,
            Load::Wants => connection.queued_wants += frame.len(),
        }
        self.events.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::One(connection.id),
            event: Frame { bytes: frame.into(), load },
        });
    }

    /// Starts building messages for peers that wait for some and have room for them, those that
    /// waited longest first. Returns whether one was started.
    fn start_jobs(&mut self) -> bool {
        let mut waiting: Vec<(u64, PeerId)> = self
            .peers
            .iter_mut()
            .filter(|(_, peer)| !peer.busy && peer.is_supported())
            .filter_map(|(id, peer)| peer.ledger.is_waiting().then_some((peer.served, *id)))
            .collect();
        waiting.sort_unstable();
        let mut started = false;
        for (_, id) in waiting {
            if self.jobs.len() >= MAX_JOBS {
                break;
            }
            let total = self.counters.queued_bytes() + (self.jobs.len() + 1) * MAX_ANSWER_BYTES;
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            // Everyone may have one message on its way, so that peers which do not read cannot
            // keep others from being served by filling the room for all.
            let queued = peer.queued_answers();
            let has_room = queued == 0
                || (queued + MAX_ANSWER_BYTES <= self.config.queued_bytes_a_peer
                    && total <= self.config.queued_bytes);
            if !has_room {
                continue;
            }
            self.served += 1;
            peer.served = self.served;
            peer.busy = true;
            let (turn, wants, store) = (self.served, peer.ledger.take(), self.store.clone());
            self.jobs.push(tokio::task::spawn_blocking(move || (id, turn, answer(&store, wants))));
            started = true;
        }
        started
    }

    fn flush_wants(&mut self) {
        for (peer, entries) in self.client.take_outbox() {
            for entries in entries.chunks(MAX_ENTRIES) {
                self.send(peer, wantlist_frame(entries), Load::Wants);
            }
        }
    }

    fn count(&self) {
        let remembered = self.peers.values().map(|peer| peer.ledger.len()).sum();
        self.counters.remembered_wants.store(remembered, Ordering::Relaxed);
        self.counters.wanted_blocks.store(self.client.wanted(), Ordering::Relaxed);
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.new_handler(id))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.new_handler(id))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        let now = Instant::now();
        match event {
            FromSwarm::ConnectionEstablished(established) => {
                let id = established.connection_id;
                let progress = self.accepted.remove(&id).unwrap_or_default();
                let peer = self.peers.entry(established.peer_id).or_default();
                peer.connections.push(Connection {
                    id,
                    progress,
                    seen_progress: 0,
                    queued_answers: 0,
                    queued_wants: 0,
                    unsupported: false,
                });
                if peer.connections.len() == 1 {
                    self.client.connected(established.peer_id, now);
                }
            }
            FromSwarm::ConnectionClosed(closed) => {
                let peer_id = closed.peer_id;
                let Some(peer) = self.peers.get_mut(&peer_id) else { return };
                if let Some(at) =
                    peer.connections.iter().position(|one| one.id == closed.connection_id)
                {
                    let lost = peer.connections.remove(at);
                    self.counters.queued_bytes.fetch_sub(lost.queued_answers, Ordering::Relaxed);
                }
                let remains = !peer.connections.is_empty();
                if !remains {
                    self.peers.remove(&peer_id);
                }
                // Questions that waited on the lost connection are asked again on the other one.
                self.client.disconnected(&peer_id, now);
                if remains {
                    self.client.connected(peer_id, now);
                }
            }
            FromSwarm::ListenFailure(failure) => {
                self.accepted.remove(&failure.connection_id);
            }
            FromSwarm::DialFailure(failure) => {
                self.accepted.remove(&failure.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer_id: PeerId,
        connection_id: ConnectionId,
        HandlerEvent(event): THandlerOutEvent<Self>,
    ) {
        let now = Instant::now();
        let connection = self
            .peers
            .get_mut(&peer_id)
            .and_then(|peer| peer.connections.iter_mut().find(|one| one.id == connection_id));
        match (event, connection) {
            (Event::Received(message), Some(_)) => self.on_message(peer_id, message, now),
            (Event::Released { load: Load::Wants, bytes }, Some(connection)) => {
                connection.queued_wants = connection.queued_wants.saturating_sub(bytes);
            }
            (Event::Released { load: Load::Answer, bytes }, Some(connection)) => {
                let bytes = bytes.min(connection.queued_answers);
                connection.queued_answers -= bytes;
                self.counters.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            }
            (Event::Unsupported, Some(connection)) => {
                connection.unsupported = true;
                if self.peers.get(&peer_id).is_some_and(|peer| !peer.is_supported()) {
                    self.client.disconnected(&peer_id, now);
                }
            }
            // The connection's account was closed with it.
            (_, None) => {}
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            let now = Instant::now();
            let mut progress = false;
            while let Poll::Ready(Some(command)) = self.commands.poll_recv(cx) {
                self.on_command(command, now);
                progress = true;
            }
            while let Poll::Ready(Some(finished)) = self.jobs.poll_next_unpin(cx) {
                progress = true;
                match finished {
                    Ok((peer, turn, answered)) => self.on_answered(peer, turn, answered),
                    Err(error) => tracing::error!(%error, "an answer could not be built"),
                }
            }
            while self.tick.poll_tick(cx).is_ready() {
                self.on_tick(now);
                progress = true;
            }
            // A job must be polled once before its end can wake this behaviour.
            progress |= self.start_jobs();
            self.flush_wants();
            self.count();
            if !progress && self.events.is_empty() {
                return Poll::Pending;
            }
        }
    }
}

const _: () = assert!(MAX_ANSWER_BYTES < MAX_MESSAGE_BYTES && MAX_BLOCK_BYTES < MAX_MESSAGE_BYTES);
