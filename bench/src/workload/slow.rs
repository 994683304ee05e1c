//! What those who do not read cost the others.

use std::time::{Duration, Instant};

use super::{
    gather,
    relay::{Pace, Paced},
};
use crate::{
    Result,
    dialect::Introduction,
    fleet::Fleet,
    inbox::Inbox,
    promise::{Bound, Steadiness},
    report::Figure,
    server::Server,
};

/// A message of this size is sent to those who do not read: the more bytes, the sooner all buffers are full.
const LARGE: usize = 60 << 10;

/// So many of them are more than the buffers of the system and the outbox of a session hold together.
const MESSAGES: u32 = 256;

/// Of all the others, in ms.
const MOST_DELAY: Bound = Bound::AtMost(20.0);

/// The outbox of a session, 512 KiB; the write buffer of its socket, 16 KiB, and twice what a message may have at most,
/// 256 KiB; and on the socket of the one who sends, the message that is being read, 128 KiB.
const MOST_MEMORY: Bound = Bound::AtMost(912.0);

/// Half of those who do not read take a byte so often, the others nothing.
const SIP: Duration = Duration::from_secs(1);

pub(super) fn run(
    server: &Server,
    readers: usize,
    pairs: usize,
    pace: (u32, Duration),
) -> Result<Vec<Figure>> {
    let (mut fleet, introductions) = gather::pairs(server, 2 * (pairs + readers))?;
    let mut inbox = Inbox::default();
    let mut paced = Paced::new(&fleet, &introductions[..2 * pairs]);
    let pace = Pace { rate: pace.0, time: pace.1 };

    let control = paced.run(server, &mut fleet, &mut inbox, pace, |_| Ok(()), gather::unexpected_frame)?;
    let before = server.memory()?;
    let mut most = before;
    let mut flood = Flood::new(2 * pairs, readers, pace.time, &introductions)?;
    (2 * pairs..fleet.len()).step_by(2).try_for_each(|reader| fleet.stop_reading(reader))?;
    let meanwhile = |fleet: &mut Fleet| {
        if flood.go_on(fleet)? {
            most = most.max(server.memory()?);
        }
        Ok(())
    };
    // The one who sends to somebody who does not read is told when that one is gone.
    let mut gone = 0;
    let others = |client: usize, text: &[u8]| {
        if client < 2 * pairs || !is_about_a_lost_reader(text) {
            return Err(gather::unexpected(client, text));
        }
        gone += usize::from(text.starts_with(br#"{"type":"removePeer","#));
        Ok(())
    };
    let disturbed = paced.run(server, &mut fleet, &mut inbox, pace, meanwhile, others)?;
    if gone != readers {
        return Err(format!("{gone} of {readers} who do not read have lost their sessions").into());
    }
    let [control, disturbed] = [control, disturbed].map(|measured| measured.percentile(0.99) / 1e3);
    Ok(vec![
        Figure::new("latency, 99 %, without them", "ms", control),
        Figure::new("latency, 99 %, with them", "ms", disturbed),
        Figure::new("latency, 99 %, more with them", "ms", disturbed - control)
            .promised(MOST_DELAY, Steadiness::Timed),
        Figure::new("memory at most, for each of them", "KiB", (most - before) / readers as f64 / 1024.0)
            .promised(MOST_MEMORY, Steadiness::Steady),
    ])
}

/// What is sent to those who do not read.
struct Flood {
    first: usize,
    texts: Vec<Vec<u8>>,
    sent: u32,
    start: Instant,
    every: Duration,
    sipped: Instant,
}

impl Flood {
    fn new(first: usize, readers: usize, time: Duration, introductions: &[Introduction]) -> Result<Self> {
        let data = "x".repeat(LARGE);
        let writers = (0..readers).map(|reader| &introductions[first + 2 * reader + 1].peer_id);
        let texts = writers
            .map(|peer| format!(r#"{{"type":"send","peer_id":"{peer}","data":"{data}"}}"#).into_bytes());
        let now = Instant::now();
        Ok(Self { first, texts: texts.collect(), sent: 0, start: now, every: time / MESSAGES, sipped: now })
    }

    /// Sends what is due. Whether there was something.
    fn go_on(&mut self, fleet: &mut Fleet) -> Result<bool> {
        let now = Instant::now();
        if now - self.sipped >= SIP {
            self.sipped = now;
            (0..self.texts.len()).step_by(2).for_each(|reader| fleet.sip(self.first + 2 * reader));
        }
        if self.sent == MESSAGES || now < self.start + self.every * self.sent {
            return Ok(false);
        }
        self.sent += 1;
        for (reader, text) in self.texts.iter().enumerate() {
            fleet.send(self.first + 2 * reader + 1, text)?;
        }
        Ok(true)
    }
}

fn is_about_a_lost_reader(text: &[u8]) -> bool {
    let is_gone = text.starts_with(br#"{"type":"removePeer","#) && text.ends_with(br#""reason":"overflow"}"#);
    is_gone || text.starts_with(br#"{"type":"error","code":"unknown_peer","#)
}
