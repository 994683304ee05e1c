//! The seam to what orders the entries of channels and pools.

use std::time::Instant;

use signal_core::{Hub, Input, LocalLog, Output};

/// Stands between the driver and the hub. It hands every input to the hub and takes what the hub wants appended;
/// all other outputs go on to the driver.
///
/// A log that is elsewhere takes the appends away and answers later, with [`Input::Committed`] or [`Input::Refused`] to
/// the driver. It is called under the driver's lock, so it must not wait.
pub(crate) trait Log: Send {
    fn handle_input(
        &mut self,
        hub: &mut Hub,
        now: Instant,
        input: Input<'_>,
        emit: &mut dyn FnMut(Output<'_>),
    );
}

impl Log for LocalLog {
    fn handle_input(
        &mut self,
        hub: &mut Hub,
        now: Instant,
        input: Input<'_>,
        emit: &mut dyn FnMut(Output<'_>),
    ) {
        Self::handle_input(self, hub, now, input, emit);
    }
}
