//! A Bitswap peer that sends whatever bytes a test wants, and reads or does not read the answers.

use super::PATIENCE;
use futures::{
    future::{pending, BoxFuture},
    io::{AsyncReadExt, AsyncWriteExt},
    FutureExt, StreamExt,
};
use libp2p::{
    core::{
        transport::PortUse,
        upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
        Endpoint,
    },
    noise,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, OneShotHandler,
        OneShotHandlerConfig, Stream, SubstreamProtocol, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
    tcp, yamux, Multiaddr, PeerId, StreamProtocol, SwarmBuilder,
};
use openledger_content::IpfsNode;
use std::{
    convert::Infallible,
    io,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinHandle};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/bitswap/1.2.0");
const FOR_EVER: Duration = Duration::from_secs(3600);

/// What a peer does with the bytes that come to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Reads messages.
    All,
    /// Leaves them in the socket.
    Nothing,
}

pub struct RawPeer {
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    incoming: mpsc::UnboundedReceiver<Vec<u8>>,
    task: JoinHandle<()>,
}

impl RawPeer {
    /// Connects with a node.
    pub async fn dial(node: &IpfsNode, reading: Reading) -> Self {
        let before = node.peers().len();
        let (outgoing, frames) = mpsc::unbounded_channel();
        let (messages, incoming) = mpsc::unbounded_channel();
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| Behaviour { frames, messages, reading, peer: None })
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(FOR_EVER))
            .build();
        swarm.dial(node.listen_addresses()[0].clone()).unwrap();
        let task = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        node.wait_for_peers(before + 1, PATIENCE).await.unwrap();
        Self { outgoing, incoming, task }
    }

    /// Sends a message on a stream of its own.
    pub fn send(&self, message: &[u8]) {
        self.send_bytes([super::dag::varint(message.len() as u64), message.to_vec()].concat());
    }

    /// Sends bytes that need not be a message.
    pub fn send_bytes(&self, bytes: Vec<u8>) {
        self.outgoing.send(bytes).unwrap();
    }

    /// The next message that comes.
    pub async fn receive(&mut self) -> Vec<u8> {
        tokio::time::timeout(PATIENCE, self.incoming.recv()).await.unwrap().unwrap()
    }

    /// The next message that contains some bytes, for example a CID.
    pub async fn receive_with(&mut self, needle: &[u8]) -> Vec<u8> {
        loop {
            let message = self.receive().await;
            if message.windows(needle.len()).any(|window| window == needle) {
                return message;
            }
        }
    }
}

impl Drop for RawPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Inbound {
    messages: mpsc::UnboundedSender<Vec<u8>>,
    reading: Reading,
}

impl UpgradeInfo for Inbound {
    type Info = StreamProtocol;
    type InfoIter = [StreamProtocol; 1];
    fn protocol_info(&self) -> Self::InfoIter {
        [PROTOCOL]
    }
}

impl InboundUpgrade<Stream> for Inbound {
    type Output = ();
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<(), Infallible>>;
    fn upgrade_inbound(self, mut stream: Stream, _: StreamProtocol) -> Self::Future {
        async move {
            if self.reading == Reading::Nothing {
                pending::<()>().await;
            }
            while let Ok(message) = read(&mut stream).await {
                let _ = self.messages.send(message);
            }
            Ok(())
        }
        .boxed()
    }
}

async fn read(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let (mut length, mut shift) = (0usize, 0);
    loop {
        let mut byte = [0u8];
        stream.read_exact(&mut byte).await?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

#[derive(Debug)]
struct Outbound(Vec<u8>);

impl UpgradeInfo for Outbound {
    type Info = StreamProtocol;
    type InfoIter = [StreamProtocol; 1];
    fn protocol_info(&self) -> Self::InfoIter {
        [PROTOCOL]
    }
}

impl OutboundUpgrade<Stream> for Outbound {
    type Output = ();
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<()>>;
    fn upgrade_outbound(self, mut stream: Stream, _: StreamProtocol) -> Self::Future {
        async move {
            stream.write_all(&self.0).await?;
            stream.close().await
        }
        .boxed()
    }
}

struct Behaviour {
    frames: mpsc::UnboundedReceiver<Vec<u8>>,
    messages: mpsc::UnboundedSender<Vec<u8>>,
    reading: Reading,
    peer: Option<PeerId>,
}

impl Behaviour {
    fn handler(&self) -> OneShotHandler<Inbound, Outbound, ()> {
        let inbound = Inbound { messages: self.messages.clone(), reading: self.reading };
        OneShotHandler::new(
            SubstreamProtocol::new(inbound, ()).with_timeout(FOR_EVER),
            OneShotHandlerConfig {
                outbound_substream_timeout: FOR_EVER,
                max_dial_negotiated: 1_000_000,
            },
        )
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = OneShotHandler<Inbound, Outbound, ()>;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if let FromSwarm::ConnectionEstablished(established) = event {
            self.peer = Some(established.peer_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        _: THandlerOutEvent<Self>,
    ) {
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        let Some(peer_id) = self.peer else { return Poll::Pending };
        match self.frames.poll_recv(cx) {
            Poll::Ready(Some(frame)) => Poll::Ready(ToSwarm::NotifyHandler {
                peer_id,
                handler: NotifyHandler::Any,
                event: Outbound(frame),
            }),
            _ => Poll::Pending,
        }
    }
}
