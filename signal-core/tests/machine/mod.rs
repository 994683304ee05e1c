//! A machine with one channel: from frame in to frame out, as a driver does it. For tests and benches that count.

use std::time::{Duration, Instant};

use signal_core::{
    ChannelName, ChannelSettings, Epoch, Grant, Hub, Input, JoinGrant, Limits, LocalLog, MatchGrant, Output,
    PeerId, Place, SessionId, Token,
    codec::{self, FrameLimits},
};

/// Where strangers meet. Nobody is there when they do.
pub(crate) const ROOM: &str = "~0000000000000000000000";

/// An `RTCIceCandidateInit` of 200 bytes.
pub(crate) const CANDIDATE: &str = concat!(
    r#"{"candidate":"candidate:842163049 1 udp 1677729535 192.0.2.7 46154 typ srflx raddr 0.0.0.0 rport 0 "#,
    r#"generation 0 ufrag 9Tx1a network-cost 999","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"9Tx1a"}"#,
);

/// The members of one channel, or strangers who have not met. As the ids of the driver, theirs have 22 bytes.
#[derive(Debug)]
pub(crate) struct Machine {
    hub: Hub,
    log: LocalLog,
    now: Instant,
    limits: FrameLimits,
    strangers: MatchGrant,
    /// The last that has gone out, in storage that is used again and again.
    pub(crate) out: Vec<u8>,
    pub(crate) frames: usize,
    pub(crate) deliveries: usize,
}

impl Machine {
    pub(crate) fn with_members(members: usize) -> Self {
        let mut machine = Self::with_strangers(members);
        for member in 0..members {
            machine.say(member, r#"{"type":"join","channel":"lobby"}"#);
        }
        machine
    }

    /// They meet when all of them want to.
    pub(crate) fn with_strangers(strangers: usize) -> Self {
        let limits = Limits { members_per_channel: 1000, rematch: Duration::ZERO, ..Limits::default() };
        let settings = ChannelSettings { capacity: strangers as u32, ..ChannelSettings::default() };
        let mut machine = Self {
            hub: Hub::new(limits, Epoch(0x9f3c_61d2_a07b_e458)),
            log: LocalLog::default(),
            now: Instant::now(),
            limits: FrameLimits::default(),
            strangers: MatchGrant { settings, ..MatchGrant::default() },
            out: Vec::with_capacity(1 << 16),
            frames: 0,
            deliveries: 0,
        };
        for stranger in 0..strangers {
            let (session, peer) =
                (SessionId(stranger as u32), PeerId::new(&id(stranger)).expect("it is a good id"));
            machine.feed(Input::Connected { session, peer, identity: None, namespace: None });
        }
        machine
    }

    pub(crate) fn say(&mut self, member: usize, text: &str) {
        let frame = codec::decode(text, &self.limits).expect("it is a good frame");
        if let Some((token, grant)) = self.feed(Input::Message { session: SessionId(member as u32), frame }) {
            self.feed(Input::Authorized { token, grant });
        }
    }

    fn feed(&mut self, input: Input<'_>) -> Option<(Token, Grant)> {
        let (out, frames, deliveries) = (&mut self.out, &mut self.frames, &mut self.deliveries);
        let strangers = self.strangers;
        let mut granted = None;
        self.log.handle_input(&mut self.hub, self.now, input, |output| match output {
            Output::Send { to, message, .. } => {
                out.clear();
                codec::encode(&message, out);
                *frames += 1;
                *deliveries += to.iter().count();
            }
            Output::Authorize { token, place: Place::Channel(_), .. } => {
                granted = Some((token, JoinGrant::default().into()));
            }
            Output::Authorize { token, place: Place::Pool(_), .. } => {
                let room = ChannelName::new(ROOM).expect("it is a good name");
                granted = Some((token, Grant::Match { grant: strangers, room }));
            }
            Output::Append { .. }
            | Output::Hold { .. }
            | Output::Release { .. }
            | Output::Close { .. }
            | Output::Joined { .. }
            | Output::Parted { .. }
            | Output::Ended { .. } => {}
        });
        granted
    }
}

pub(crate) fn id(member: usize) -> String {
    format!("peer-{member:017}")
}

/// The candidate for the first member of `members`, by the last.
pub(crate) fn candidate(members: usize) -> String {
    let (to, connection) = (id(0), connection_id(members));
    format!(
        r#"{{"type":"relayICECandidate","peer_id":"{to}","ice_candidate":{CANDIDATE},"connection_id":"{connection}","attempt":0}}"#
    )
}

/// An offer of 3 KB for the first member of `members`, by the last.
pub(crate) fn description(members: usize) -> String {
    let (to, connection) = (id(0), connection_id(members));
    let sdp = r"a=rtpmap:111 opus/48000/2\r\n".repeat(105);
    format!(
        r#"{{"type":"relaySessionDescription","peer_id":"{to}","session_description":{{"type":"offer","sdp":"{sdp}"}},"connection_id":"{connection}","attempt":0}}"#
    )
}

/// That of the last of `members` and any other.
fn connection_id(members: usize) -> String {
    format!("9f3c61d2a07be458.{members}")
}
