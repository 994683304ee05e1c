//! How two neighbours get to know each other.

use std::mem;

use crate::{
    Result,
    dialect::{Heard, Introduction, Told},
    fleet::Fleet,
    workload::gather,
};

/// Two who go into the same channel. One of them has an even number.
pub(super) struct Meeting {
    channel: String,
    /// The ids of those who are welcome, empty where they are not told.
    ids: [Option<String>; 2],
    told: [Option<Introduction>; 2],
}

impl Meeting {
    pub(super) fn new(channel: String) -> Self {
        Self { channel, ids: [None, None], told: [None, None] }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// Takes in what one of them has heard, and lets it join. What they know of each other, if that was the last of it.
    pub(super) fn hear(
        &mut self,
        fleet: &mut Fleet,
        client: usize,
        text: &[u8],
    ) -> Result<Option<[Introduction; 2]>> {
        let side = client % 2;
        match fleet.dialect.hear(str::from_utf8(text)?) {
            Some(Heard::Welcome(id)) if self.ids[side].is_none() => {
                self.ids[side] = Some(id);
                if let Some(join) = fleet.dialect.join(&self.channel) {
                    fleet.send(client, join.as_bytes())?;
                }
            }
            Some(Heard::Introduced(introduction)) if self.told[side].is_none() => {
                self.told[side] = Some(introduction);
            }
            Some(Heard::Joined) => {}
            Some(Heard::Welcome(_) | Heard::Introduced(_) | Heard::Left) | None => {
                return Err(gather::unexpected(client, text));
            }
        }
        let [Some(a), Some(b)] = &self.ids else { return Ok(None) };
        let known = match (fleet.dialect.tells(), mem::take(&mut self.told)) {
            (Told::Both, [Some(a), Some(b)]) => [a, b],
            (Told::Older, [Some(older), None]) if older.peer_id == *b => [older, Introduction::of(a, false)],
            (Told::Older, [None, Some(older)]) if older.peer_id == *a => [Introduction::of(b, false), older],
            (Told::Nobody, [None, None]) => return Ok(fleet.dialect.appointment(&self.channel)),
            (Told::Both | Told::Older | Told::Nobody, told) => {
                self.told = told;
                return Ok(None);
            }
        };
        let [a, b] = &known;
        if a.connection_id != b.connection_id || a.should_create_offer == b.should_create_offer {
            return Err(format!("the two are not told the same: {known:?}").into());
        }
        Ok(Some(known))
    }
}
