//! What the policy is asked while a peer waits.

use std::{
    future::poll_fn,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use signal_core::{ChannelName, ErrorCode, Grant, Hosting, Input, JoinGrant, OwnedPayload, Place, Token};
use tokio::time;

use crate::{
    JoinRequest, MatchRequest, PeerInfo, Policy, Refusal, driver::Shared, link::Link, random, tokens::Seat,
    trace,
};

/// What the policy has to decide on.
pub(crate) struct Question {
    pub(crate) token: Token,
    pub(crate) link: Arc<Link>,
    pub(crate) place: Place,
    pub(crate) userdata: Option<OwnedPayload>,
    /// What the peer shows for a seat that it has had.
    pub(crate) seat: Option<String>,
}

impl Shared {
    /// Puts a question to the policy. Most policies know the answer at once; for others a task waits.
    pub(crate) fn ask(self: &Arc<Self>, question: Question) {
        let shared = Arc::clone(self);
        let mut decision = Box::pin(async move {
            let Question { token, link, place, userdata, seat } = question;
            let seat = seat.and_then(|seat| match &place {
                Place::Channel(name) => shared.signer.read_seat_token(&seat, &link.peer, name.as_str()),
                Place::Pool(_) => None,
            });
            let (address, data) = {
                let link = link.lock();
                (link.address, link.data.clone())
            };
            let dialect = link.dialect();
            let protocol = dialect.map_or(PeerInfo::NATIVE, |dialect| dialect.name());
            let peer = PeerInfo {
                peer: link.peer.clone(),
                identity: link.identity.clone(),
                address,
                protocol,
                data,
            };
            let patience = shared.config.limits.authorize_timeout;
            // The hub gives up after the same time and has told the peer then.
            let Ok(decided) = time::timeout(
                patience,
                unharmed(decide(&*shared.policy, &peer, &place, userdata.as_deref(), seat)),
            )
            .await
            else {
                return;
            };
            let decided = decided.map(|grant| match dialect {
                Some(dialect) => dialect.grant(&place, grant),
                None => grant,
            });
            match decided {
                Ok(grant) => shared.handle(Input::Authorized { token, grant }),
                Err(refusal) => {
                    trace::denied(&link, &place, &refusal);
                    let (code, message) = (refusal.code, refusal.words());
                    shared.handle(Input::Denied { token, code, message })
                }
            }
        });
        if decision.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.tasks.spawn(decision);
        }
    }
}

/// A policy that panics has not decided, and harms nobody but the peer that has asked.
pub(crate) async fn unharmed<T>(decision: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let mut decision = pin!(decision);
    poll_fn(|context| {
        // It is not polled again after a panic.
        panic::catch_unwind(AssertUnwindSafe(|| decision.as_mut().poll(context))).unwrap_or_else(|_| {
            tracing::error!("the policy has panicked");
            Poll::Ready(Err(Refusal::unavailable(ErrorCode::Unavailable.message())))
        })
    })
    .await
}

async fn decide(
    policy: &dyn Policy,
    peer: &PeerInfo,
    place: &Place,
    userdata: Option<&str>,
    seat: Option<Seat>,
) -> Result<Grant, Refusal> {
    match (place, seat) {
        // The channel of a match, of which the policy has decided when the peer looked for company.
        (Place::Channel(name), seat) if name.is_of_a_match() => {
            let Some(Seat { settings, standing }) = seat else {
                return Err(Refusal::unauthorized(ErrorCode::Unauthorized.message()));
            };
            Ok(Grant::Return { grant: JoinGrant { settings, hosting: Hosting::Candidate }, standing })
        }
        (Place::Channel(name), seat) => {
            let grant = policy.join(peer, &JoinRequest { channel: name.local(), userdata }).await?;
            Ok(match seat {
                Some(Seat { standing, .. }) => Grant::Return { grant, standing },
                None => Grant::Join(grant),
            })
        }
        (Place::Pool(name), _) => {
            let grant = policy.matchmaking(peer, &MatchRequest { pool: name.local(), userdata }).await?;
            let room = ChannelName::new(&format!("~{}", random::unguessable()));
            Ok(Grant::Match { grant, room: room.expect("it is short and of visible characters") })
        }
    }
}
