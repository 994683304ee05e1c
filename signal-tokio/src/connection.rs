//! The task of one socket: it reads, writes, and looks at the clock.

use std::{
    future::poll_fn,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use signal_core::CloseReason;
use tokio::time::{self, Sleep};

use crate::{
    Admitted, Outgoing, Received, Socket,
    conversation::{Conversation, Ending},
    driver::finish,
    handshake::{Rejection, receive, shake_hands},
    metrics::OpenSocket,
    trace,
};

/// Carries a session over `socket` until one of them ends.
///
/// What a future is given stands in it twice, and once more in each that it hands it on to. For one that lives as long as a
/// socket that is much, so large things come in boxes or by reference.
pub(crate) async fn run<S: Socket>(open: OpenSocket, mut socket: Box<S>, admitted: Admitted) {
    let shared = Arc::clone(open.shared());
    // The place is kept until the socket is done with.
    let Admitted { admission, address, place: _place, guest } = admitted;
    let draining = shared.draining.clone();
    let greeted = tokio::select! {
        biased;
        () = draining.cancelled() => Some(Err(Rejection { error: None, reason: CloseReason::Draining })),
        greeted = async {
            match guest {
                Some(guest) => Some(receive(&shared, admission, *guest)),
                None => shake_hands(&shared, &mut *socket, admission).await,
            }
        } => greeted,
    };
    match greeted {
        Some(Ok(attached)) => {
            {
                let mut link = attached.link.lock();
                // It may have come in while the others were told.
                if draining.is_cancelled() {
                    link.closing.get_or_insert(shared.config.timing.reconnect);
                }
                if link.socket == attached.socket {
                    link.address = address;
                }
            }
            trace::attached(&attached.link);
            let alarm = Box::pin(time::sleep(shared.config.timing.heartbeat));
            let conversation = Conversation::new(shared, attached, socket.ink());
            Connection { socket, conversation, alarm }.run().await;
        }
        Some(Err(Rejection { error, reason })) => {
            shared.metrics.closed(Some(reason));
            let mut error = error.map(Outgoing::Message);
            close(&mut *socket, reason, shared.config.timing.farewell, || error.take()).await;
        }
        None => {
            shared.metrics.closed(None);
            answer(&mut *socket, || None).await;
        }
    }
}

struct Connection<S> {
    socket: Box<S>,
    conversation: Conversation,
    /// Never later than anything is due.
    alarm: Pin<Box<Sleep>>,
}

impl<S: Socket> Connection<S> {
    async fn run(&mut self) {
        let ending = poll_fn(|context| self.poll(context)).await;
        poll_fn(|context| self.conversation.poll_pen(context)).await;
        let reason = match ending {
            Ending::Lost(reason) => {
                self.conversation.detach();
                reason
            }
            Ending::Over(reason) => Some(reason),
        };
        let Self { socket, conversation, .. } = self;
        conversation.shared.metrics.closed(reason);
        match reason {
            Some(reason) => {
                let patience = conversation.shared.config.timing.farewell;
                close(&mut **socket, reason, patience, || conversation.last_words(Some(reason))).await;
            }
            None => answer(&mut **socket, || conversation.last_words(None)).await,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ending> {
        loop {
            match self.poll_turn(context) {
                Ok(turn) => ready!(turn),
                Err(ending) => return Poll::Ready(ending),
            }
        }
    }

    /// Does what there is to do. It is pending if that was nothing.
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, Ending> {
        let Self { socket, conversation, alarm } = self;
        conversation.look_at_the_link(context)?;
        if conversation.writes() {
            let sent = socket.poll_send(context, || conversation.next());
            conversation.sent(sent)?;
        }
        // What is answered here is answered before more is read.
        let reads = conversation.listens() && !conversation.answers();
        if reads && socket.poll_receive(context, |some| conversation.take(some)).is_ready() {
            finish();
            return conversation.go_on().map(Poll::Ready);
        }
        if conversation.keeps_others_waiting() {
            return Ok(Poll::Ready(()));
        }
        let due = conversation.due();
        if due < alarm.deadline() {
            alarm.as_mut().reset(due);
        }
        if alarm.as_mut().poll(context).is_pending() {
            return Ok(Poll::Pending);
        }
        conversation.look_at_the_clock()?;
        alarm.as_mut().reset(conversation.due());
        Ok(Poll::Ready(()))
    }
}

/// The client has closed the socket, and hears so if it can be told at once.
async fn answer<S: Socket>(socket: &mut S, mut last_words: impl FnMut() -> Option<Outgoing>) {
    poll_fn(|context| {
        let _ = socket.poll_send(context, &mut last_words);
        Poll::Ready(())
    })
    .await;
}

/// Says `last_words`, closes the socket, and reads until the client has closed its side, so that the close frame is not lost
/// with unread data. Whoever does not take it in time, or does not close, is cut off.
async fn close<S: Socket>(
    socket: &mut S,
    reason: CloseReason,
    patience: Duration,
    mut last_words: impl FnMut() -> Option<Outgoing>,
) {
    let mut close = Some(Outgoing::Close(reason));
    let said = poll_fn(|context| socket.poll_send(context, || last_words().or_else(|| close.take())));
    let _ = time::timeout(patience, said).await;
    let closed = poll_fn(|context| {
        let mut is_closed = false;
        while !is_closed {
            ready!(socket.poll_receive(context, |received| {
                is_closed |= matches!(received, Received::Closed | Received::GoneAway);
                ControlFlow::Continue(())
            }));
        }
        Poll::Ready(())
    });
    let _ = time::timeout(patience, closed).await;
}
