//! The state of a signaling server.

mod commit;
mod counts;
mod decision;
mod lifecycle;
mod matching;
mod relay;
mod request;
mod returning;
mod room;
mod session;

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use slab::Slab;

pub use self::counts::Counts;
use self::{
    matching::Queue,
    request::Request,
    returning::Returning,
    room::Room,
    session::{Namespace, Session, Subject},
};
use crate::{
    Channel, ChannelName, ClientFrame, ClientMessage, Epoch, ErrorCode, Input, Limits, Output, PeerId, Place,
    Pool, PoolName, Recipients, RequestId, ServerMessage, SessionId, Token,
};

/// The state of a signaling server: its sessions, its channels, and what they wait for.
///
/// | input | what may follow |
/// |---|---|
/// | `Message(join)` | `Authorize`; after `Authorized` an `Append`; after `Committed` the answer and the introductions |
/// | `Message(part, setUserdata)` | `Append`; after `Committed` the answer and the news |
/// | `Message(match)` | as for a join, but the answer may be to wait; who waits gets the introductions when a stranger comes |
/// | `Message(relay…, send)` | one `Send` to those addressed, or an error |
/// | `Detached` | an `Append` for each pool in which it waits; after `Committed` that it waits no longer. The channels are told nothing |
/// | `Resumed` | nothing; nobody is told |
/// | `Restarted` | nothing; some joins that follow are put to the log only after a while |
/// | `Disconnected`, `Timeout` after the grace time | an `Append` for each seat and each pool; after `Committed` the news, then `Ended` |
///
/// The driver calls [`Hub::handle_input`] with everything that happens and does what is emitted; whenever
/// [`Hub::poll_timeout`] has passed it says so. Channels and pools change in `Committed` only.
#[derive(Debug)]
pub struct Hub {
    limits: Limits,
    epoch: Epoch,
    sessions: Vec<Option<Box<Session>>>,
    peers: HashMap<PeerId, SessionId>,
    rooms: Slab<Room>,
    room_keys: HashMap<ChannelName, usize>,
    queues: HashMap<PoolName, Queue>,
    timers: BTreeSet<(Instant, Timer)>,
    serial: u64,
    returning: Returning,
    counts: Counts,
    /// Those that sessions have lived in.
    namespaces: Vec<&'static str>,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A detached session has not come back.
    Grace(SessionId),
    /// The policy or the log has not answered.
    Undecided(Token),
    /// A stranger has waited for so long that something changes.
    Search(Token),
    /// Those who had seats before the server started again have had their time to return.
    Returned,
}

type Emit<'e> = dyn FnMut(Output<'_>) + 'e;

impl Hub {
    /// A hub without sessions. `epoch` names this life of the log.
    #[must_use]
    pub fn new(limits: Limits, epoch: Epoch) -> Self {
        Self {
            limits,
            epoch,
            sessions: Vec::new(),
            peers: HashMap::new(),
            rooms: Slab::new(),
            room_keys: HashMap::new(),
            queues: HashMap::new(),
            timers: BTreeSet::new(),
            serial: 0,
            returning: Returning::default(),
            counts: Counts::default(),
            namespaces: Vec::new(),
        }
    }

    /// Applies one input and emits everything that follows from it, in order.
    ///
    /// It cannot fail: what a peer does wrong is answered to that peer. An input that names a session which is
    /// not there has no effect, as it may have ended a moment ago.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>, mut emit: impl FnMut(Output<'_>)) {
        let emit: &mut Emit<'_> = &mut emit;
        match input {
            Input::Connected { session, peer, identity, namespace } => {
                let namespace = namespace.and_then(|name| self.namespace(name));
                self.connect(session, Session::new(peer, identity, namespace));
            }
            Input::Message { session, frame } => self.message(now, session, frame, emit),
            Input::Malformed { session, code, id } => self.malformed(now, session, code, id, emit),
            Input::Authorized { token, grant } => self.authorized(now, token, grant, emit),
            Input::Denied { token, code, message } => self.denied(now, token, code, message, emit),
            Input::Detached { session } => self.detach(now, session, emit),
            Input::Resumed { session } => self.resume(session),
            Input::Disconnected { session, reason } => self.end(session, reason, emit),
            Input::Expelled { session, channel } => self.expel(now, session, channel, emit),
            Input::Published { to, data } => self.publish(to, data, emit),
            Input::Committed { place: Place::Channel(channel), position, entry } => {
                self.committed(now, channel, position, entry, emit)
            }
            Input::Committed { place: Place::Pool(pool), position, entry } => {
                self.committed_in_pool(now, pool, position, entry, emit)
            }
            Input::Refused { token } => self.refused(now, token, emit),
            Input::Restarted => self.returning.begin(now + self.limits.returning),
            Input::Timeout => self.timeout(now, emit),
        }
        // In a crowd it is done only now and then, as it takes the longer the more sessions there are.
        #[cfg(any(test, fuzzing))]
        if self.serial.is_multiple_of(1 + self.sessions.len() as u64 / 64) {
            assert_eq!(self.counts(), self.recounted());
            self.check_turns();
        }
    }

    /// When the hub next wants an [`Input::Timeout`]; ask again after every input.
    ///
    /// It is later than the `now` of the last `Timeout`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(deadline, _)| *deadline)
    }

    /// The session of a peer on this machine.
    #[must_use]
    pub fn session_of(&self, peer: &str) -> Option<SessionId> {
        self.peers.get(peer).copied()
    }

    /// The id of the peer behind a session.
    #[must_use]
    pub fn peer_of(&self, session: SessionId) -> Option<&PeerId> {
        self.session(session).map(|session| &session.peer)
    }

    /// Whether a session is in a channel and knows it.
    #[must_use]
    pub fn has_seat(&self, session: SessionId) -> bool {
        self.session(session).is_some_and(|session| !session.seats.is_empty())
    }

    /// The state of a channel, if it has members.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.room_keys.get(name).map(|key| &self.rooms[*key].channel)
    }

    /// All channels with members, in an order that depends on the inputs alone.
    pub fn channels(&self) -> impl Iterator<Item = (&ChannelName, &Channel)> {
        self.rooms.iter().map(|(_, room)| (&room.name, &room.channel))
    }

    /// The channels in which a session has a seat, in the order in which it joined.
    pub fn channels_of(&self, session: SessionId) -> impl Iterator<Item = &ChannelName> {
        let seats = self.session(session).into_iter().flat_map(|session| &session.seats);
        seats.map(|seat| &self.rooms[seat.room].name)
    }

    /// One of all channels with members, by its place. Going through the places one by one finds all channels that stay.
    #[must_use]
    pub fn channel_at(&self, place: usize) -> Option<(&ChannelName, &Channel)> {
        self.rooms.get(place).map(|room| (&room.name, &room.channel))
    }

    /// The first place at which there is no channel, nor at any behind it.
    #[must_use]
    pub fn channel_places(&self) -> usize {
        self.rooms.capacity()
    }

    /// The strangers who wait in a pool, if there are any.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.queues.get(name).map(|queue| &queue.pool)
    }

    /// All live sessions in the order of their numbers, detached ones included.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &PeerId)> {
        self.sessions.iter().zip(0..).filter_map(|(session, number)| {
            let session = session.as_deref().filter(|session| session.is_live())?;
            Some((SessionId(number), &session.peer))
        })
    }

    /// Whether a session is there and has not been ended. One that has keeps its number, and its peer its id, until the
    /// log has taken back its seats.
    #[must_use]
    pub fn is_live(&self, session: SessionId) -> bool {
        self.session(session).is_some_and(Session::is_live)
    }

    /// Whether nothing is left: no session, no channel, no pool, no deadline.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let nobody_waits = self.queues.is_empty() && self.timers.is_empty();
        self.peers.is_empty() && self.rooms.is_empty() && nobody_waits
    }

    fn message(&mut self, now: Instant, session: SessionId, frame: ClientFrame<'_>, emit: &mut Emit<'_>) {
        if !self.is_live(session) {
            return;
        }
        let id = frame.id;
        match frame.message {
            ClientMessage::Hello(_) => self.malformed(now, session, ErrorCode::BadMessage, id, emit),
            ClientMessage::Join { channel, userdata, seat } => {
                let request = Request::Join { userdata, seat: seat.map(Cow::into_owned) };
                self.request(now, session, Subject::Channel(&channel), id, request, emit);
            }
            ClientMessage::Part { channel } => {
                self.request(now, session, Subject::Channel(&channel), id, Request::Part, emit);
            }
            ClientMessage::SetUserdata { channel, userdata } => {
                let request = Request::SetUserdata(userdata);
                self.request(now, session, Subject::Channel(&channel), id, request, emit);
            }
            ClientMessage::SendToChannel { channel, data, echo } => {
                let request = Request::Send { data, echo };
                self.request(now, session, Subject::Channel(&channel), id, request, emit);
            }
            ClientMessage::Match { pool, userdata, leave } => {
                if let Some(channel) = leave {
                    self.request(now, session, Subject::Channel(&channel), None, Request::Part, emit);
                }
                self.request(now, session, Subject::Pool(&pool), id, Request::Match(userdata), emit);
            }
            ClientMessage::CancelMatch { pool } => {
                self.request(now, session, Subject::Pool(&pool), id, Request::Cancel, emit);
            }
            ClientMessage::SendToPeer { peer_id, data } => {
                self.relay(session, id, relay::Relayed::Data(data), &peer_id, None, emit);
            }
            ClientMessage::RelaySessionDescription {
                peer_id,
                session_description,
                connection_id,
                attempt,
            } => {
                let relayed = relay::Relayed::SessionDescription(session_description, attempt);
                self.relay(session, id, relayed, &peer_id, connection_id.as_deref(), emit);
            }
            ClientMessage::RelayIceCandidate { peer_id, ice_candidate, connection_id, attempt } => {
                let relayed = relay::Relayed::IceCandidate(ice_candidate, attempt);
                self.relay(session, id, relayed, &peer_id, connection_id.as_deref(), emit);
            }
            // These two belong to the socket; the driver has dealt with them.
            ClientMessage::Ack { .. } | ClientMessage::Ping => {}
            ClientMessage::Bye => self.bye(session, emit),
        }
    }

    /// The place of a namespace, which it has from its first session on.
    fn namespace(&mut self, name: &'static str) -> Option<Namespace> {
        let place = self.namespaces.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.namespaces.push(name);
            self.namespaces.len() - 1
        });
        u8::try_from(place).ok().map(Namespace)
    }

    /// Whether a session may join a channel, or wait in a pool, with a name of this namespace.
    fn may_use(&self, session: &Session, namespace: Option<&str>) -> bool {
        let own = session.namespace.and_then(|Namespace(place)| self.namespaces.get(usize::from(place)));
        namespace.is_none() || namespace == own.copied()
    }

    fn session(&self, session: SessionId) -> Option<&Session> {
        self.sessions.get(session.0 as usize)?.as_deref()
    }

    fn session_mut(&mut self, session: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(session.0 as usize)?.as_deref_mut()
    }
}

/// Answers a request that has no answer of its own, if the peer wants to know.
fn confirm(session: SessionId, id: Option<&RequestId>, emit: &mut Emit<'_>) {
    if let Some(id) = id {
        emit(Output::send(Recipients::one(&session), ServerMessage::Ok { id }));
    }
}

/// Tells a peer that its request about `subject` has failed.
fn reject<'a>(
    session: SessionId,
    code: ErrorCode,
    subject: impl Into<Subject<'a>>,
    id: Option<&RequestId>,
    emit: &mut Emit<'_>,
) {
    reject_because(session, code, code.message(), subject.into(), id, emit);
}

fn reject_because(
    session: SessionId,
    code: ErrorCode,
    message: &str,
    subject: Subject<'_>,
    id: Option<&RequestId>,
    emit: &mut Emit<'_>,
) {
    let (channel, pool) = match subject {
        Subject::Channel(name) => (Some(Cow::Borrowed(name)), None),
        Subject::Pool(name) => (None, Some(Cow::Borrowed(name))),
    };
    let message = ServerMessage::Error {
        code,
        message: Cow::Borrowed(message),
        id,
        channel,
        pool,
        peer_id: None,
        connection_id: None,
    };
    emit(Output::send(Recipients::one(&session), message));
}
