//! A policy and a log that take their time.

use std::{
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use signal_core::{Entry, Hub, Input, LocalLog, Output, Place, Position, Token};
use tokio::time;

use super::{patience, plan};
use crate::{
    Admission, Hello, JoinGrant, JoinRequest, PeerInfo, Policy, Refusal, driver::Shared, log::Log,
    tests::dice::Dice,
};

/// Allows everything, sooner or later; sometimes too late.
pub(super) struct SlowPolicy(pub(super) Option<Mutex<Dice>>);

impl SlowPolicy {
    async fn think(&self) {
        let Some(dice) = &self.0 else { return };
        let pause = {
            let mut dice = dice.lock().expect("nothing panics with it");
            match dice.below(20) {
                0..12 => return,
                12..19 => dice.millis(1, 900),
                _ => dice.millis(4_000, 6_000),
            }
        };
        time::sleep(pause).await;
    }
}

#[async_trait]
impl Policy for SlowPolicy {
    async fn hello(&self, admission: Admission, _: &Hello<'_>) -> Result<Admission, Refusal> {
        self.think().await;
        Ok(admission)
    }

    async fn join(&self, _: &PeerInfo, request: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        self.think().await;
        Ok(JoinGrant { settings: plan::settings(request.channel), ..JoinGrant::default() })
    }
}

/// Commits after a while, each entry after another one, and refuses some. Now and then it stands still.
pub(super) struct SlowLog(pub(super) Arc<Orders>);

/// What the appends of one server come to.
pub(super) struct Orders {
    dice: Mutex<Dice>,
    position: AtomicU64,
    server: OnceLock<Weak<Shared>>,
    stands_still_until: Mutex<Instant>,
}

impl Orders {
    pub(super) fn new(dice: Dice) -> Arc<Self> {
        Arc::new(Self {
            dice: Mutex::new(dice),
            position: AtomicU64::new(0),
            server: OnceLock::new(),
            stands_still_until: Mutex::new(now()),
        })
    }

    pub(super) fn serve(&self, shared: &Arc<Shared>) {
        self.server.set(Arc::downgrade(shared)).expect("a log has one server");
    }

    async fn order(self: Arc<Self>, token: Token, place: Place, entry: Entry) {
        let (pause, is_refused) = {
            let mut dice = self.dice.lock().expect("nothing panics with it");
            let mut still_until = self.stands_still_until.lock().expect("nothing panics with it");
            if dice.percent(1) {
                *still_until = now() + dice.millis(1_000, 12_000);
            }
            let hiccup = if dice.percent(10) { dice.millis(0, 2_000) } else { Duration::ZERO };
            let pause = still_until.saturating_duration_since(now()) + dice.millis(1, 80) + hiccup;
            (pause, dice.percent(3))
        };
        time::sleep(pause).await;
        let Some(shared) = self.server.get().and_then(Weak::upgrade) else { return };
        let position = Position(self.position.fetch_add(1, Ordering::Relaxed) + 1);
        shared.handle(match is_refused {
            true => Input::Refused { token },
            false => Input::Committed { place, position, entry },
        });
    }
}

impl Log for SlowLog {
    fn handle_input(
        &mut self,
        hub: &mut Hub,
        now: Instant,
        input: Input<'_>,
        emit: &mut dyn FnMut(Output<'_>),
    ) {
        patience::step();
        hub.handle_input(now, input, |output| {
            if let Output::Append { token, place, entry } = output {
                tokio::spawn(Arc::clone(&self.0).order(token, place, entry));
            } else {
                emit(output);
            }
        });
    }
}

/// Commits at once.
pub(super) struct FastLog(pub(super) LocalLog);

impl Log for FastLog {
    fn handle_input(
        &mut self,
        hub: &mut Hub,
        now: Instant,
        input: Input<'_>,
        emit: &mut dyn FnMut(Output<'_>),
    ) {
        patience::step();
        self.0.handle_input(hub, now, input, emit);
    }
}

fn now() -> Instant {
    time::Instant::now().into_std()
}
