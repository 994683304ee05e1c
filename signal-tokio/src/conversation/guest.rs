//! What a guest says.

use std::{mem, sync::Arc};

use signal_core::{ClientFrame, ClientMessage, Input, codec};

use super::{Conversation, Ending};
use crate::rate::Cost;

impl Conversation {
    /// Reads a text of another protocol. It may mean several messages, and each is charged as one.
    pub(super) fn read_guest(&mut self, text: &str) -> Result<(), Ending> {
        let (shared, link) = (Arc::clone(&self.shared), Arc::clone(&self.attached.link));
        let Some(foreign) = &link.foreign else { return Ok(()) };
        let session = link.session;
        let (mut of_text, mut delivered) = (Some(mem::take(&mut self.owed)), Ok(()));
        let understood = codec::check(text, &shared.config.frames).and_then(|()| {
            foreign.decode(&link.peer, &*shared, text, &mut |message| {
                self.pongs |= message == ClientMessage::Ping;
                if delivered.is_ok() {
                    self.owed = of_text.take().unwrap_or(Cost::message(0));
                    let frame = ClientFrame { id: None, message };
                    delivered = self.deliver(Some(Input::Message { session, frame }), false);
                }
            })
        });
        self.owed = of_text.unwrap_or_default();
        let malformed = |code| Input::Malformed { session, code, id: None };
        delivered.and_then(|()| self.deliver(understood.err().map(malformed), false))
    }
}
