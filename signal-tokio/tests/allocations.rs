//! Counts allocations: the driver makes at most one for each distinct payload, however many get it.

mod memory;

use std::time::Duration;

use allocation_counter::measure;
use memory::Client;
use signal_tokio::{Admission, Limits, Rates, Signaling, Timing};
use tokio::runtime::{self, Runtime};

/// Both sides acknowledge after so many frames.
const FRAMES: usize = 32;

#[test]
fn a_message_to_a_channel_is_one_allocation_for_1_8_and_64_recipients() {
    for recipients in [1, 8, 64] {
        let room = Room::with_members(1 + recipients);
        let message =
            r#"{"type":"send","channel":"room","data":{"size":"as such messages are, more or less"}}"#;
        room.check_that_each_is_one_allocation(message, 1..=recipients);
    }
}

#[test]
fn a_relayed_description_is_one_allocation() {
    let room = Room::with_members(2);
    let sdp = "v=0\\r\\n".repeat(500);
    let description = format!(r#"{{"type":"offer","sdp":"{sdp}"}}"#);
    let to = &room.peers[1];
    let relay = format!(
        r#"{{"type":"relaySessionDescription","peer_id":"{to}","session_description":{description}}}"#
    );
    room.check_that_each_is_one_allocation(relay.leak(), 1..=1);
}

#[test]
fn an_answer_is_one_allocation() {
    let room = Room::with_members(1);
    room.check_that_each_is_one_allocation(r#"{"type":"part","id":1,"channel":"elsewhere"}"#, 0..=0);
}

/// Some clients in one channel, on one thread.
struct Room {
    runtime: Runtime,
    members: Vec<Client>,
    peers: Vec<String>,
}

impl Room {
    fn with_members(number: usize) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let limits = Limits { members_per_channel: number, ..Limits::default() };
        // Acknowledgements by number only.
        let timing = Timing { acknowledge: Duration::from_secs(3600), ..Timing::default() };
        let signaling = Signaling::builder()
            .limits(limits)
            .timing(timing)
            .rates(Rates::unlimited())
            .build()
            .expect("it can work");
        let members: Vec<_> = (0..number).map(|_| Client::with_capacity(4 * FRAMES)).collect();
        for (newcomer, client) in members.iter().enumerate() {
            runtime.block_on(async {
                tokio::spawn(signaling.serve(client.socket(), Admission::default()));
                client.say(r#"{"type":"hello","version":1}"#);
                client.hear().await;
                client.say(r#"{"type":"join","channel":"room"}"#);
                // `joined` for the newcomer, and `addPeer` for all on both sides.
                client.hear().await;
                for resident in &members[..newcomer] {
                    client.hear().await;
                    resident.hear().await;
                }
            });
        }
        let peers = signaling.peers().iter().map(ToString::to_string).collect();
        Self { runtime, members, peers }
    }

    /// Lets the first member say `message` many times; each of `heard_by` hears something each time.
    fn check_that_each_is_one_allocation(
        &self,
        message: &'static str,
        heard_by: std::ops::RangeInclusive<usize>,
    ) {
        let heard_by = &self.members[heard_by];
        for round in 0..8 {
            // All have heard the answer to their join and of each other.
            let received = self.members.len() + FRAMES * (round + 1);
            let acknowledgement = format!(r#"{{"type":"ack","received":{received}}}"#).leak();
            let allocations =
                measure(|| self.runtime.block_on(self.play(message, heard_by, acknowledgement)));
            // In the first rounds storage grows. The payloads are the messages and one acknowledgement of them.
            if round >= 4 {
                let recipients = heard_by.len();
                assert!(
                    allocations.count_total <= FRAMES as u64 + 1,
                    "{recipients} recipients: {allocations:?}"
                );
                assert_eq!(allocations.count_current, 0, "{allocations:?}");
            }
        }
    }

    async fn play(&self, message: &'static str, heard_by: &[Client], acknowledgement: &'static str) {
        let speaker = &self.members[0];
        for _ in 0..FRAMES {
            speaker.say(message);
        }
        for client in heard_by {
            for _ in 0..FRAMES {
                client.hear().await;
            }
            client.say(acknowledgement);
        }
        // The server's acknowledgement.
        speaker.hear().await;
        // Until those of the clients are read.
        for client in heard_by {
            client.has_been_read().await;
        }
    }
}
