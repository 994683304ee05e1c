//! The log of one machine alone.

use std::{collections::VecDeque, time::Instant};

use crate::{Entry, Hub, Input, Output, Place, Position};

/// A log that commits every append within the call that asks for it.
///
/// It stands between the driver and the hub: what is left of the outputs are those that concern sockets.
#[derive(Debug, Default)]
pub struct LocalLog {
    position: Position,
    appended: VecDeque<(Place, Entry)>,
}

impl LocalLog {
    /// Applies `input` to `hub`, commits what it appends, and emits everything else.
    pub fn handle_input(
        &mut self,
        hub: &mut Hub,
        now: Instant,
        input: Input<'_>,
        mut emit: impl FnMut(Output<'_>),
    ) {
        let mut next = Some(input);
        while let Some(input) = next {
            hub.handle_input(now, input, |output| {
                if let Output::Append { place, entry, token: _ } = output {
                    self.appended.push_back((place, entry));
                } else {
                    emit(output);
                }
            });
            next = self.appended.pop_front().map(|(place, entry)| {
                self.position.0 += 1;
                Input::Committed { place, position: self.position, entry }
            });
        }
    }
}
