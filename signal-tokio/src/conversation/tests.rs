use std::{task::Waker, time::Duration};

use signal_core::{Epoch, Outbox, PeerId, SessionId};
use tokio::time;

use super::*;
use crate::{Admission, Rates, Signaling, link::Link, rate::Budget, tokens::Ticket};

/// One that was not welcomed yet.
fn conversation() -> (Arc<Link>, Conversation) {
    let signaling = Signaling::builder().build().unwrap();
    let ticket = Ticket { epoch: Epoch(1), session: 0, counter: 0 };
    let budget = Budget::full(&Rates::default(), Instant::now().into_std());
    let (peer, outbox) = (PeerId::new("peer").unwrap(), Outbox::new(10, 1 << 10));
    let link = Arc::new(Link::new(SessionId(0), peer, ticket, Admission::default(), outbox, budget, None));
    link.lock().attach();
    let attached = Attached { link: Arc::clone(&link), socket: 1, welcome: Some(Frame::text("welcome")) };
    (link, Conversation::new(Arc::clone(&signaling.shared), attached, None))
}

#[tokio::test]
async fn who_is_replaced_before_it_was_welcomed_hears_both() {
    let (link, mut conversation) = conversation();
    link.lock().attach();
    let looked = conversation.look_at_the_link(&Context::from_waker(Waker::noop()));
    assert!(matches!(looked, Err(Ending::Over(CloseReason::Replaced))));
    let mut said = || conversation.last_words(Some(CloseReason::Replaced));
    assert!(matches!(said(), Some(Outgoing::Message(frame)) if frame == Frame::text("welcome")));
    assert!(said().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_client_is_too_slow_if_it_takes_nothing_for_so_long() {
    let (_, mut conversation) = conversation();
    let patience = conversation.shared.config.timing.write;
    let soon = Duration::from_millis(1);
    // It takes one thing, and after a while another.
    for _ in 0..2 {
        assert!(conversation.look_at_the_clock().is_ok());
        conversation.attached.welcome = Some(Frame::text("more"));
        assert!(conversation.next().is_some());
        assert!(conversation.sent(Poll::Pending).is_ok());
        time::advance(patience - soon).await;
    }
    assert!(conversation.sent(Poll::Pending).is_ok() && conversation.look_at_the_clock().is_ok());
    time::advance(soon).await;
    let looked = conversation.look_at_the_clock();
    assert!(matches!(looked, Err(Ending::Lost(Some(CloseReason::Slow)))));
}
