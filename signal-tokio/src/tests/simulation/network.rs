//! Sockets of a simulated network. Frames take their time; what TCP may do to them happens: a connection is lost with
//! a suffix of what is under way, one side learns of that late or never, or everything stands still for a while.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use signal_core::CloseReason;
use tokio::{
    select,
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::patience;
use crate::tests::dice::Dice;

/// So many frames are under way in one direction; then the writer has to wait.
const WINDOW: usize = 24;

/// What travels.
#[derive(Debug)]
pub(super) enum Packet {
    Text(String),
    Binary,
    Ping,
    Pong,
    /// A close frame of the server.
    Closed(CloseReason),
    /// The client closes the socket, with 1001 if the page is dropped.
    HungUp,
    GoneAway,
    /// The connection has ended without a close frame.
    Lost,
}

/// One connection, as the network sees it.
#[derive(Clone)]
pub(super) struct Wire {
    /// From the client to the server.
    pub(super) up: Arc<Pipe>,
    pub(super) down: Arc<Pipe>,
}

impl Wire {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let latency = dice.millis(1, 60);
        let pipe = |dice: &mut Dice| Arc::new(Pipe::new(dice.split(), latency));
        Self { up: pipe(dice), down: pipe(dice) }
    }

    /// The connection is gone: of what is under way a beginning arrives, and then each side learns of it.
    pub(super) fn cut(&self, dice: &mut Dice) {
        for pipe in [&self.up, &self.down] {
            let kept = dice.below(4) as usize;
            let silence = match dice.below(10) {
                0..6 => Some(dice.millis(0, 300)),
                6..9 => Some(dice.millis(300, 20_000)),
                // Only its own clock can tell that side.
                _ => None,
            };
            pipe.cut(kept, silence);
        }
    }

    /// Nothing arrives for so long, in one direction or both.
    pub(super) fn stall(&self, Stall { until, up, down }: Stall) {
        if up {
            self.up.stall(until);
        }
        if down {
            self.down.stall(until);
        }
    }
}

/// The network of one client stands still. Then everything arrives at once, on all its connections.
#[derive(Clone, Copy)]
pub(super) struct Stall {
    until: Instant,
    up: bool,
    down: bool,
}

impl Stall {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let until = Instant::now() + dice.millis(500, 8_000);
        let direction = dice.below(3);
        Self { until, up: direction != 0, down: direction != 1 }
    }
}

/// One direction of a connection.
pub(super) struct Pipe {
    state: Mutex<State>,
    /// Something has come, or the reader is told that nothing will.
    filled: Notify,
    /// There is room, or the writer is told that there never will be.
    drained: Notify,
}

struct State {
    dice: Dice,
    latency: Duration,
    /// In the order in which they were sent, with the times at which they arrive.
    packets: VecDeque<(Instant, Packet)>,
    stalled_until: Instant,
    /// Nothing that is sent now arrives.
    is_cut: bool,
    is_abandoned: bool,
    /// What was sent into the void and nobody has taken.
    sunk: usize,
    /// Since when both ends see that the connection is gone.
    lost_at: Option<Instant>,
}

impl Pipe {
    fn new(dice: Dice, latency: Duration) -> Self {
        let now = Instant::now();
        let state = State {
            dice,
            latency,
            packets: VecDeque::new(),
            stalled_until: now,
            is_cut: false,
            is_abandoned: false,
            sunk: 0,
            lost_at: None,
        };
        Self { state: Mutex::new(state), filled: Notify::new(), drained: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends, if there is room.
    pub(super) fn try_send(&self, packet: Packet) -> Result<(), Packet> {
        patience::step();
        let mut state = self.lock();
        if state.is_lost() || state.packets.len() + state.sunk >= WINDOW {
            return Err(packet);
        }
        state.send(packet);
        self.filled.notify_one();
        Ok(())
    }

    /// Sends, however much is under way. Nobody hears whether it arrives.
    pub(super) fn send(&self, packet: Packet) {
        patience::step();
        self.lock().send(packet);
        self.filled.notify_one();
    }

    /// Waits until there may be room.
    pub(super) async fn has_room(&self) {
        let lost_at = self.lock().lost_at;
        wait(&self.drained, lost_at).await;
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lock().is_lost()
    }

    /// The next packet that arrives.
    pub(super) async fn receive(&self) -> Packet {
        loop {
            patience::step();
            let next = {
                let mut state = self.lock();
                match state.packets.front() {
                    Some((due, _)) if *due <= Instant::now() => {
                        self.drained.notify_one();
                        return state.packets.pop_front().expect("there is one").1;
                    }
                    Some((due, _)) => Some(*due),
                    None if state.is_lost() => return Packet::Lost,
                    None => state.lost_at,
                }
            };
            wait(&self.filled, next).await;
        }
    }

    fn cut(&self, kept: usize, silence: Option<Duration>) {
        let mut state = self.lock();
        if !state.is_cut {
            state.is_cut = true;
            state.packets.truncate(kept);
            let last = state.packets.back().map_or(Instant::now(), |(due, _)| *due);
            state.lost_at = silence.map(|silence| last.max(Instant::now()) + silence);
        }
        self.filled.notify_one();
        self.drained.notify_one();
    }

    /// The reader is gone: what is sent arrives nowhere, and takes no room.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.packets.clear();
        state.is_abandoned = true;
        self.drained.notify_one();
    }

    fn stall(&self, until: Instant) {
        let mut state = self.lock();
        state.stalled_until = until.max(state.stalled_until);
        state.packets.iter_mut().for_each(|(due, _)| *due = until.max(*due));
    }
}

impl State {
    fn is_lost(&self) -> bool {
        self.lost_at.is_some_and(|lost_at| lost_at <= Instant::now())
    }

    fn send(&mut self, packet: Packet) {
        if self.is_abandoned {
            return;
        }
        if self.is_cut {
            self.sunk += 1;
            return;
        }
        let hiccup = if self.dice.percent(5) { self.dice.millis(0, 1_500) } else { Duration::ZERO };
        let due = (Instant::now() + self.latency + self.dice.millis(0, 5) + hiccup).max(self.stalled_until);
        let due = self.packets.back().map_or(due, |(last, _)| due.max(*last));
        self.packets.push_back((due, packet));
    }
}

async fn wait(news: &Notify, until: Option<Instant>) {
    match until {
        Some(until) => select! {
            biased;
            () = news.notified() => {}
            () = sleep_until(until) => {}
        },
        None => news.notified().await,
    }
}
