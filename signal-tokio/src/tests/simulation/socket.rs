//! The two ends of a connection.

use std::{
    io,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use signal_core::CloseReason;
use tokio::time::Instant;

use super::{
    network::{Packet, Wire},
    stage::{Stage, TIMING},
};
use crate::{Outgoing, Received, Socket};

/// The server's end, which also notes what the server knows.
pub(super) struct ServerEnd {
    wire: Wire,
    stage: Arc<Stage>,
    /// Among all sockets.
    number: u64,
    /// Whose session it carries.
    peer: Option<String>,
    /// What is waited for.
    receiving: Option<Pin<Box<dyn Future<Output = Packet> + Send>>>,
    room: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    unsent: Option<Packet>,
    /// Since when there is no room for that.
    blocked_since: Option<Instant>,
}

impl ServerEnd {
    pub(super) fn new(wire: Wire, stage: Arc<Stage>, number: u64) -> Self {
        Self {
            wire,
            stage,
            number,
            peer: None,
            receiving: None,
            room: None,
            unsent: None,
            blocked_since: None,
        }
    }

    fn packet(&mut self, outgoing: Outgoing) -> Packet {
        match outgoing {
            Outgoing::Message(frame) | Outgoing::Rest(frame, _) => {
                let text = String::from_utf8(frame.as_ref().to_vec()).expect("frames are text");
                if self.peer.is_none() {
                    self.peer = self.stage.book().desk.welcomed(self.number, &text);
                }
                Packet::Text(text)
            }
            Outgoing::Ping => Packet::Ping,
            Outgoing::Close(reason) => {
                self.lose();
                Packet::Closed(reason)
            }
        }
    }

    /// The server learns, if it has not, that this socket is of no use any more.
    fn lose(&self) {
        if let Some(peer) = &self.peer {
            self.stage.book_as_it_is().desk.lost(peer, self.number);
        }
    }

    /// One whose client takes nothing is given up in time, and is told so only when there is room for a close frame.
    fn note_whether_it_is_blocked(&self) {
        if let Some(peer) = &self.peer {
            let gives_up_at = self.blocked_since.map(|since| since + TIMING.write);
            self.stage.book_as_it_is().desk.gives_up(peer, self.number, gives_up_at);
        }
    }
}

impl Socket for ServerEnd {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        let up = &self.wire.up;
        let receiving = self.receiving.get_or_insert_with(|| {
            let up = Arc::clone(up);
            Box::pin(async move { up.receive().await })
        });
        let packet = ready!(receiving.as_mut().poll(context));
        self.receiving = None;
        if let (Packet::Text(_) | Packet::Binary, Some(peer)) = (&packet, &self.peer) {
            self.stage.book().desk.heard(peer, self.number);
        }
        let received = match &packet {
            Packet::Text(text) => Received::Text(text),
            Packet::Binary => Received::Binary(&[]),
            Packet::Ping | Packet::Pong => Received::LifeSign,
            Packet::GoneAway => {
                self.lose();
                Received::GoneAway
            }
            Packet::HungUp | Packet::Lost | Packet::Closed(_) => {
                self.lose();
                // Whoever asks again is told the same.
                self.wire.up.send(Packet::Lost);
                Received::Closed
            }
        };
        let _ = take(received);
        Poll::Ready(())
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        loop {
            let packet = match self.unsent.take() {
                Some(packet) => packet,
                None => match next() {
                    Some(outgoing) => self.packet(outgoing),
                    None => return Poll::Ready(Ok(())),
                },
            };
            if self.wire.down.is_lost() {
                self.lose();
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let Err(refused) = self.wire.down.try_send(packet) else {
                // Room that comes too late helps nobody.
                if self.blocked_since.take_if(|since| Instant::now() < *since + TIMING.write).is_some() {
                    self.note_whether_it_is_blocked();
                }
                continue;
            };
            self.unsent = Some(refused);
            self.blocked_since.get_or_insert_with(Instant::now);
            self.note_whether_it_is_blocked();
            let down = &self.wire.down;
            let room = self.room.get_or_insert_with(|| {
                let down = Arc::clone(down);
                Box::pin(async move { down.has_room().await })
            });
            ready!(room.as_mut().poll(context));
            self.room = None;
        }
    }
}

impl Drop for ServerEnd {
    fn drop(&mut self) {
        self.lose();
        self.wire.down.send(Packet::Lost);
    }
}

/// The client's end.
pub(super) struct ClientEnd(pub(super) Wire);

/// What a client hears.
pub(super) enum Heard {
    Text(String),
    /// A WebSocket ping has been answered, which no page sees.
    Nothing,
    /// With a close frame, or without one.
    Closed(Option<CloseReason>),
}

impl ClientEnd {
    pub(super) fn say(&self, text: String) {
        self.0.up.send(Packet::Text(text));
    }

    pub(super) fn say_binary(&self) {
        self.0.up.send(Packet::Binary);
    }

    pub(super) fn go_away(&self) {
        self.0.up.send(Packet::GoneAway);
    }

    pub(super) async fn hear(&self) -> Heard {
        match self.0.down.receive().await {
            Packet::Text(text) => Heard::Text(text),
            Packet::Ping => {
                self.0.up.send(Packet::Pong);
                Heard::Nothing
            }
            Packet::Closed(reason) => Heard::Closed(Some(reason)),
            Packet::Lost => Heard::Closed(None),
            Packet::Pong | Packet::Binary | Packet::HungUp | Packet::GoneAway => unreachable!("of clients"),
        }
    }
}

/// Whatever was said before still arrives.
impl Drop for ClientEnd {
    fn drop(&mut self) {
        self.0.up.send(Packet::HungUp);
        // Nobody reads what comes.
        self.0.down.abandon();
    }
}
