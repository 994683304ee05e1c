//! What is on its way to one client: outbound queue and replay ring in one.

use std::collections::VecDeque;

/// The counted frames of one session, from the first that the client has not acknowledged.
///
/// Three cursors move over one sequence that starts at 1 with the session: *acked* <= *written* <= *queued*.
/// Frames up to *acked* are forgotten; those up to *written* have been given to the socket and are kept in case
/// it is lost; the rest wait for the socket. Without a socket *written* stands still.
#[derive(Debug)]
pub struct Outbox<F> {
    frames: VecDeque<F>,
    bytes: usize,
    acked: u64,
    written: u64,
    /// How far *written* has ever been.
    sent: u64,
    max_frames: usize,
    max_bytes: usize,
}

/// A frame did not fit: the session has to end, because something would be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outbox is full")]
pub struct Overflow;

/// A client claims to have received what was never sent to it, or forgets what it had acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number of received frames is not possible")]
pub struct ImpossibleAck;

/// Both sides acknowledge after so many counted frames, or one second after the first of them.
pub const ACK_EVERY: u64 = 32;

/// So much storage stays in a busy session: what is queued between two acknowledgements.
const KEPT_SLOTS_BUSY: usize = 2 * ACK_EVERY as usize;

impl<F: AsRef<[u8]>> Outbox<F> {
    /// An empty outbox that holds at most `max_frames` frames and `max_bytes` bytes.
    #[must_use]
    pub fn new(max_frames: usize, max_bytes: usize) -> Self {
        Self { frames: VecDeque::new(), bytes: 0, acked: 0, written: 0, sent: 0, max_frames, max_bytes }
    }

    /// Queues one frame.
    ///
    /// # Errors
    ///
    /// [`Overflow`] when it does not fit; nothing is queued then.
    pub fn push(&mut self, frame: F) -> Result<(), Overflow> {
        let bytes = self.bytes + frame.as_ref().len();
        if self.frames.len() >= self.max_frames || bytes > self.max_bytes {
            return Err(Overflow);
        }
        self.bytes = bytes;
        self.frames.push_back(frame);
        Ok(())
    }

    /// The next frame for the socket, which counts as written from now on.
    pub fn write_next(&mut self) -> Option<&F> {
        let frame = self.frames.get(usize::try_from(self.written - self.acked).ok()?)?;
        self.written += 1;
        self.sent = self.sent.max(self.written);
        Some(frame)
    }

    /// The client has received `received` frames since the start of the session: those are forgotten.
    ///
    /// # Errors
    ///
    /// [`ImpossibleAck`] when it cannot have received so many, or had acknowledged more before.
    pub fn acknowledge(&mut self, received: u64) -> Result<(), ImpossibleAck> {
        if received < self.acked || received > self.sent {
            return Err(ImpossibleAck);
        }
        let forgotten = usize::try_from(received - self.acked).unwrap_or(usize::MAX);
        self.bytes -= self.frames.drain(..forgotten).map(|frame| frame.as_ref().len()).sum::<usize>();
        self.acked = received;
        self.written = self.written.max(received);
        if self.frames.is_empty() {
            // An acknowledgement of fewer frames came because time had passed: the session is quiet. It keeps nothing: what is
            // left of a busy time, and lies above all else, would keep the allocator from giving memory back.
            let is_busy = forgotten as u64 >= ACK_EVERY;
            self.frames.shrink_to(if is_busy { KEPT_SLOTS_BUSY } else { 0 });
        }
        Ok(())
    }

    /// A new socket goes on after the first `received` frames: the rest is written again.
    ///
    /// # Errors
    ///
    /// [`ImpossibleAck`] as for [`Outbox::acknowledge`].
    pub fn resume(&mut self, received: u64) -> Result<(), ImpossibleAck> {
        self.acknowledge(received)?;
        self.written = self.acked;
        Ok(())
    }

    /// Whether something waits for the socket.
    #[must_use]
    pub fn has_unwritten(&self) -> bool {
        self.unwritten() > 0
    }

    /// How many frames wait for the socket.
    #[must_use]
    pub fn unwritten(&self) -> u64 {
        self.frames.len() as u64 - (self.written - self.acked)
    }

    /// How many frames have been given to the socket since the start of the session.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How many frames are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether no frame is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How many bytes are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
