//! Counts allocations: none from frame in to frame out, and none kept for what is over.

mod machine;

use allocation_counter::{AllocationInfo, measure};
use signal_core::{ACK_EVERY, Outbox};

use crate::machine::{CANDIDATE, Machine, candidate, description, id};

const RECIPIENTS: [usize; 3] = [1, 8, 64];

/// Says it once to warm up and then counts.
fn count(machine: &mut Machine, member: usize, text: &str) -> (AllocationInfo, usize, usize) {
    machine.say(member, text);
    (machine.frames, machine.deliveries) = (0, 0);
    let info = measure(|| machine.say(member, text));
    (info, machine.frames, machine.deliveries)
}

#[track_caller]
fn assert_none(info: AllocationInfo, what: &str) {
    assert_eq!((info.count_total, info.bytes_total), (0, 0), "{what}");
}

#[test]
fn relays_allocate_nothing() {
    assert_eq!(CANDIDATE.len(), 200);
    for recipients in RECIPIENTS {
        let members = recipients + 1;
        let mut machine = Machine::with_members(members);
        let confirmed = description(members).replacen(',', r#","id":17,"#, 1);
        for (what, text, frames) in [
            ("a candidate", candidate(members), 1),
            ("an offer", description(members), 1),
            ("an offer that is confirmed", confirmed, 2),
        ] {
            let (info, sent, deliveries) = count(&mut machine, recipients, &text);
            assert_none(info, what);
            assert_eq!((sent, deliveries), (frames, frames), "{what}");
            assert!(frames == 2 || machine.out.len() > text.len() - 64, "{what} has gone out");
        }
    }
}

#[test]
fn app_messages_allocate_nothing() {
    for members in RECIPIENTS {
        let mut machine = Machine::with_members(members + 1);
        let nested = r#"{"chat":"hi","tags":["a",[[[[[[["b"]]]]]]]]}"#;
        for data in [r#""hi""#, r#"{"chat":"hi","urgent":true}"#, nested] {
            let to_peer = format!(r#"{{"type":"send","id":"m1","peer_id":"{}","data":{data}}}"#, id(0));
            let (info, frames, deliveries) = count(&mut machine, members, &to_peer);
            assert_none(info, "to a peer");
            assert_eq!((frames, deliveries), (2, 2), "the message and its confirmation");

            let to_channel = format!(r#"{{"type":"send","channel":"lobby","data":{data}}}"#);
            let (info, frames, deliveries) = count(&mut machine, members, &to_channel);
            assert_none(info, "to the channel");
            assert_eq!((frames, deliveries), (1, members), "one frame for all");
        }
    }
}

#[test]
fn refusals_allocate_nothing() {
    let mut machine = Machine::with_members(2);
    for text in [
        r#"{"type":"send","peer_id":"nobody","data":1}"#,
        r#"{"type":"send","channel":"nowhere","data":1}"#,
        r#"{"type":"relayICECandidate","peer_id":"peer-00000000000000000","ice_candidate":null,"connection_id":"1.1"}"#,
    ] {
        let (info, frames, _) = count(&mut machine, 1, text);
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

#[test]
fn a_session_in_a_channel_of_two_takes_half_a_kilobyte() {
    for pairs in [1000, 5000] {
        let mut machine = None;
        let taken = measure(|| {
            let machine = machine.insert(Machine::with_strangers(2 * pairs));
            for member in 0..2 * pairs {
                machine.say(member, &format!(r#"{{"type":"join","channel":"pair-{}"}}"#, member / 2));
            }
        });
        let each = taken.bytes_current / (2 * pairs as i64);
        assert!((200..512).contains(&each), "{each} bytes");
    }
}
