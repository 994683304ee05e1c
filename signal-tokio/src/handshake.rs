//! From an upgraded socket to a session: `hello` and `welcome`.

use std::{borrow::Cow, cell::RefCell, mem, sync::Arc, task::Waker};

use signal_core::{
    ClientFrame, ClientMessage, CloseReason, EndReason, ErrorCode, Hello, Input, Outbox, PeerId, RequestId,
    Resume, ResumeOffer, ServerMessage, SessionId, codec,
};
use tokio::time;

use crate::{
    Admission, Event, Frame, Received, Refusal, Socket,
    driver::{Shared, State, close_reason_of},
    link::Link,
    random,
};

/// A socket that carries a session.
pub(crate) struct Attached {
    pub(crate) link: Arc<Link>,
    /// Its number in the session.
    pub(crate) socket: u64,
    pub(crate) welcome: Frame,
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
    let text = match time::timeout(patience, first_message(socket)).await {
        Ok(Received::Text(text)) => text,
        Ok(Received::Binary | Received::LifeSign) => {
            return Some(Err(malformed(ErrorCode::BadMessage, None)));
        }
        Ok(Received::TooLarge) => return Some(Err(Rejection { error: None, reason: CloseReason::TooLarge })),
        Ok(Received::GoneAway | Received::Closed) => return None,
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
    let decided = time::timeout(patience, shared.policy.hello(admission, &hello)).await;
    let admission =
        match decided.unwrap_or_else(|_| Err(Refusal::unavailable(ErrorCode::Unavailable.message()))) {
            Ok(admission) => admission,
            Err(refusal) => return Some(Err(refused(&refusal, id.as_ref()))),
        };
    Some(Ok(attach(shared, admission, &hello)))
}

async fn first_message<S: Socket>(socket: &mut S) -> Received<S::Text> {
    loop {
        match socket.receive().await {
            Received::LifeSign => {}
            received @ (Received::Text(_)
            | Received::Binary
            | Received::TooLarge
            | Received::GoneAway
            | Received::Closed) => return received,
        }
    }
}

fn attach(shared: &Arc<Shared>, admission: Admission, hello: &Hello<'_>) -> Attached {
    if let Some(replaced) = hello.replaces.as_deref() {
        end_detached(shared, replaced);
    }
    match hello.resume.as_ref().and_then(|resume| resume_session(shared, &admission, resume)) {
        Some(attached) => attached,
        None => {
            // "Not resumed" means that nothing is left of the old session.
            if let Some(resume) = &hello.resume {
                end_owned(shared, &admission, &resume.token);
            }
            open_session(shared, admission)
        }
    }
}

fn open_session(shared: &Arc<Shared>, admission: Admission) -> Attached {
    let outbox = Outbox::new(shared.config.outbox_messages, shared.config.outbox_bytes);
    let token = random::unguessable();
    let link = {
        let mut state = shared.lock();
        let number =
            u32::try_from(state.links.vacant_key()).expect("fewer sessions than 2^32 fit into memory");
        let link = Arc::new(Link::new(SessionId(number), admission, outbox, token.clone()));
        state.links.insert(Arc::clone(&link));
        state.tokens.insert(token, link.session);
        link
    };
    let (peer, identity) = (link.peer.clone(), link.identity.clone());
    // Nobody may be looking.
    let _ = shared.events.send(Event::Connected { peer: peer.clone(), identity: identity.clone() });
    shared.handle(Input::Connected { session: link.session, peer, identity });
    let mut state = link.lock();
    state.socket = 1;
    state.attached = true;
    let welcome = welcome(shared, &link.peer, false, 0, &state.token);
    drop(state);
    Attached { link, socket: 1, welcome }
}

/// Gives the session of `resume` to this socket, if there is one, it belongs to the same identity, and nothing that
/// the client has missed is lost.
fn resume_session(shared: &Arc<Shared>, admission: &Admission, resume: &Resume<'_>) -> Option<Attached> {
    let link = find(&shared.lock(), &resume.token)?;
    let (mut attached, mut replaced) = (None, None);
    shared.handle_if(Input::Resumed { session: link.session }, |state| {
        let mut carried = link.lock();
        let is_there = find(state, &resume.token).is_some_and(|found| Arc::ptr_eq(&found, &link));
        if !is_there || link.identity != admission.identity || carried.outbox.resume(resume.received).is_err()
        {
            return false;
        }
        // The token that the client has used stays valid until it has shown that it knows the new one, by a first
        // frame: the welcome that carries it may be lost.
        let token = random::unguessable();
        let known = [Some(mem::replace(&mut carried.token, token.clone())), carried.previous_token.take()];
        for known in known.into_iter().flatten() {
            if known == resume.token.as_ref() {
                carried.previous_token = Some(known);
            } else {
                state.tokens.remove(&known);
            }
        }
        state.tokens.insert(token, link.session);
        carried.socket += 1;
        carried.attached = true;
        replaced = carried.wake();
        let welcome = welcome(shared, &link.peer, true, carried.received, &carried.token);
        attached = Some(Attached { link: Arc::clone(&link), socket: carried.socket, welcome });
        true
    });
    replaced.into_iter().for_each(Waker::wake);
    attached
}

/// Ends the session of `token` if it has no socket: a reloaded page does not meet its own ghost.
fn end_detached(shared: &Arc<Shared>, token: &str) {
    let found = find(&shared.lock(), token);
    if let Some(link) = found {
        let input = Input::Disconnected { session: link.session, reason: EndReason::Replaced };
        shared.handle_for(&link, input, |link| !link.attached);
    }
}

fn end_owned(shared: &Arc<Shared>, admission: &Admission, token: &str) {
    let found = find(&shared.lock(), token);
    if let Some(link) = found.filter(|link| link.identity == admission.identity) {
        shared.end(&link, CloseReason::Replaced);
    }
}

/// The tokens have 128 random bits and the map's hash has a random key, so that looking one up tells nothing.
fn find(state: &State, token: &str) -> Option<Arc<Link>> {
    state.link(*state.tokens.get(token)?).cloned()
}

/// The client has sent something over its newest socket, so it knows the token that it was given there.
pub(crate) fn forget_previous_token(shared: &Shared, link: &Arc<Link>, socket: u64) {
    let mut state = shared.lock();
    let mut carried = link.lock();
    if carried.socket == socket
        && let Some(token) = carried.previous_token.take()
    {
        state.tokens.remove(&token);
    }
}

fn welcome(shared: &Shared, peer: &PeerId, resumed: bool, received: u64, token: &str) -> Frame {
    encode(&ServerMessage::Welcome {
        peer_id: Cow::Borrowed(peer.as_str()),
        resumed,
        received,
        resume: ResumeOffer { token: Cow::Borrowed(token), grace: shared.config.limits.grace },
        ice_servers: shared.ice_servers.as_payload(),
        heartbeat: shared.config.timing.heartbeat,
    })
}

fn malformed(code: ErrorCode, id: Option<RequestId>) -> Rejection {
    Rejection { error: Some(error(code, code.message(), id.as_ref())), reason: CloseReason::Protocol }
}

fn refused(refusal: &Refusal, id: Option<&RequestId>) -> Rejection {
    Rejection { error: Some(error(refusal.code, &refusal.message, id)), reason: close_reason_of(refusal) }
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
    TEXT.with_borrow_mut(|text| {
        text.clear();
        codec::encode(message, text);
        Frame::copy_from(text)
    })
}

thread_local! {
    /// The buffer that messages are encoded in, so that each allocates nothing but its frame.
    static TEXT: RefCell<Vec<u8>> = RefCell::default();
}
