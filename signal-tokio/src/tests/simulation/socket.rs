//! The two ends of a connection.

use std::{io, sync::Arc};

use signal_core::CloseReason;

use super::{
    network::{Packet, Wire},
    stage::Stage,
};
use crate::{Outgoing, Received, Socket};

/// The server's end, which also notes what the server knows.
pub(super) struct ServerEnd {
    pub(super) wire: Wire,
    pub(super) stage: Arc<Stage>,
    /// Among all sockets.
    pub(super) number: u64,
    /// Whose session it carries.
    pub(super) peer: Option<String>,
}

impl ServerEnd {
    /// The server learns, if it has not, that this socket is of no use any more.
    fn lose(&self) {
        if let Some(peer) = &self.peer {
            self.stage.book_as_it_is().desk.lost(peer, self.number);
        }
    }
}

impl Socket for ServerEnd {
    type Text = String;

    async fn receive(&mut self) -> Received<String> {
        let packet = self.wire.up.receive().await;
        if let (Packet::Text(_) | Packet::Binary, Some(peer)) = (&packet, &self.peer) {
            self.stage.book().desk.heard(peer, self.number);
        }
        match packet {
            Packet::Text(text) => return Received::Text(text),
            Packet::Binary => return Received::Binary,
            Packet::Ping | Packet::Pong => return Received::LifeSign,
            Packet::GoneAway => {
                self.lose();
                return Received::GoneAway;
            }
            Packet::HungUp | Packet::Lost | Packet::Closed(_) => {}
        }
        self.lose();
        // Whoever asks again is told the same.
        self.wire.up.send(Packet::Lost);
        Received::Closed
    }

    async fn feed(&mut self, outgoing: Outgoing) -> io::Result<()> {
        let mut packet = match outgoing {
            Outgoing::Text(frame) => {
                let text = String::from_utf8(frame.into_bytes().to_vec()).expect("frames are text");
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
        };
        loop {
            if self.wire.down.is_lost() {
                self.lose();
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            match self.wire.down.try_send(packet) {
                Ok(()) => return Ok(()),
                Err(refused) => packet = refused,
            }
            self.wire.down.has_room().await;
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
