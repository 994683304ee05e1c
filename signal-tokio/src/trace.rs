//! What the log is told: who comes and goes and why, by ids.
//!
//! No token, session description or candidate is told, an address at debug only, and what others have written only as
//! [`Escaped`].

use std::fmt::{self, Write};

use signal_core::Place;

use crate::{Admitted, Event, Refusal, link::Link};

/// So many characters of a text are told.
const MOST_SIGNS: usize = 64;

/// Text that a peer, a page or a policy has written, for the log: in quotation marks and cut. What moves a terminal's
/// cursor, breaks a line or turns the direction of reading is shown as an escape, so that nobody forges a line.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        let mut signs = self.0.chars();
        for sign in signs.by_ref().take(MOST_SIGNS) {
            write!(f, "{}", sign.escape_debug())?;
        }
        f.write_str(if signs.next().is_some() { "\"..." } else { "\"" })
    }
}

fn identity_of(identity: Option<&str>) -> Option<tracing::field::DisplayValue<Escaped<'_>>> {
    identity.map(|identity| tracing::field::display(Escaped(identity)))
}

/// The span of one socket, for whoever looks closely: it is entered with each message, and kept for each socket. Who speaks over
/// it is known after its hello; what is told at info names the peer itself.
pub(crate) fn socket(admitted: &Admitted) -> tracing::Span {
    use tracing::field::Empty;
    let span = tracing::debug_span!("socket", peer = Empty, session = Empty);
    // An address says where somebody lives.
    if let Some(address) = admitted.address {
        tracing::debug!(parent: &span, %address, "a socket is open");
    }
    span
}

/// This socket carries a session now.
pub(crate) fn attached(link: &Link) {
    let span = tracing::Span::current();
    span.record("peer", link.peer.as_str());
    span.record("session", link.session.0);
}

pub(crate) fn connected(link: &Link) {
    let identity = identity_of(link.identity.as_deref());
    tracing::info!(peer = %link.peer, session = link.session.0, identity, "a session has begun");
}

pub(crate) fn resumed(link: &Link, outcome: &str) {
    tracing::info!(peer = %link.peer, session = link.session.0, outcome, "a session goes on");
}

pub(crate) fn refused(what: &'static str, refusal: &Refusal) {
    tracing::debug!(what, code = refusal.code.as_str(), why = %Escaped(refusal.words()), "refused");
}

pub(crate) fn denied(link: &Link, place: &Place, refusal: &Refusal) {
    let name = match place {
        Place::Channel(name) => name.as_str(),
        Place::Pool(name) => name.as_str(),
    };
    let (code, why) = (refusal.code.as_str(), Escaped(refusal.words()));
    tracing::debug!(peer = %link.peer, place = %Escaped(name), code, %why, "refused");
}

pub(crate) fn happened(event: &Event) {
    match event {
        Event::Connected { peer, .. } => tracing::debug!(%peer, "connected"),
        Event::Joined { peer, channel } => {
            tracing::debug!(%peer, channel = %Escaped(channel.as_str()), "joined");
        }
        Event::Parted { peer, channel, reason } => {
            let reason = reason.as_str();
            tracing::debug!(%peer, channel = %Escaped(channel.as_str()), reason, "parted");
        }
        Event::Gone { peer, reason } => {
            tracing::info!(%peer, reason = reason.as_str(), "a session has ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_shown_as_one_piece_of_one_line() {
        let shown = |text: &str| Escaped(text).to_string();
        assert_eq!(shown("tea"), "\"tea\"");
        assert_eq!(shown("a\nb\u{1b}[2J\u{7}\u{202e}\""), r#""a\nb\u{1b}[2J\u{7}\u{202e}\"""#);
        assert_eq!(shown("\u{2028}\u{200b}\u{9b}"), r#""\u{2028}\u{200b}\u{9b}""#);
        assert_eq!(shown(&"ä".repeat(64)), format!("\"{}\"", "ä".repeat(64)));
        assert_eq!(shown(&"ä".repeat(65)), format!("\"{}\"...", "ä".repeat(64)));
    }
}
