//! What becomes of those for whom there is no place any more, and of those who are there.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use super::{
    GLANCE, gather,
    relay::{Pace, Paced},
};
use crate::{
    Result,
    dialect::{Dialect, Heard, Signal},
    fleet::Fleet,
    inbox::Inbox,
    server::Server,
};

/// What was seen.
#[derive(Debug)]
pub(crate) struct Brim {
    /// How many are there when no more are let in.
    pub(crate) inside: usize,
    /// How many then come in vain, by what they hear.
    pub(crate) outside: Vec<(String, usize)>,
    /// The latency that 99 % of the messages of those who are there keep to, in µs, while nobody else comes.
    pub(crate) before: f64,
    /// The same while up to 200 a second do.
    pub(crate) during: f64,
}

/// Connects more and more clients, until one is not let in, and then goes on, while pairs talk.
pub(crate) fn run(server: &Server, pairs: usize, rate: u32, time: Duration) -> Result<Brim> {
    let (mut fleet, introductions) = gather::pairs(server, 2 * pairs)?;
    let mut inbox = Inbox::default();
    fleet.settle(&mut inbox)?;
    fleet.let_newcomers_be_turned_away();
    let mut door = Door::default();
    while door.outside.is_empty() {
        door.bring(&mut fleet, AT_ONCE)?;
        door.close(&mut fleet, &mut inbox)?;
    }
    let inside = fleet.len() - door.outside.iter().map(|(_, number)| number).sum::<usize>();

    let mut paced = Paced::new(&fleet, &introductions);
    let pace = Pace { rate, time };
    let before = paced.run(server, &mut fleet, &mut inbox, pace, |_| Ok(()), gather::unexpected_frame)?;
    let mut next = Instant::now();
    let door = RefCell::new(door);
    let siege = |fleet: &mut Fleet| {
        if door.borrow().has_room() && Instant::now() >= next {
            next = Instant::now() + SIEGE;
            // Once the generator has no file left itself, enough have come.
            let _ = door.borrow_mut().bring(fleet, 1);
        }
        door.borrow_mut().attend(fleet)
    };
    let hear = |client: usize, text: &[u8]| door.borrow_mut().hear(client, text);
    let during = paced.run(server, &mut fleet, &mut inbox, pace, siege, hear)?;
    let mut door = door.into_inner();
    door.close(&mut fleet, &mut inbox)?;
    let outside: usize = door.outside.iter().map(|(_, number)| number).sum();
    if inside + outside != fleet.len() {
        return Err(format!("{} have come in after {inside}", fleet.len() - outside - inside).into());
    }
    Ok(Brim {
        inside,
        outside: door.outside,
        before: before.percentile(0.99),
        during: during.percentile(0.99),
    })
}

/// Where clients come in, or do not.
#[derive(Default)]
struct Door {
    /// Those who are not in yet, and since when.
    waiting: Vec<(usize, Instant)>,
    /// Those for whom nobody waits any longer.
    unanswered: Vec<usize>,
    outside: Vec<(String, usize)>,
}

impl Door {
    fn bring(&mut self, fleet: &mut Fleet, number: usize) -> Result<()> {
        for _ in 0..number {
            fleet.connect("")?;
            self.waiting.push((fleet.len() - 1, Instant::now()));
        }
        Ok(())
    }

    /// Whether one more would find room in the backlog of the server: beyond it, connecting would wait.
    fn has_room(&self) -> bool {
        self.waiting.len() + self.unanswered.len() < BACKLOG
    }

    /// Waits until all are in or have come in vain.
    fn close(&mut self, fleet: &mut Fleet, inbox: &mut Inbox) -> Result<()> {
        while !self.waiting.is_empty() {
            fleet.receive(inbox, GLANCE)?;
            inbox.frames().try_for_each(|(client, text)| self.hear(client, text))?;
            self.attend(fleet)?;
        }
        Ok(())
    }

    fn hear(&mut self, client: usize, text: &[u8]) -> Result<()> {
        if let Some(Heard::Welcome(_)) = Signal.hear(str::from_utf8(text)?) {
            self.waiting.retain(|(waiting, _)| *waiting != client);
        } else if !text.starts_with(br#"{"type":"error","code":"unavailable","#) {
            // After that the socket is closed.
            return Err(gather::unexpected(client, text));
        }
        Ok(())
    }

    fn attend(&mut self, fleet: &mut Fleet) -> Result<()> {
        for (client, answer) in fleet.turned_away() {
            let waiting = self.waiting.len();
            self.waiting.retain(|(waiting, _)| *waiting != client);
            if self.waiting.len() < waiting {
                self.count(answer.lines().next().unwrap_or_default());
            } else if !self.unanswered.contains(&client) {
                return Err(format!("client {client}, who was in: {answer}").into());
            }
        }
        let now = Instant::now();
        while let Some(&(client, since)) = self.waiting.first()
            && now - since > PATIENCE
        {
            self.waiting.remove(0);
            self.unanswered.push(client);
            self.count(UNANSWERED);
        }
        Ok(())
    }

    fn count(&mut self, answer: &str) {
        match self.outside.iter_mut().find(|(known, _)| known == answer) {
            Some((_, number)) => *number += 1,
            None => self.outside.push((answer.to_owned(), 1)),
        }
    }
}

const AT_ONCE: usize = 64;
/// Of 128, as the standard library asks for.
const BACKLOG: usize = 112;
/// One comes so often.
const SIEGE: Duration = Duration::from_millis(5);
/// After that the server will not answer.
const PATIENCE: Duration = Duration::from_secs(4);
const UNANSWERED: &str = "connected, but not answered for 4 s";
