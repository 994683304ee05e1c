//! Counts allocations: none from frame in to frame out, and none kept for what is over.

use std::time::Instant;

use allocation_counter::{AllocationInfo, measure};
use signal_core::{
    ACK_EVERY, Epoch, Hub, Input, JoinGrant, Limits, LocalLog, Outbox, Output, PeerId, SessionId, Token,
    codec::{self, FrameLimits},
};

const RECIPIENTS: [usize; 3] = [1, 8, 64];

/// A machine with one channel. As the ids of the driver, those of the peers have 22 bytes.
struct Machine {
    hub: Hub,
    log: LocalLog,
    now: Instant,
    limits: FrameLimits,
    /// What goes out, in storage that is used again and again.
    out: Vec<u8>,
    frames: usize,
    deliveries: usize,
}

impl Machine {
    fn with_members(members: usize) -> Self {
        let limits = Limits { members_per_channel: 100, ..Limits::default() };
        let mut machine = Self {
            hub: Hub::new(limits, Epoch(0x9f3c_61d2_a07b_e458)),
            log: LocalLog::default(),
            now: Instant::now(),
            limits: FrameLimits::default(),
            out: Vec::with_capacity(1 << 16),
            frames: 0,
            deliveries: 0,
        };
        for member in 0..members {
            let (session, peer) =
                (SessionId(member as u32), PeerId::new(&id(member)).expect("it is a good id"));
            machine.feed(Input::Connected { session, peer, identity: None });
            machine.say(member, r#"{"type":"join","channel":"lobby"}"#);
        }
        machine
    }

    /// From frame in to frame out, as a driver does it.
    fn say(&mut self, member: usize, text: &str) {
        let frame = codec::decode(text, &self.limits).expect("it is a good frame");
        if let Some(token) = self.feed(Input::Message { session: SessionId(member as u32), frame }) {
            let grant = JoinGrant::default().into();
            self.feed(Input::Authorized { token, grant });
        }
    }

    fn feed(&mut self, input: Input<'_>) -> Option<Token> {
        let (out, frames, deliveries) = (&mut self.out, &mut self.frames, &mut self.deliveries);
        let mut question = None;
        self.log.handle_input(&mut self.hub, self.now, input, |output| match output {
            Output::Send { to, message } => {
                out.clear();
                codec::encode(&message, out);
                *frames += 1;
                *deliveries += to.iter().count();
            }
            Output::Authorize { token, .. } => question = Some(token),
            Output::Append { .. }
            | Output::Hold { .. }
            | Output::Release { .. }
            | Output::Close { .. }
            | Output::Joined { .. }
            | Output::Parted { .. }
            | Output::Ended { .. } => {}
        });
        question
    }

    /// Says it once to warm up and then counts.
    fn count(&mut self, member: usize, text: &str) -> (AllocationInfo, usize, usize) {
        self.say(member, text);
        (self.frames, self.deliveries) = (0, 0);
        let info = measure(|| self.say(member, text));
        (info, self.frames, self.deliveries)
    }
}

fn id(member: usize) -> String {
    format!("peer-{member:017}")
}

/// The connection id of `member` and whoever came before it.
fn connection_id(member: usize) -> String {
    format!("9f3c61d2a07be458.{}", member + 1)
}

#[track_caller]
fn assert_none(info: AllocationInfo, what: &str) {
    assert_eq!((info.count_total, info.bytes_total), (0, 0), "{what}");
}

#[test]
fn relays_allocate_nothing() {
    let candidate = r#"{"candidate":"candidate:842163049 1 udp 1677729535 192.0.2.7 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag 9Tx1 network-cost 999","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"9Tx1"}"#;
    let offer = format!(r#"{{"type":"offer","sdp":"{}"}}"#, r"a=rtpmap:111 opus/48000/2\r\n".repeat(105));
    assert!(offer.len() > 3000);
    for members in RECIPIENTS {
        let mut machine = Machine::with_members(members + 1);
        let (to, connection) = (id(0), connection_id(members));
        for (what, text) in [
            (
                "a candidate",
                format!(
                    r#"{{"type":"relayICECandidate","peer_id":"{to}","ice_candidate":{candidate},"connection_id":"{connection}","attempt":0}}"#
                ),
            ),
            (
                "an offer that is confirmed",
                format!(
                    r#"{{"type":"relaySessionDescription","id":17,"peer_id":"{to}","session_description":{offer},"connection_id":"{connection}"}}"#
                ),
            ),
        ] {
            let (info, frames, deliveries) = machine.count(members, &text);
            assert_none(info, what);
            let expected = if text.contains("\"id\"") { 2 } else { 1 };
            assert_eq!((frames, deliveries), (expected, expected), "{what}");
            assert!(frames == 2 || machine.out.len() > text.len() - 64, "{what} has gone out");
        }
    }
}

#[test]
fn app_messages_allocate_nothing() {
    for members in RECIPIENTS {
        let mut machine = Machine::with_members(members + 1);
        for data in [r#""hi""#, r#"{"chat":"hi","urgent":true}"#] {
            let to_peer = format!(r#"{{"type":"send","id":"m1","peer_id":"{}","data":{data}}}"#, id(0));
            let (info, frames, deliveries) = machine.count(members, &to_peer);
            assert_none(info, "to a peer");
            assert_eq!((frames, deliveries), (2, 2), "the message and its confirmation");

            let to_channel = format!(r#"{{"type":"send","channel":"lobby","data":{data}}}"#);
            let (info, frames, deliveries) = machine.count(members, &to_channel);
            assert_none(info, "to the channel");
            assert_eq!((frames, deliveries), (1, members), "one frame for all");
        }
    }
}

/// serde_json passes over a value without recursion, and notes the brackets that are open around a nested one.
#[test]
fn nested_app_data_allocates_a_few_bytes_once() {
    let mut machine = Machine::with_members(9);
    let text = r#"{"type":"send","channel":"lobby","data":{"chat":"hi","tags":["a",[[[[[[["b"]]]]]]]]}}"#;
    let (info, frames, deliveries) = machine.count(8, text);
    assert!(info.count_total <= 1 && info.bytes_total <= 16, "{info:?}");
    assert_eq!((frames, deliveries), (1, 8));
}

#[test]
fn refusals_allocate_nothing() {
    let mut machine = Machine::with_members(2);
    for text in [
        r#"{"type":"send","peer_id":"nobody","data":1}"#,
        r#"{"type":"send","channel":"nowhere","data":1}"#,
        r#"{"type":"relayICECandidate","peer_id":"peer-00000000000000000","ice_candidate":null,"connection_id":"1.1"}"#,
    ] {
        let (info, frames, _) = machine.count(1, text);
        assert_none(info, text);
        assert_eq!(frames, 1);
    }
}

#[test]
fn an_empty_outbox_gives_its_storage_back() {
    for acknowledged in [1, ACK_EVERY - 1, ACK_EVERY, 1024] {
        let mut outbox = Outbox::new(1024, 1 << 20);
        let kept = measure(|| {
            for _ in 0..1024 {
                outbox.push("frame").unwrap();
                outbox.write_next();
            }
            let mut received = 1024 % acknowledged;
            outbox.acknowledge(received).unwrap();
            while received < 1024 {
                received += acknowledged;
                outbox.acknowledge(received).unwrap();
            }
        });
        assert!(outbox.is_empty());
        let most = 2 * ACK_EVERY as usize * size_of::<&str>();
        assert!(kept.bytes_max > 1024, "{kept:?}");
        assert!(kept.bytes_current as usize <= most, "{kept:?} after acks of {acknowledged}");
    }
}

#[test]
fn the_outbox_of_a_busy_session_does_not_allocate_again_and_again() {
    let mut outbox = Outbox::new(1024, 1 << 20);
    let mut received = 0;
    let mut round = || {
        for _ in 0..ACK_EVERY {
            outbox.push("frame").unwrap();
            outbox.write_next();
        }
        received += ACK_EVERY;
        outbox.acknowledge(received).unwrap();
    };
    round();
    assert_none(measure(&mut round), "acknowledged by count");
}
