//! Pools as their log makes them.

use expect_test::expect;
use proptest::{collection::vec, option, prelude::*};

use crate::{
    Channel, ChannelName, ChannelSettings, EndReason, Entry, FirstOffer, OwnedPayload, PeerId, Pool,
    PoolSnapshot, Position, Topology,
};

const PAIRS: ChannelSettings =
    ChannelSettings { capacity: 2, first_offer: FirstOffer::Newcomer, topology: Topology::Mesh };

fn peer(name: &str) -> PeerId {
    PeerId::new(name).unwrap()
}

fn search(name: &str, avoid: &[&str], userdata: Option<&str>, settings: ChannelSettings) -> Entry {
    Entry::Match {
        peer: peer(name),
        identity: None,
        userdata: userdata.map(|json| OwnedPayload::from_json(json).unwrap()),
        avoid: avoid.iter().map(|name| peer(name)).collect(),
        room: ChannelName::new(&format!("~{name}")).unwrap(),
        settings,
    }
}

fn replay(mut pool: Pool, from: u64, entries: &[Entry]) -> (Pool, Vec<Option<ChannelName>>) {
    let found = (from..).zip(entries).map(|(position, entry)| pool.replay(Position(position), entry.clone()));
    let found = found.collect();
    (pool, found)
}

/// Who waits after these entries, and the channels in which the others have met.
fn outcome(entries: &[Entry]) -> String {
    let (pool, found) = replay(Pool::default(), 1, entries);
    let waiting: Vec<_> = pool.tickets().iter().map(|ticket| ticket.peer.as_str()).collect();
    let found: Vec<_> = found.iter().flatten().map(ChannelName::as_str).collect();
    format!("{} waiting, {} met", waiting.join(" "), found.join(" "))
}

#[test]
fn the_channel_is_that_of_the_ticket_that_completes_the_match() {
    let entries = [search("a", &[], None, PAIRS), search("b", &[], None, PAIRS)];
    assert_eq!(outcome(&entries), " waiting, ~b met");
    let entries =
        [search("a", &["b"], None, PAIRS), search("b", &[], None, PAIRS), Entry::Widen { peer: peer("a") }];
    assert_eq!(outcome(&entries), " waiting, ~a met");
}

#[test]
fn the_settings_are_those_of_whoever_waits_first() {
    let trios = ChannelSettings { capacity: 3, ..PAIRS };
    let entries = [search("a", &[], None, trios), search("b", &[], None, PAIRS)];
    assert_eq!(outcome(&entries), "a b waiting,  met");
    let emptied = [
        search("a", &[], None, trios),
        Entry::Cancel { peer: peer("a") },
        search("b", &[], None, PAIRS),
        search("c", &[], None, trios),
    ];
    assert_eq!(outcome(&emptied), " waiting, ~c met");
}

#[test]
fn who_waits_keeps_its_ticket_and_can_replace_its_userdata() {
    let userdata = OwnedPayload::from_json("2").unwrap();
    let entries = [
        search("a", &["b"], Some("1"), PAIRS),
        search("b", &[], None, PAIRS),
        search("a", &[], None, PAIRS),
        Entry::Update { peer: peer("a"), userdata: userdata.clone() },
        Entry::Update { peer: peer("c"), userdata: userdata.clone() },
    ];
    let (pool, found) = replay(Pool::default(), 1, &entries);
    assert_eq!(found.into_iter().flatten().count(), 0);
    let ticket = pool.ticket(&peer("a")).unwrap();
    assert_eq!(ticket.userdata, Some(userdata));
    assert_eq!((ticket.since, &ticket.avoid[..]), (Position(1), &[peer("b")][..]));
}

#[test]
fn a_channel_begins_at_the_entry_by_which_strangers_meet() {
    let mut pool = Pool::default();
    pool.replay(
        Position(3),
        search("a", &[], Some("1"), ChannelSettings { topology: Topology::Star, ..PAIRS }),
    );
    let found = pool.apply(Position(5), search("b", &[], None, PAIRS)).unwrap();
    let mut channel = Channel::of_match(Position(5), found.settings, found.strangers);
    let part = Entry::Part { peer: peer("a"), reason: EndReason::Parted };
    assert!(!channel.replay(Position(5), part), "what came before has no effect");
    expect![[r#"
        {"version":1,"position":5,"settings":{"capacity":2,"first_offer":"newcomer","topology":"star"},"members":[{"peer":"a","joined_at":5,"identity":null,"userdata":1,"hosting":"candidate"},{"peer":"b","joined_at":5,"identity":null,"hosting":"candidate"}],"host":{"peer":"a","since":5}}
    "#]]
    .assert_eq(&format!("{}\n", serde_json::to_string(&channel.snapshot()).unwrap()));
}

#[test]
fn the_written_form_is_fixed() {
    let entries = [
        search("a", &["b", "c"], Some(r#"{"n" : 1}"#), PAIRS),
        search("b", &[], None, PAIRS),
        Entry::Widen { peer: peer("b") },
        Entry::Cancel { peer: peer("b") },
    ];
    let (pool, _) = replay(Pool::default(), 1, &entries);
    let entries = entries.map(|entry| serde_json::to_string(&entry).unwrap());
    let snapshot = serde_json::to_string(&pool.snapshot()).unwrap();
    expect![[r#"
        {"match.1":{"peer":"a","identity":null,"userdata":{"n" : 1},"avoid":["b","c"],"room":"~a","settings":{"capacity":2,"first_offer":"newcomer","topology":"mesh"}}}
        {"match.1":{"peer":"b","identity":null,"avoid":[],"room":"~b","settings":{"capacity":2,"first_offer":"newcomer","topology":"mesh"}}}
        {"widen.1":{"peer":"b"}}
        {"cancel.1":{"peer":"b"}}
        {"version":1,"position":4,"settings":{"capacity":2,"first_offer":"newcomer","topology":"mesh"},"tickets":[{"peer":"a","since":1,"identity":null,"userdata":{"n" : 1},"avoid":["b","c"],"room":"~a"}]}
    "#]]
    .assert_eq(&format!("{}\n{snapshot}\n", entries.join("\n")));
}

fn one_of_a_few() -> impl Strategy<Value = PeerId> {
    "[a-f]".prop_map(|name| peer(&name))
}

fn settings() -> impl Strategy<Value = ChannelSettings> {
    let first_offer = prop_oneof![Just(FirstOffer::Newcomer), Just(FirstOffer::Resident)];
    let topology = prop_oneof![Just(Topology::Mesh), Just(Topology::Star), Just(Topology::Unlisted)];
    (0..5_u32, first_offer, topology).prop_map(|(capacity, first_offer, topology)| ChannelSettings {
        capacity,
        first_offer,
        topology,
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let identity = option::of(any::<String>().prop_map(Into::into));
    let userdata = option::of(
        prop_oneof![Just("null"), Just("[ 1 ]")].prop_map(|json| OwnedPayload::from_json(json).unwrap()),
    );
    let avoid = vec(one_of_a_few(), 0..3);
    let room = "~[a-z]{1,3}".prop_map(|name| ChannelName::new(&name).unwrap());
    prop_oneof![
        4 => (one_of_a_few(), identity, userdata, avoid, room, settings()).prop_map(
            |(peer, identity, userdata, avoid, room, settings)| Entry::Match {
                peer, identity, userdata, avoid, room, settings
            }
        ),
        1 => one_of_a_few().prop_map(|peer| Entry::Widen { peer }),
        1 => one_of_a_few().prop_map(|peer| Entry::Cancel { peer }),
    ]
}

proptest! {
    #[test]
    fn an_entry_of_a_pool_is_read_as_it_was_written(entry in entry()) {
        let text = serde_json::to_string(&entry).unwrap();
        prop_assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry, "{}", text);
    }

    #[test]
    fn a_snapshot_and_what_follows_it_give_the_same_pool_as_everything(
        entries in vec(entry(), 0..40),
        cut in 0..40_usize,
    ) {
        let cut = cut.min(entries.len());
        let (before, after) = entries.split_at(cut);
        let snapshot = replay(Pool::default(), 1, before).0.snapshot();
        let text = serde_json::to_string(&snapshot).unwrap();
        let read: PoolSnapshot = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &snapshot, "{}", text);
        let (all, found) = replay(Pool::default(), 1, &entries);
        let (restored, found_since) = replay(Pool::from_snapshot(read), cut as u64 + 1, after);
        prop_assert_eq!(&restored, &all);
        prop_assert_eq!(found_since, &found[cut..]);
        let (again, found) = replay(restored, 1, &entries);
        prop_assert!(found.iter().all(Option::is_none), "what came before has no effect");
        prop_assert_eq!(again, all);
    }
}
