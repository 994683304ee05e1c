//! The task of one socket: it reads, writes, acknowledges, and listens for silence.

use std::{
    future::{self, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use signal_core::{ACK_EVERY, ClientMessage, CloseReason, EndReason, ErrorCode, Input, ServerMessage, codec};
use tokio::time::{self, Instant, Sleep};

use crate::{
    Admitted, Frame, Outgoing, Received, Socket,
    driver::Shared,
    handshake::{Attached, Rejection, encode, shake_hands},
    link::Work,
    metrics::OpenSocket,
    rate::{Cost, Pace},
    trace,
};

/// What a ping or pong of WebSocket is charged as.
const LIFE_SIGN: usize = 8;

/// Carries a session over `socket` until one of them ends.
///
/// What a future is given stands in it twice, and once more in each that it hands it on to. For one that lives as long as a
/// socket that is much, so large things come in boxes or by reference.
pub(crate) async fn run<S: Socket>(open: OpenSocket, mut socket: Box<S>, admitted: Admitted) {
    let shared = Arc::clone(open.shared());
    // The place is kept until the socket is done with.
    let Admitted { admission, address, place: _place } = admitted;
    let draining = shared.draining.clone();
    let greeted = tokio::select! {
        biased;
        () = draining.cancelled() => Some(Err(Rejection { error: None, reason: CloseReason::Draining })),
        greeted = shake_hands(&shared, &mut *socket, admission) => greeted,
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
            let mut connection = Connection::new(shared, socket, attached);
            connection.run().await;
        }
        Some(Err(Rejection { error, reason })) => {
            shared.metrics.closed(Some(reason));
            let last_words = async {
                if let Some(error) = error {
                    socket.feed(Outgoing::Text(error)).await?;
                }
                socket.feed(Outgoing::Close(reason)).await?;
                socket.flush().await
            };
            // Whoever does not read this has no use for it.
            let patience = shared.config.timing.farewell;
            let _ = time::timeout(patience, last_words).await;
            wait_for_close(&mut *socket, reason, patience).await;
        }
        None => shared.metrics.closed(None),
    }
}

struct Connection<S> {
    shared: Arc<Shared>,
    socket: Box<S>,
    attached: Attached,
    held: bool,
    /// What has arrived and is not charged yet.
    owed: Cost,
    /// Until when the socket is not read, as it has used up its budget.
    paused_until: Option<Instant>,
    reads_first: bool,
    /// A frame of the outbox that the socket has not taken yet. When the session is closed meanwhile, it comes first.
    in_hand: Option<Frame>,
    /// Counted frames that have arrived and are not acknowledged.
    unacknowledged: u64,
    acknowledge_at: Option<Instant>,
    last_heard: Instant,
    pinged_at: Option<Instant>,
    token_is_known: bool,
    turn_due: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

enum Next<T> {
    Work(Work),
    Received(Received<T>),
    Alarm,
}

/// Why the task ends.
enum Ending {
    /// The socket is of no use any more; the session waits for another.
    Lost(Option<CloseReason>),
    /// The session has ended or is carried elsewhere.
    Over(CloseReason),
}

impl From<io::Error> for Ending {
    fn from(_: io::Error) -> Self {
        Self::Lost(None)
    }
}

impl<S: Socket> Connection<S> {
    fn new(shared: Arc<Shared>, socket: Box<S>, attached: Attached) -> Self {
        let now = Instant::now();
        let alarm = Box::pin(time::sleep_until(now + shared.config.timing.heartbeat));
        Self {
            shared,
            socket,
            attached,
            held: false,
            // `hello`.
            owed: Cost::message(0),
            paused_until: None,
            reads_first: false,
            in_hand: None,
            unacknowledged: 0,
            acknowledge_at: None,
            last_heard: now,
            pinged_at: None,
            token_is_known: false,
            turn_due: None,
            alarm,
        }
    }

    async fn run(&mut self) {
        let Err(ending) = self.carry().await;
        let reason = match ending {
            Ending::Lost(reason) => {
                self.detach();
                reason
            }
            Ending::Over(reason) => Some(reason),
        };
        self.shared.metrics.closed(reason);
        if let Some(reason) = reason {
            self.say_farewell(reason).await;
        }
    }

    async fn carry(&mut self) -> Result<std::convert::Infallible, Ending> {
        if let Some(welcome) = self.attached.welcome.take() {
            self.write(Outgoing::Text(welcome)).await?;
        }
        self.write_outbox().await?;
        loop {
            // Before anything else is read: the last message may be one too many of those that wait.
            self.look_at_the_link()?;
            match self.next().await {
                Next::Work(Work::Go) => self.write_outbox().await?,
                Next::Work(Work::Drain(reconnect_after)) => {
                    self.write_outbox().await?;
                    self.write(Outgoing::Text(encode(&ServerMessage::Closing { reconnect_after }))).await?;
                    return Err(Ending::Lost(Some(CloseReason::Draining)));
                }
                Next::Work(Work::Close(reason)) => return Err(Ending::Over(reason)),
                Next::Received(received) => {
                    if let Some(answer) = self.received(received)? {
                        self.write(Outgoing::Text(answer)).await?;
                        self.flush().await?;
                    }
                }
                Next::Alarm => self.look_at_the_clock().await?,
            }
        }
    }

    /// What there is to do. Reading and writing take turns in being looked at first, so that neither keeps the other
    /// waiting. The clock may wait: while either goes on without a break, the client lives.
    async fn next(&mut self) -> Next<S::Text> {
        let reads = !self.is_deaf();
        let Self { socket, attached: Attached { link, socket: number, .. }, held, alarm, .. } = self;
        self.reads_first = !self.reads_first;
        let work = poll_fn(|context| link.poll_work(context, *number, *held));
        if self.reads_first {
            tokio::select! {
                biased;
                received = socket.receive(), if reads => Next::Received(received),
                work = work => Next::Work(work),
                () = alarm => Next::Alarm,
            }
        } else {
            tokio::select! {
                biased;
                work = work => Next::Work(work),
                received = socket.receive(), if reads => Next::Received(received),
                () = alarm => Next::Alarm,
            }
        }
    }

    /// What is to be answered at once, by the socket alone. It does not wait, so that no message has a place in the task of
    /// a socket that does nothing.
    fn received(&mut self, received: Received<S::Text>) -> Result<Option<Frame>, Ending> {
        self.last_heard = Instant::now();
        if self.pinged_at.take().is_some() {
            self.set_alarm();
        }
        match received {
            Received::LifeSign => {
                self.owed = Cost::message(LIFE_SIGN);
                Ok(None)
            }
            Received::Text(text) => {
                self.owed = Cost::message(text.len());
                self.read(&text)
            }
            Received::Binary => {
                // However large: it is an error of form, and there are few of those.
                self.owed = Cost::message(0);
                let session = self.attached.link.session;
                let input = Input::Malformed { session, code: ErrorCode::BadMessage, id: None };
                self.deliver(Some(input), false)
            }
            Received::TooLarge => Err(self.end(CloseReason::TooLarge)),
            // There was no time for `bye`: Firefox closes the socket before it tells the page.
            Received::GoneAway => Err(self.end(CloseReason::Bye)),
            Received::Closed => Err(Ending::Lost(None)),
        }
    }

    fn read(&mut self, text: &str) -> Result<Option<Frame>, Ending> {
        let session = self.attached.link.session;
        let shared = Arc::clone(&self.shared);
        let frame = match codec::decode(text, &shared.config.frames) {
            Ok(frame) => frame,
            Err(error) => {
                let input = Input::Malformed { session, code: error.code, id: error.id };
                return self.deliver(Some(input), true);
            }
        };
        if let ClientMessage::Ack { received } = frame.message {
            let impossible = self.attached.link.acknowledge(received).is_err();
            let input = Input::Malformed { session, code: ErrorCode::BadMessage, id: frame.id };
            return self.deliver(impossible.then_some(input), false);
        }
        if frame.message == ClientMessage::Ping {
            self.deliver(None, false)?;
            return Ok(Some(encode(&ServerMessage::Pong)));
        }
        let counted = frame.message.is_counted();
        self.deliver(Some(Input::Message { session, frame }), counted)
    }

    /// Hands a frame to the hub, unless another socket has taken over: the client sends it again there.
    fn deliver(&mut self, input: Option<Input<'_>>, counted: bool) -> Result<Option<Frame>, Ending> {
        let Attached { link, socket: number, .. } = &self.attached;
        let learn_token = !std::mem::replace(&mut self.token_is_known, true);
        if learn_token {
            link.forget_previous_ticket(*number);
        }
        let Some(input) = input else { return Ok(None) };
        let is_timed = self.shared.metrics.is_timed(&input);
        let is_current = self.shared.handle_for(link, input, |link| {
            let is_current = link.socket == *number;
            link.received += u64::from(is_current && counted);
            is_current
        });
        if is_timed {
            self.shared.metrics.relay_time.took(self.last_heard.elapsed());
        }
        if !is_current {
            return Err(Ending::Over(link.lock().close.unwrap_or(CloseReason::Replaced)));
        }
        if counted {
            self.unacknowledged += 1;
            if self.unacknowledged >= ACK_EVERY {
                return Ok(Some(self.acknowledgement()));
            }
            if self.acknowledge_at.is_none() {
                self.acknowledge_at = Some(self.last_heard + self.shared.config.timing.acknowledge);
                self.set_alarm();
            }
        }
        Ok(None)
    }

    fn look_at_the_link(&mut self) -> Result<(), Ending> {
        let owed = std::mem::take(&mut self.owed);
        let charges = owed != Cost::default() || self.paused_until.is_some();
        let now = charges.then(Instant::now);
        let (before, was_deaf) = ((self.turn_due, self.paused_until), self.is_deaf());
        let mut link = self.attached.link.lock();
        let pace = now.map(|now| link.budget.pay(&self.shared.config.rates, owed, now.into_std()));
        self.turn_due = link.turn_due.map(Instant::from_std);
        self.held = link.held;
        drop(link);
        self.paused_until = match pace {
            Some(Pace::Wait(until)) => Some(until.into()),
            Some(Pace::Over) => return Err(self.end(CloseReason::Rate)),
            Some(Pace::Read) | None => None,
        };
        let is_deaf = self.is_deaf();
        if was_deaf && !is_deaf && self.pinged_at.is_some() {
            // Its answer could not be heard until now.
            self.pinged_at = Some(Instant::now());
        }
        if before != (self.turn_due, self.paused_until) || was_deaf != is_deaf {
            self.set_alarm();
        }
        Ok(())
    }

    /// Whether the socket is not read for a while, because the client has asked for more than is answered so fast.
    fn is_deaf(&self) -> bool {
        self.held || self.paused_until.is_some()
    }

    async fn look_at_the_clock(&mut self) -> Result<(), Ending> {
        let now = Instant::now();
        let timing = self.shared.config.timing.clone();
        if self.acknowledge_at.is_some_and(|due| due <= now) {
            let acknowledgement = self.acknowledgement();
            self.write(Outgoing::Text(acknowledgement)).await?;
            self.flush().await?;
        }
        if self.turn_due.is_some_and(|due| due <= now) {
            self.shared.refresh_turn(&self.attached.link);
            self.look_at_the_link()?;
        }
        match self.pinged_at {
            Some(pinged_at) if !self.is_deaf() && now >= pinged_at + timing.heartbeat_timeout => {
                return Err(Ending::Lost(Some(CloseReason::Heartbeat)));
            }
            None if now >= self.last_heard + timing.heartbeat => {
                self.pinged_at = Some(now);
                self.write(Outgoing::Ping).await?;
                self.flush().await?;
            }
            Some(_) | None => {}
        }
        self.set_alarm();
        Ok(())
    }

    fn set_alarm(&mut self) {
        let timing = &self.shared.config.timing;
        let silence = match self.pinged_at {
            // Its answer would not be heard.
            Some(_) if self.is_deaf() => Instant::now() + timing.heartbeat,
            Some(pinged_at) => pinged_at + timing.heartbeat_timeout,
            None => self.last_heard + timing.heartbeat,
        };
        let others = [self.acknowledge_at, self.turn_due, self.paused_until];
        let next = others.into_iter().flatten().fold(silence, Instant::min);
        self.alarm.as_mut().reset(next);
    }

    fn acknowledgement(&mut self) -> Frame {
        self.unacknowledged = 0;
        self.acknowledge_at = None;
        let received = self.attached.link.lock().received;
        encode(&ServerMessage::Ack { received })
    }

    async fn write_outbox(&mut self) -> Result<(), Ending> {
        while let Some(frame) = self.next_frame() {
            self.write(Outgoing::Text(frame)).await?;
            self.in_hand = None;
        }
        self.flush().await
    }

    fn next_frame(&mut self) -> Option<Frame> {
        if self.in_hand.is_none() {
            self.in_hand = self.attached.link.next_frame(self.attached.socket);
        }
        self.in_hand.clone()
    }

    async fn write(&mut self, outgoing: Outgoing) -> Result<(), Ending> {
        let Self { shared, socket, attached, .. } = self;
        within(shared, attached, pin!(socket.feed(outgoing))).await
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        let Self { shared, socket, attached, .. } = self;
        within(shared, attached, pin!(socket.flush())).await
    }

    async fn say_farewell(&mut self, reason: CloseReason) {
        let patience = self.shared.config.timing.farewell;
        // The session is over, and these clients are still listening: they are told why.
        let is_listening = matches!(
            reason,
            CloseReason::Bye | CloseReason::Kicked | CloseReason::Protocol | CloseReason::TooLarge
        );
        let last_words = async {
            while let Some(frame) = is_listening.then(|| self.next_frame()).flatten() {
                self.socket.feed(Outgoing::Text(frame)).await?;
                self.in_hand = None;
            }
            self.socket.feed(Outgoing::Close(reason)).await?;
            self.socket.flush().await
        };
        // Whoever does not read this has no use for it.
        let _ = time::timeout(patience, last_words).await;
        wait_for_close(&mut *self.socket, reason, patience).await;
    }
}

impl<S> Connection<S> {
    /// Ends the session with its socket, unless another socket has taken over.
    fn end(&self, reason: CloseReason) -> Ending {
        let Attached { link, socket: number, .. } = &self.attached;
        let input = Input::Disconnected { session: link.session, reason: EndReason::from(reason) };
        self.shared.handle_for(link, input, |link| link.socket == *number);
        Ending::Over(reason)
    }

    /// The session waits for another socket, unless it has one already or is over.
    fn detach(&self) {
        let Attached { link, socket: number, .. } = &self.attached;
        self.shared.handle_for(link, Input::Detached { session: link.session }, |link| {
            let is_current = link.socket == *number && link.attached;
            link.attached &= !is_current;
            if is_current {
                // The next socket finds what this one has left.
                link.budget.pay(&self.shared.config.rates, self.owed, Instant::now().into_std());
            }
            is_current
        });
    }
}

/// However the task ends, be it by a panic of the embedder's policy, no session stays for which nobody listens.
impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.detach();
    }
}

/// Writes, for as long as a client may keep the server waiting and the session wants the socket.
async fn within(
    shared: &Shared,
    attached: &Attached,
    writing: impl Future<Output = io::Result<()>>,
) -> Result<(), Ending> {
    let Attached { link, socket: number, .. } = attached;
    tokio::select! {
        biased;
        written = time::timeout(shared.config.timing.write, writing) => match written {
            Ok(written) => written.map_err(Ending::from),
            Err(_) => Err(Ending::Lost(Some(CloseReason::Slow))),
        },
        () = poll_fn(|context| link.poll_close(context, *number)) => {
            Err(Ending::Over(link.lock().close.unwrap_or(CloseReason::Replaced)))
        }
    }
}

/// Reads until the client has closed its side, so that the close frame is not lost with unread data.
async fn wait_for_close<S: Socket>(socket: &mut S, reason: CloseReason, patience: Duration) {
    let closed = async {
        let is_over =
            |received| matches!(received, Received::Closed | Received::GoneAway | Received::TooLarge);
        while !is_over(socket.receive().await) {}
        // Nothing is read after a message that is too large: the client gets the time to find the close frame.
        if reason == CloseReason::TooLarge {
            future::pending().await
        }
    };
    // Whoever does not close is cut off.
    let _ = time::timeout(patience, closed).await;
}
