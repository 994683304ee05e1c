//! What all take part in: the server with its lives, the sockets, and the book of what happens.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use signal_core::{Limits, LocalLog};
use tokio::{task::JoinSet, time::Instant};

use super::{
    desk::Desk,
    network::{Stall, Wire},
    plan::{self, Plan},
    session::Session,
    slow::{FastLog, Orders, SlowLog, SlowPolicy},
    socket::{ClientEnd, ServerEnd},
};
use crate::{Admission, Events, Signaling, Timing, driver::Shared, log::Log, tests::dice::Dice};

pub(super) const TIMING: Timing = Timing {
    hello: std::time::Duration::from_secs(5),
    heartbeat: std::time::Duration::from_secs(5),
    heartbeat_timeout: std::time::Duration::from_secs(3),
    write: std::time::Duration::from_secs(4),
    acknowledge: std::time::Duration::from_secs(1),
    farewell: std::time::Duration::from_secs(1),
    reconnect: std::time::Duration::from_secs(1),
    token_life: std::time::Duration::from_secs(24 * 60 * 60),
};

pub(super) struct Stage {
    pub(super) plan: Plan,
    /// When nothing happens any more but what has to, and when all leave.
    pub(super) quiet_at: Instant,
    pub(super) leave_at: Instant,
    book: Mutex<Book>,
    server: Mutex<Option<Server>>,
}

/// All that is known of a run.
pub(super) struct Book {
    pub(super) desk: Desk,
    pub(super) sessions: Vec<Session>,
    /// The last connections of each client.
    pub(super) wires: Vec<(usize, Wire)>,
    /// The last time that the network of each client has stood still.
    pub(super) stalls: BTreeMap<usize, Stall>,
    /// What clients say and hear, if somebody wants to know.
    pub(super) transcript: Option<Vec<String>>,
}

/// One life of the server.
pub(super) struct Server {
    pub(super) signaling: Signaling,
    pub(super) tasks: JoinSet<()>,
}

impl Stage {
    pub(super) fn new(plan: Plan, wants_transcript: bool) -> Arc<Self> {
        let quiet_at = Instant::now() + plan.busy;
        let book = Book {
            desk: Desk::new(&plan, 0),
            sessions: Vec::new(),
            wires: Vec::new(),
            stalls: BTreeMap::new(),
            transcript: wants_transcript.then(Vec::new),
        };
        Arc::new(Self {
            plan,
            quiet_at,
            leave_at: quiet_at + std::time::Duration::from_secs(45),
            book: Mutex::new(book),
            server: Mutex::new(None),
        })
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book_as_it_is();
        book.desk.catch_up();
        book
    }

    /// The book without what has happened since somebody last looked.
    pub(super) fn book_as_it_is(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn signaling(&self) -> Option<Signaling> {
        self.server().as_ref().map(|server| server.signaling.clone())
    }

    /// Starts the server, which knows nothing but its keys.
    pub(super) fn start(self: &Arc<Self>, life: u32, dice: &mut Dice) {
        let plan = &self.plan;
        self.book().desk = Desk::new(plan, life);
        let limits = Limits {
            grace: plan.grace,
            returning: plan.returning,
            members_per_channel: plan::MEMBERS,
            ..Limits::default()
        };
        let keys = plan.has_keys.then_some([7; 32]);
        let mut config = Signaling::builder().limits(limits).timing(TIMING).keys(keys).config;
        (config.outbox_messages, config.kept_events) = (plan.outbox, 10_000);
        let orders = Orders::new(dice.split());
        let log: Box<dyn Log> = if plan.log_is_slow {
            Box::new(SlowLog(Arc::clone(&orders)))
        } else {
            Box::new(FastLog(LocalLog::default()))
        };
        let policy = SlowPolicy(plan.policy_is_slow.then(|| Mutex::new(dice.split())));
        let shared = Arc::new(Shared::new(Box::new(policy), config, log));
        orders.serve(&shared);
        let signaling = Signaling { shared };
        self.book().desk.observe(&signaling);
        let mut tasks = JoinSet::new();
        tasks.spawn(watch(Arc::clone(self), signaling.events()));
        *self.server() = Some(Server { signaling, tasks });
    }

    /// Ends the server without a warning.
    pub(super) async fn kill(&self, dice: &mut Dice) {
        let wires: Vec<_> = self.book().wires.drain(..).collect();
        wires.iter().for_each(|(_, wire)| wire.cut(dice));
        self.book().desk.close();
        let Some(Server { mut tasks, .. }) = self.server().take() else { return };
        tasks.abort_all();
        while let Some(ended) = tasks.join_next().await {
            let failed = ended.err().filter(|error| error.is_panic());
            assert!(failed.is_none(), "a task of the server has panicked: {failed:?}");
        }
    }

    /// Opens a connection for a client, if the server listens, and says to which of its lives.
    pub(super) fn dial(
        self: &Arc<Self>,
        client: usize,
        identity: Option<&str>,
        dice: &mut Dice,
    ) -> Option<(ClientEnd, u32)> {
        let mut server = self.server();
        let server = server.as_mut()?;
        let wire = Wire::new(dice);
        let mut book = self.book();
        book.stalls.get(&client).into_iter().for_each(|stall| wire.stall(*stall));
        book.wires.push((client, wire.clone()));
        let is_own = |(owner, _): &(usize, Wire)| *owner == client;
        if book.wires.iter().filter(|wire| is_own(wire)).count() > 3
            && let Some(oldest) = book.wires.iter().position(is_own)
        {
            book.wires.remove(oldest);
        }
        let end = ServerEnd::new(wire.clone(), Arc::clone(self), dice.below(u64::MAX));
        let admission = identity.map_or_else(Admission::default, Admission::identified);
        server.tasks.spawn(server.signaling.serve(end, admission));
        Some((ClientEnd(wire), book.desk.life))
    }

    pub(super) fn stall(&self, client: usize, stall: Stall) {
        let mut book = self.book();
        book.stalls.insert(client, stall);
        book.wires.iter().filter(|(owner, _)| *owner == client).for_each(|(_, wire)| wire.stall(stall));
    }

    pub(super) fn wires(&self) -> Vec<Wire> {
        self.book().wires.iter().map(|(_, wire)| wire.clone()).collect()
    }

    /// One of the newest.
    pub(super) fn some_wire(&self, dice: &mut Dice) -> Option<Wire> {
        let wires = self.wires();
        let index = dice.below(wires.len().max(1) as u64) as usize;
        wires.into_iter().nth(index)
    }

    pub(super) fn transcript(&self) -> Option<Vec<String>> {
        self.book_as_it_is().transcript.take()
    }

    pub(super) fn note(&self, client: usize, mark: &str, text: &str) {
        if let Some(transcript) = &mut self.book_as_it_is().transcript {
            let now = Instant::now() + self.plan.busy - self.quiet_at;
            transcript.push(format!("{:>9.3} {client} {mark} {}", now.as_secs_f64(), without_tokens(text)));
        }
    }
}

/// Tokens tell the time of day, so they differ from run to run.
fn without_tokens(text: &str) -> String {
    let parts = text.split(r#""token":""#).flat_map(|part| part.split(r#""seat":""#));
    let mut parts = parts.flat_map(|part| part.split(r#""replaces":""#));
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean.push_str("...");
        clean.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    clean
}

/// Looks at once at what the server tells its embedder.
async fn watch(stage: Arc<Stage>, mut events: Events) {
    while events.next().await.is_some() {
        drop(stage.book());
    }
}
