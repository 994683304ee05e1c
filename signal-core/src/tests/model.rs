//! Random conversations against a model that is written another way.
//!
//! Over `LocalLog` the naive model foretells each line of the transcript. Over a log that delays, refuses and mixes
//! in the entries of other machines nobody can foretell the lines; there the client's views are checked, each
//! reconstructed from what that client is sent alone, against each other and against what the log has committed.

mod checks;
mod client;
mod desk;
mod naive;
mod world;

use proptest::{collection::vec, option, prelude::*};

use self::{naive::Naive, world::World};
use super::transcript::{self, Pace};
use crate::{ChannelSettings, EndReason, FirstOffer, Hosting, Limits, Topology};

const PEERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const REMOTE_PEERS: [&str; 3] = ["r", "s", "t"];
const CHANNELS: [&str; 4] = ["lobby", "duo", "yard", "stage"];

const VIEWERS: [&str; 3] = ["b", "f", "s"];

/// Small bounds, so that random conversations meet them.
fn limits() -> Limits {
    Limits { channels_per_peer: 2, members_per_channel: 4, waiting_messages: 3, ..Limits::default() }
}

fn settings(channel: &str) -> ChannelSettings {
    let default = ChannelSettings { capacity: 4, ..ChannelSettings::default() };
    match channel {
        "duo" => ChannelSettings { capacity: 2, first_offer: FirstOffer::Resident, ..default },
        "yard" => ChannelSettings { capacity: 3, topology: Topology::Unlisted, ..default },
        "stage" => ChannelSettings { topology: Topology::Star, ..default },
        _ => default,
    }
}

/// Who may be the host of the stage.
fn hosting(peer: &str) -> Hosting {
    if VIEWERS.contains(&peer) { Hosting::Never } else { Hosting::Candidate }
}

/// One thing that happens. Where a peer speaks that has no session, it is connected first.
#[derive(Clone, Debug)]
enum Op {
    Join { peer: usize, channel: usize, userdata: Option<u8> },
    Part { peer: usize, channel: usize },
    Set { peer: usize, channel: usize, userdata: u8 },
    Say { peer: usize, channel: usize },
    Tell { peer: usize, to: usize },
    Relay { peer: usize, to: usize, what: Relayed, connection: Connection },
    Rubbish { peer: usize },
    Bye { peer: usize },
    Detach { peer: usize },
    Resume { peer: usize },
    End { peer: usize, reason: EndReason },
    Kick { peer: usize, channel: usize },
    Publish { channel: usize },
    Wait { seconds: u64 },
    Remote { peer: usize, channel: usize, what: RemoteEntry },
}

#[derive(Clone, Copy, Debug)]
enum Relayed {
    Offer,
    Candidate,
}

#[derive(Clone, Copy, Debug)]
enum Connection {
    Absent,
    /// That of the pair in a channel, if there is one.
    Of(usize),
    /// Any position, which may belong to others, or to an introduction that is over.
    At(u64),
}

#[derive(Clone, Copy, Debug)]
enum RemoteEntry {
    Join,
    Update(u8),
    Part,
}

/// What happens, and whether the peer wants an answer to it.
type Step = (Op, bool);

fn peer() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..3_usize, 1 => 0..PEERS.len()]
}

fn channel() -> impl Strategy<Value = usize> {
    0..CHANNELS.len()
}

fn local_op() -> impl Strategy<Value = Op> {
    let connection = prop_oneof![
        Just(Connection::Absent),
        channel().prop_map(Connection::Of),
        (1..30_u64).prop_map(Connection::At),
    ];
    let relayed = prop_oneof![Just(Relayed::Offer), Just(Relayed::Candidate)];
    let reason = prop_oneof![Just(EndReason::Closed), Just(EndReason::Replaced), Just(EndReason::Overflow)];
    let seconds = prop_oneof![Just(1_u64), Just(5), Just(11)];
    prop_oneof![
        8 => (peer(), channel(), option::of(0..3_u8))
            .prop_map(|(peer, channel, userdata)| Op::Join { peer, channel, userdata }),
        3 => (peer(), channel()).prop_map(|(peer, channel)| Op::Part { peer, channel }),
        2 => (peer(), channel(), 0..3_u8)
            .prop_map(|(peer, channel, userdata)| Op::Set { peer, channel, userdata }),
        3 => (peer(), channel()).prop_map(|(peer, channel)| Op::Say { peer, channel }),
        2 => (peer(), peer()).prop_map(|(peer, to)| Op::Tell { peer, to }),
        4 => (peer(), peer(), relayed, connection)
            .prop_map(|(peer, to, what, connection)| Op::Relay { peer, to, what, connection }),
        1 => peer().prop_map(|peer| Op::Rubbish { peer }),
        1 => peer().prop_map(|peer| Op::Bye { peer }),
        2 => peer().prop_map(|peer| Op::Detach { peer }),
        1 => peer().prop_map(|peer| Op::Resume { peer }),
        1 => (peer(), reason).prop_map(|(peer, reason)| Op::End { peer, reason }),
        2 => (peer(), channel()).prop_map(|(peer, channel)| Op::Kick { peer, channel }),
        1 => channel().prop_map(|channel| Op::Publish { channel }),
        2 => seconds.prop_map(|seconds| Op::Wait { seconds }),
    ]
}

fn op_among_others() -> impl Strategy<Value = Op> {
    let entry = prop_oneof![
        2 => Just(RemoteEntry::Join),
        1 => (0..3_u8).prop_map(RemoteEntry::Update),
        1 => Just(RemoteEntry::Part),
    ];
    let remote = (0..REMOTE_PEERS.len(), channel(), entry).prop_map(|(peer, channel, what)| Op::Remote {
        peer,
        channel,
        what,
    });
    prop_oneof![9 => local_op(), 1 => remote]
}

/// What becomes of one question to the policy or one append to the log.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// How many further inputs it takes.
    delay: usize,
    refused: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    (0..=5_usize, prop_oneof![6 => Just(false), 1 => Just(true)])
        .prop_map(|(delay, refused)| Fate { delay, refused })
}

proptest! {
    #[test]
    fn over_local_log_the_hub_says_exactly_what_the_naive_model_says(
        steps in vec((local_op(), any::<bool>()), 0..80),
    ) {
        let (script, expected) = Naive::foretell(&steps);
        let said = transcript::play(&limits(), Pace::Local, &script);
        prop_assert_eq!(&said, &expected, "\n{}", script);
        let again = transcript::play(&limits(), Pace::Local, &script);
        prop_assert_eq!(&said, &again, "the same inputs give the same outputs\n{}", script);
        let late = transcript::play(&limits(), Pace::EndOfLine, &script);
        prop_assert_eq!(&said, &late, "whenever the log commits\n{}", script);
    }

    #[test]
    fn over_a_log_that_delays_and_refuses_all_views_agree_with_the_log(
        steps in vec((op_among_others(), any::<bool>()), 0..80),
        policy in vec(fate(), 0..8),
        log in vec(fate(), 0..8),
        cut in 0..40_usize,
    ) {
        let first = World::play(&steps, &policy, &log, cut);
        let again = World::play(&steps, &policy, &log, cut);
        prop_assert_eq!(first, again, "the same inputs give the same outputs");
    }
}
