//! What peers and server say to each other, without the JSON around it.

use std::{borrow::Cow, time::Duration};

use crate::{CloseReason, ConnectionId, EndReason, ErrorCode, MatchEnd, Payload, RequestId};

/// One frame of a client: a message, and the id by which it wants the answer to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFrame<'a> {
    /// Repeated in the answer.
    pub id: Option<RequestId>,
    /// What the client says.
    pub message: ClientMessage<'a>,
}

/// What a client says. Texts and payloads are borrowed from the frame where JSON allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage<'a> {
    /// The first message on every socket.
    Hello(Hello<'a>),
    /// Asks for a seat in a channel.
    Join {
        /// The channel's name.
        channel: Cow<'a, str>,
        /// What is told to the others.
        userdata: Option<Payload<'a>>,
        /// The seat that the peer had there before the server started again, as `joined` has named it.
        seat: Option<Cow<'a, str>>,
    },
    /// Gives up the seat.
    Part {
        /// The channel's name.
        channel: Cow<'a, str>,
    },
    /// Hands an offer, answer or rollback to one peer.
    RelaySessionDescription {
        /// The peer that gets it.
        peer_id: Cow<'a, str>,
        /// An `RTCSessionDescriptionInit`.
        session_description: Payload<'a>,
        /// The introduction that it belongs to.
        connection_id: Option<Cow<'a, str>>,
        /// Which `RTCPeerConnection` for that introduction, counted from 0.
        attempt: Option<u32>,
    },
    /// Hands an ICE candidate to one peer (trickle ICE, RFC 8838).
    RelayIceCandidate {
        /// The peer that gets it.
        peer_id: Cow<'a, str>,
        /// An `RTCIceCandidateInit`, or `null` for the end of candidates.
        ice_candidate: Payload<'a>,
        /// The introduction that it belongs to.
        connection_id: Option<Cow<'a, str>>,
        /// Which `RTCPeerConnection` for that introduction, counted from 0.
        attempt: Option<u32>,
    },
    /// Replaces the userdata in one channel.
    SetUserdata {
        /// The channel's name.
        channel: Cow<'a, str>,
        /// The new value.
        userdata: Payload<'a>,
    },
    /// An app message to one peer.
    SendToPeer {
        /// The peer that gets it.
        peer_id: Cow<'a, str>,
        /// Anything.
        data: Payload<'a>,
    },
    /// An app message to all other members of a channel.
    SendToChannel {
        /// The channel's name.
        channel: Cow<'a, str>,
        /// Anything.
        data: Payload<'a>,
        /// Whether the sender gets it, too. It has no form on the wire, where the answer is no.
        echo: bool,
    },
    /// Waits in a pool for a stranger.
    Match {
        /// The pool's name.
        pool: Cow<'a, str>,
        /// What is told to the stranger.
        userdata: Option<Payload<'a>>,
        /// A channel to part first: the one with the last stranger.
        leave: Option<Cow<'a, str>>,
    },
    /// Waits no longer.
    CancelMatch {
        /// The pool's name.
        pool: Cow<'a, str>,
    },
    /// How many counted frames of the server have arrived.
    Ack {
        /// The number, from the start of the session.
        received: u64,
    },
    /// Asks for a sign of life.
    Ping,
    /// Ends the session without grace.
    Bye,
}

/// How a client introduces itself to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The version of the protocol.
    pub version: u32,
    /// What the embedder's policy asks for, such as a JWT.
    pub token: Option<Cow<'a, str>>,
    /// The session to go on with.
    pub resume: Option<Resume<'a>>,
    /// The resume token of a session to end, if it is detached.
    pub replaces: Option<Cow<'a, str>>,
}

/// Which session a client wants back, and up to where it has followed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume<'a> {
    /// From the last `welcome`.
    pub token: Cow<'a, str>,
    /// How many counted frames of the server have arrived.
    pub received: u64,
}

/// What the server says to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage<'a> {
    /// The answer to `hello`.
    Welcome {
        /// The client's own id.
        peer_id: Cow<'a, str>,
        /// Whether the session asked for goes on.
        resumed: bool,
        /// How many counted frames of the client have arrived.
        received: u64,
        /// What to say to come back.
        resume: ResumeOffer<'a>,
        /// A list of `RTCIceServer`.
        ice_servers: Payload<'a>,
        /// After how much silence the server asks for a sign of life.
        heartbeat: Duration,
    },
    /// TURN credentials for a peer that is in a channel, or is about to be told so.
    IceServers {
        /// A list of `RTCIceServer`, in place of all that the client has been told before.
        ice_servers: Payload<'a>,
        /// How long the credentials among them are valid.
        ttl: Duration,
    },
    /// The answer to `join`; an `AddPeer` for each member follows.
    Joined {
        /// That of the request.
        id: Option<&'a RequestId>,
        /// The channel's name.
        channel: Cow<'a, str>,
        /// How many `AddPeer` follow.
        peers: usize,
        /// What brings the seat back, should the server start again. The hub has none: the driver signs it.
        seat: Option<Cow<'a, str>>,
    },
    /// The answer to `part`, or the news that the server has taken the peer out of the channel.
    Parted {
        /// That of the request.
        id: Option<&'a RequestId>,
        /// The channel's name.
        channel: Cow<'a, str>,
    },
    /// A peer is introduced.
    AddPeer {
        /// The channel's name.
        channel: Cow<'a, str>,
        /// Who it is.
        peer_id: Cow<'a, str>,
        /// What the receiver of this message does.
        role: Role,
        /// Names the introduction; the same for both sides.
        connection_id: ConnectionId,
        /// What the peer says about itself; `null` if nothing.
        userdata: Payload<'a>,
        /// What the embedder's policy has verified about it.
        identity: Option<Cow<'a, str>>,
        /// Whether it is the host of a star.
        is_host: bool,
    },
    /// An introduction has ended.
    RemovePeer {
        /// The channel's name.
        channel: Cow<'a, str>,
        /// Who is gone.
        peer_id: Cow<'a, str>,
        /// Why.
        reason: EndReason,
    },
    /// Relayed from another peer.
    SessionDescription {
        /// The sender.
        peer_id: Cow<'a, str>,
        /// As it was sent.
        session_description: Payload<'a>,
        /// As it was sent.
        connection_id: Option<Cow<'a, str>>,
        /// As it was sent.
        attempt: Option<u32>,
    },
    /// Relayed from another peer.
    IceCandidate {
        /// The sender.
        peer_id: Cow<'a, str>,
        /// As it was sent.
        ice_candidate: Payload<'a>,
        /// As it was sent.
        connection_id: Option<Cow<'a, str>>,
        /// As it was sent.
        attempt: Option<u32>,
    },
    /// A peer has new userdata.
    Userdata {
        /// The channel's name.
        channel: Cow<'a, str>,
        /// Whose it is.
        peer_id: Cow<'a, str>,
        /// The new value.
        userdata: Payload<'a>,
    },
    /// An app message.
    Message {
        /// The sender; nobody if the server itself.
        peer_id: Option<Cow<'a, str>>,
        /// The channel that it was sent to, if it was.
        channel: Option<Cow<'a, str>>,
        /// As it was sent.
        data: Payload<'a>,
    },
    /// The answer to `match` when nobody was there, and the news that the number has changed.
    Waiting {
        /// That of the request, if this answers one.
        id: Option<&'a RequestId>,
        /// The pool's name.
        pool: Cow<'a, str>,
        /// How many wait, the receiver among them.
        waiting: usize,
    },
    /// Strangers meet; what follows a join follows.
    Matched {
        /// That of the request, if nobody had to wait.
        id: Option<&'a RequestId>,
        /// The pool's name.
        pool: Cow<'a, str>,
        /// The channel in which they have seats.
        channel: Cow<'a, str>,
    },
    /// The peer waits no longer, and has met nobody.
    MatchEnded {
        /// That of the request, if it was not answered before.
        id: Option<&'a RequestId>,
        /// The pool's name.
        pool: Cow<'a, str>,
        /// Why.
        reason: MatchEnd,
    },
    /// A request without an answer of its own has been carried out.
    Ok {
        /// That of the request.
        id: &'a RequestId,
    },
    /// A request has failed, or a frame was not understood.
    Error {
        /// Which of the documented errors.
        code: ErrorCode,
        /// A sentence for people.
        message: Cow<'a, str>,
        /// That of the request.
        id: Option<&'a RequestId>,
        /// The channel that the request named.
        channel: Option<Cow<'a, str>>,
        /// The pool that the request named.
        pool: Option<Cow<'a, str>>,
        /// The peer that the request named.
        peer_id: Option<Cow<'a, str>>,
        /// The introduction that the request named.
        connection_id: Option<Cow<'a, str>>,
    },
    /// How many counted frames of the client have arrived.
    Ack {
        /// The number, from the start of the session.
        received: u64,
    },
    /// The answer to `ping`.
    Pong,
    /// The server is going down.
    Closing {
        /// When to come back.
        reconnect_after: Duration,
    },
}

impl ServerMessage<'_> {
    /// Whether both sides count the message towards `received`, and it is kept until acknowledged.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !matches!(self, Self::Welcome { .. } | Self::Ack { .. } | Self::Pong | Self::Closing { .. })
    }
}

impl ClientMessage<'_> {
    /// Whether both sides count the message towards `received`.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !matches!(self, Self::Hello(_) | Self::Ack { .. } | Self::Ping | Self::Bye)
    }
}

/// How a client gets its session back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeOffer<'a> {
    /// What to send as [`Resume::token`].
    pub token: Cow<'a, str>,
    /// How long the session outlives the socket.
    pub grace: Duration,
}

/// What a peer does first in an introduction (RFC 3264; RFC 9429, section 3.2). A boolean on the wire only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Makes the first offer.
    Offerer,
    /// Waits for it.
    Answerer,
}

impl From<ErrorCode> for ServerMessage<'_> {
    /// An error that names nothing.
    fn from(code: ErrorCode) -> Self {
        ServerMessage::Error {
            code,
            message: Cow::Borrowed(code.message()),
            id: None,
            channel: None,
            pool: None,
            peer_id: None,
            connection_id: None,
        }
    }
}

impl From<CloseReason> for EndReason {
    /// What the other peers are told when a session ends with its socket.
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Bye => Self::Bye,
            CloseReason::Kicked => Self::Kicked,
            CloseReason::Overflow => Self::Overflow,
            CloseReason::Replaced => Self::Replaced,
            CloseReason::Slow | CloseReason::Heartbeat | CloseReason::Draining => Self::Timeout,
            CloseReason::TooLarge
            | CloseReason::HelloTimeout
            | CloseReason::Unauthorized
            | CloseReason::Protocol
            | CloseReason::UnsupportedVersion
            | CloseReason::Rate => Self::Closed,
        }
    }
}
