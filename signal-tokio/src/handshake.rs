//! From an upgraded socket to a session: `hello` and `welcome`.

use std::{
    borrow::Cow,
    cell::RefCell,
    future::poll_fn,
    ops::ControlFlow,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker, ready},
};

use signal_core::{
    ClientFrame, ClientMessage, CloseReason, EndReason, ErrorCode, Hello, Input, Outbox, PeerId, Place,
    RequestId, ResumeOffer, ServerMessage, SessionId, codec,
};
use tokio::time;

use crate::{
    Admission, Event, Frame, Guest, Received, Refusal, Socket,
    dialect::{Foreign, OwnId},
    driver::{Shared, State, close_reason_of},
    frame::FrameBuffer,
    link::Link,
    metrics::Resumption,
    question::unharmed,
    random,
    rate::Budget,
    tokens::{ResumeToken, Ticket},
    trace,
};

/// A socket that carries a session.
pub(crate) struct Attached {
    pub(crate) link: Arc<Link>,
    /// Its number in the session.
    pub(crate) socket: u64,
    /// Until it is written.
    pub(crate) welcome: Option<Frame>,
}

/// A socket is closed before it has a session: what it is told, and how.
pub(crate) struct Rejection {
    pub(crate) error: Option<Frame>,
    pub(crate) reason: CloseReason,
}

/// The version of the protocol that is spoken here.
const VERSION: u32 = 1;

/// Waits for `hello`, asks the policy, and finds or makes the session. `None` when the socket is gone.
pub(crate) async fn shake_hands<S: Socket>(
    shared: &Arc<Shared>,
    socket: &mut S,
    admission: Admission,
) -> Option<Result<Attached, Rejection>> {
    let patience = shared.config.timing.hello;
    let text = match time::timeout(patience, poll_fn(|context| poll_first(socket, context))).await {
        Ok(First::Text(text)) => text,
        Ok(First::Binary) => return Some(Err(malformed(ErrorCode::BadMessage, None))),
        Ok(First::TooLarge) => return Some(Err(Rejection { error: None, reason: CloseReason::TooLarge })),
        Ok(First::Lost) => return None,
        Err(_) => return Some(Err(Rejection { error: None, reason: CloseReason::HelloTimeout })),
    };
    let (id, hello) = match codec::decode(&text, &shared.config.frames) {
        Ok(ClientFrame { id, message: ClientMessage::Hello(hello) }) => (id, hello),
        Ok(ClientFrame { id, .. }) => return Some(Err(malformed(ErrorCode::BadMessage, id))),
        Err(error) => return Some(Err(malformed(error.code, error.id))),
    };
    if hello.version != VERSION {
        let code = ErrorCode::UnsupportedVersion;
        let error = Some(error(code, code.message(), id.as_ref()));
        return Some(Err(Rejection { error, reason: CloseReason::UnsupportedVersion }));
    }
    let decided = time::timeout(patience, unharmed(shared.policy.hello(admission, &hello))).await;
    let decided = decided.unwrap_or_else(|_| Err(Refusal::unavailable(ErrorCode::Unavailable.message())));
    let attached =
        decided.and_then(Admission::checked).and_then(|admission| attach(shared, admission, &hello));
    Some(attached.map_err(|refusal| {
        trace::refused("hello", &refusal);
        refused(&refusal, id.as_ref())
    }))
}

/// What comes first over a socket, but for signs of life.
enum First {
    Text(String),
    Binary,
    TooLarge,
    Lost,
}

fn poll_first<S: Socket>(socket: &mut S, context: &mut Context<'_>) -> Poll<First> {
    loop {
        let mut first = None;
        let received = socket.poll_receive(context, |received| {
            first = Some(match received {
                Received::Text(text) => First::Text(text.to_owned()),
                Received::Binary(_) => First::Binary,
                Received::TooLarge => First::TooLarge,
                Received::GoneAway | Received::Closed => First::Lost,
                Received::LifeSign => return ControlFlow::Continue(()),
            });
            ControlFlow::Break(())
        });
        if let Some(first) = first {
            return Poll::Ready(first);
        }
        // Pings are answered. A socket that is lost by this is noticed by reading on.
        let _ = socket.poll_send(context, || None);
        ready!(received);
    }
}

fn attach(shared: &Arc<Shared>, admission: Admission, hello: &Hello<'_>) -> Result<Attached, Refusal> {
    let read = |token| shared.signer.read_resume_token(token);
    if let Some(replaced) = hello.replaces.as_deref().and_then(read) {
        end_detached(shared, &replaced);
    }
    let Some(resume) = &hello.resume else { return open_session(shared, admission, None, None) };
    let token = read(&resume.token);
    let resumed = token.as_ref().ok_or(Resumption::Unknown);
    let resumed = resumed.and_then(|token| resume_session(shared, &admission, token, resume.received));
    let outcome = match resumed {
        Ok((outcome, attached)) => {
            shared.metrics.resumes.count(outcome.as_str());
            trace::resumed(&attached.link, outcome.as_str());
            return Ok(attached);
        }
        Err(outcome) => outcome,
    };
    // "Not resumed" means that nothing is left of the old session.
    let token = token.filter(|token| token.is_of(admission.identity.as_deref()));
    let left = token.as_ref().and_then(|token| find(&shared.lock(), token));
    if let Some(link) = left {
        shared.end(&link, CloseReason::Replaced);
    }
    let before = token.as_ref().map(|token| token.peer.clone());
    let attached = open_session(shared, admission, token, None)?;
    let is_back = before.as_ref() == Some(&attached.link.peer);
    let outcome = if is_back { Resumption::Restored } else { outcome };
    shared.metrics.resumes.count(outcome.as_str());
    Ok(attached)
}

/// Makes the session of a guest, which has it join its channel.
pub(crate) fn receive(
    shared: &Arc<Shared>,
    admission: Admission,
    Guest { dialect, id, first, refusal }: Guest,
) -> Result<Attached, Rejection> {
    let reject = |text: &str| Rejection { error: Some(Frame::text(text)), reason: CloseReason::Unauthorized };
    if let Some(why) = refusal {
        return Err(reject(&why));
    }
    let (own, secret, taken) = match id {
        Some(OwnId { peer, secret, taken }) => (Some(peer), secret, taken),
        None => (None, None, None),
    };
    let before = own.as_ref().and_then(|own| {
        let state = shared.lock();
        state.link(state.hub.session_of(own.as_str())?).cloned()
    });
    // It has lost its socket, and we have not heard of that.
    if let Some(before) = before.filter(|before| before.is_of_guest(&dialect, secret.as_deref())) {
        shared.end(&before, CloseReason::Replaced);
    }
    let channel = first.clone().and_then(|first| match first {
        Place::Channel(name) => Some(name),
        Place::Pool(_) => None,
    });
    let foreign = Foreign { dialect: Arc::clone(&dialect), secret, channel: Mutex::new(channel) };
    let opened =
        admission.checked().and_then(|admission| open_session(shared, admission, None, Some((own, foreign))));
    let attached = opened.map_err(|refusal| match taken {
        Some(taken) if refusal.code == ErrorCode::Unauthorized => reject(&taken),
        _ => Rejection { error: None, reason: close_reason_of(&refusal) },
    })?;
    if let Some(first) = first {
        let message = match &first {
            Place::Channel(name) => {
                ClientMessage::Join { channel: Cow::Borrowed(name.as_str()), userdata: None, seat: None }
            }
            Place::Pool(name) => {
                ClientMessage::Match { pool: Cow::Borrowed(name.as_str()), userdata: None, leave: None }
            }
        };
        let (session, frame) = (attached.link.session, ClientFrame { id: None, message });
        shared.handle_for(&attached.link, Input::Message { session, frame }, |_| true);
    }
    Ok(attached)
}

/// Makes a session, with the peer id of a session of an earlier start if the client can show that it was its own, and
/// nobody has it now. A guest may have an id of its own.
///
/// # Errors
///
/// When there are as many sessions as there may be, or somebody has the id of the guest.
fn open_session(
    shared: &Arc<Shared>,
    admission: Admission,
    before: Option<ResumeToken>,
    guest: Option<(Option<PeerId>, Foreign)>,
) -> Result<Attached, Refusal> {
    let epoch = shared.signer.epoch();
    let before = before.filter(|token| token.ticket.epoch != epoch);
    let outbox = Outbox::new(shared.config.outbox_messages, shared.config.outbox_bytes);
    let budget = Budget::full(&shared.config.rates, time::Instant::now().into_std());
    let (mut opened, mut before_it) = (None, None);
    let mut not_opened = Refusal::unavailable("There are too many sessions.");
    shared.handle_with(|state| {
        if state.is_full(&shared.config) {
            return None;
        }
        let (own, foreign) = guest.unzip();
        let own = own.flatten();
        if own.as_ref().is_some_and(|own| state.hub.session_of(own.as_str()).is_some()) {
            not_opened = Refusal::unauthorized("The id is taken.");
            return None;
        }
        let before = before.filter(|token| state.hub.session_of(token.peer.as_str()).is_none());
        let previous_ticket = before.as_ref().map(|token| token.ticket);
        let peer = own.or(before.map(|token| token.peer)).unwrap_or_else(fresh_peer);
        let namespace = foreign.as_ref().map(|foreign| foreign.dialect.name());
        let number =
            u32::try_from(state.links.vacant_key()).expect("fewer sessions than 2^32 fit into memory");
        let session = SessionId(number);
        let ticket = Ticket { epoch, session: state.sessions, counter: 0 };
        state.sessions += 1;
        let link = Arc::new(Link::new(session, peer.clone(), ticket, admission, outbox, budget, foreign));
        {
            let mut carried = link.lock();
            carried.attach();
            carried.previous_ticket = previous_ticket;
        }
        state.links.insert(Arc::clone(&link));
        if shared.config.one_session_per_identity
            && let Some(identity) = &link.identity
        {
            before_it = state
                .identities
                .insert(identity.clone(), session)
                .and_then(|before| state.link(before).cloned());
        }
        let identity = link.identity.clone();
        // Nobody may be looking.
        let _ = shared.events.send(Event::Connected { peer: peer.clone(), identity: identity.clone() });
        opened = Some(link);
        Some(Input::Connected { session, peer, identity, namespace })
    });
    if let Some(link) = before_it {
        shared.end(&link, CloseReason::Replaced);
    }
    let link = opened.ok_or(not_opened)?;
    shared.metrics.sessions_started.fetch_add(1, Relaxed);
    trace::connected(&link);
    let ticket = link.lock().ticket;
    let welcome = welcome(shared, &link, false, 0, ticket);
    Ok(Attached { link, socket: 1, welcome })
}

fn fresh_peer() -> PeerId {
    PeerId::new(&random::unguessable()).expect("base64url is visible ASCII")
}

/// Gives the session of `token` to this socket, if there is one, it belongs to the same identity, and nothing that
/// the client has missed is lost.
///
/// By a token of an earlier start it is the session that was made for it before, if the client has not heard of that. It
/// is a new one to the client still.
fn resume_session(
    shared: &Arc<Shared>,
    admission: &Admission,
    token: &ResumeToken,
    received: u64,
) -> Result<(Resumption, Attached), Resumption> {
    let link = find(&shared.lock(), token).ok_or(Resumption::Unknown)?;
    let goes_on = token.ticket.epoch == shared.signer.epoch();
    let received = if goes_on { received } else { 0 };
    let (mut attached, mut replaced, mut is_stuck) = (Err(Resumption::Unknown), None, false);
    shared.handle_if(Input::Resumed { session: link.session }, |state| {
        let mut carried = link.lock();
        let is_there = state.has(&link) && state.hub.is_live(link.session) && carried.knows(token.ticket);
        if !is_there {
            return false;
        }
        if link.identity != admission.identity {
            attached = Err(Resumption::WrongIdentity);
            return false;
        }
        let Ok(futile) = carried.resume(token.ticket, received) else {
            attached = Err(Resumption::ImpossibleCount);
            return false;
        };
        is_stuck = futile > shared.config.futile_resumes;
        if is_stuck {
            return false;
        }
        // The token that the client has used stays valid until it has shown that it knows the new one, by a first
        // frame: the welcome that brings it may be lost.
        carried.previous_ticket = Some(token.ticket);
        carried.ticket.counter += 1;
        carried.attach();
        carried.data = admission.data.clone();
        replaced = carried.wake();
        attached = Ok((carried.socket, carried.received, carried.ticket));
        true
    });
    replaced.into_iter().for_each(Waker::wake);
    if is_stuck {
        // It seems to lose its socket by the message that comes next.
        shared.end(&link, CloseReason::Overflow);
    }
    let (socket, received, ticket) = attached?;
    let welcome = welcome(shared, &link, goes_on, received, ticket);
    let outcome = if goes_on { Resumption::Resumed } else { Resumption::Restored };
    Ok((outcome, Attached { link, socket, welcome }))
}

/// Ends the session of `token` if it has no socket: a reloaded page does not meet its own ghost.
fn end_detached(shared: &Arc<Shared>, token: &ResumeToken) {
    let found = find(&shared.lock(), token);
    if let Some(link) = found {
        let input = Input::Disconnected { session: link.session, reason: EndReason::Replaced };
        shared.handle_for(&link, input, |link| !link.attached);
    }
}

/// The session that knows this token: that of its peer, unless the token is dead.
fn find(state: &State, token: &ResumeToken) -> Option<Arc<Link>> {
    let session = state.hub.session_of(token.peer.as_str())?;
    let link = state.link(session).filter(|_| state.hub.is_live(session))?;
    link.lock().knows(token.ticket).then(|| Arc::clone(link))
}

fn welcome(shared: &Shared, link: &Link, resumed: bool, received: u64, ticket: Ticket) -> Option<Frame> {
    let token = match link.foreign {
        Some(_) => String::new(),
        None => shared.signer.resume_token(ticket, &link.peer, link.identity.as_deref()),
    };
    let welcome = ServerMessage::Welcome {
        peer_id: Cow::Borrowed(link.peer.as_str()),
        resumed,
        received,
        resume: ResumeOffer { token: Cow::Owned(token), grace: shared.config.limits.grace },
        ice_servers: shared.ice_servers.as_payload(),
        heartbeat: shared.config.timing.heartbeat,
    };
    link.say(&welcome)
}

fn malformed(code: ErrorCode, id: Option<RequestId>) -> Rejection {
    Rejection { error: Some(error(code, code.message(), id.as_ref())), reason: CloseReason::Protocol }
}

fn refused(refusal: &Refusal, id: Option<&RequestId>) -> Rejection {
    Rejection { error: Some(error(refusal.code, refusal.words(), id)), reason: close_reason_of(refusal) }
}

fn error(code: ErrorCode, message: &str, id: Option<&RequestId>) -> Frame {
    let mut error = ServerMessage::from(code);
    if let ServerMessage::Error { message: words, id: slot, .. } = &mut error {
        (*words, *slot) = (Cow::Borrowed(message), id);
    }
    encode(&error)
}

/// For messages that belong to the socket and are not counted.
pub(crate) fn encode(message: &ServerMessage<'_>) -> Frame {
    BUFFER.with_borrow_mut(|buffer| buffer.frame(|text| codec::encode(message, text)))
}

thread_local! {
    static BUFFER: RefCell<FrameBuffer> = RefCell::default();
}
