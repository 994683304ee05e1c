//! Entries and snapshots as they are written into a log.

use expect_test::expect;
use proptest::{collection::vec, option, prelude::*};

use crate::{
    Channel, ChannelSettings, ChannelSnapshot, EndReason, Entry, FirstOffer, Hosting, OwnedPayload, PeerId,
    Position, Topology,
};

fn peer() -> impl Strategy<Value = PeerId> {
    "[!-~]{1,64}".prop_map(|id| PeerId::new(&id).unwrap())
}

fn one_of_a_few() -> impl Strategy<Value = PeerId> {
    "[a-e]".prop_map(|id| PeerId::new(&id).unwrap())
}

fn payload() -> impl Strategy<Value = OwnedPayload> {
    prop_oneof![
        Just("null".to_owned()),
        Just(r#" {"a" : [1e999, "\u0041"], "a": null} "#.to_owned()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        any::<i64>().prop_map(|number| number.to_string()),
    ]
    .prop_map(|json| OwnedPayload::from_json(&json).unwrap())
}

fn settings() -> impl Strategy<Value = ChannelSettings> {
    let first_offer = prop_oneof![Just(FirstOffer::Newcomer), Just(FirstOffer::Resident)];
    let topology = prop_oneof![Just(Topology::Mesh), Just(Topology::Star), Just(Topology::Unlisted)];
    let capacity = prop_oneof![0..4_u32, Just(u32::MAX)];
    (capacity, first_offer, topology).prop_map(|(capacity, first_offer, topology)| ChannelSettings {
        capacity,
        first_offer,
        topology,
    })
}

fn reason() -> impl Strategy<Value = EndReason> {
    proptest::sample::select(vec![
        EndReason::Parted,
        EndReason::Bye,
        EndReason::Timeout,
        EndReason::Kicked,
        EndReason::Overflow,
        EndReason::Closed,
        EndReason::Replaced,
    ])
}

fn hosting() -> impl Strategy<Value = Hosting> {
    proptest::sample::select(vec![Hosting::Candidate, Hosting::Never])
}

fn entry(peer: impl Strategy<Value = PeerId> + Clone) -> impl Strategy<Value = Entry> {
    let identity = option::of(any::<String>().prop_map(Into::into));
    prop_oneof![
        (peer.clone(), identity, option::of(payload()), settings(), hosting()).prop_map(
            |(peer, identity, userdata, settings, hosting)| Entry::Join {
                peer,
                identity,
                userdata,
                settings,
                hosting
            }
        ),
        (peer.clone(), reason()).prop_map(|(peer, reason)| Entry::Part { peer, reason }),
        (peer, payload()).prop_map(|(peer, userdata)| Entry::Update { peer, userdata }),
    ]
}

fn replay(mut channel: Channel, from: u64, entries: &[Entry]) -> Channel {
    for (position, entry) in (from..).zip(entries) {
        channel.replay(Position(position), entry.clone());
    }
    channel
}

proptest! {
    #[test]
    fn an_entry_is_read_as_it_was_written(entry in entry(peer().boxed())) {
        let text = serde_json::to_string(&entry).unwrap();
        prop_assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry, "{}", text);
    }

    #[test]
    fn a_snapshot_and_what_follows_it_give_the_same_channel_as_everything(
        entries in vec(entry(one_of_a_few().boxed()), 0..40),
        cut in 0..40_usize,
    ) {
        let cut = cut.min(entries.len());
        let (before, after) = entries.split_at(cut);
        let snapshot = replay(Channel::default(), 1, before).snapshot();
        let text = serde_json::to_string(&snapshot).unwrap();
        let read: ChannelSnapshot = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &snapshot, "{}", text);
        let all = replay(Channel::default(), 1, &entries);
        let restored = replay(Channel::from_snapshot(read), cut as u64 + 1, after);
        prop_assert_eq!(&restored, &all);
        let mut again = restored;
        for (position, entry) in (1..).zip(&entries) {
            prop_assert!(!again.replay(Position(position), entry.clone()), "what came before has no effect");
        }
        prop_assert_eq!(again, all);
    }
}

#[test]
fn the_written_form_is_fixed() {
    let settings = ChannelSettings::default();
    let (peer, data) = (PeerId::new("a").unwrap(), OwnedPayload::from_json(r#"{"n" : 1}"#).unwrap());
    let bare = Entry::Join {
        peer: peer.clone(),
        identity: None,
        userdata: None,
        settings,
        hosting: Hosting::Candidate,
    };
    let full = Entry::Join {
        peer: peer.clone(),
        identity: Some("ann".into()),
        userdata: Some(data.clone()),
        settings: ChannelSettings {
            capacity: 2,
            first_offer: FirstOffer::Resident,
            topology: Topology::Unlisted,
        },
        hosting: Hosting::Never,
    };
    let update = Entry::Update { peer: peer.clone(), userdata: data };
    let mut channel = Channel::default();
    channel.replay(Position(7), full.clone());
    let part = Entry::Part { peer, reason: EndReason::Kicked };
    let entries = [bare, full, update, part].map(|entry| serde_json::to_string(&entry).unwrap());
    let snapshot = serde_json::to_string(&channel.snapshot()).unwrap();
    expect![[r#"
        {"join.1":{"peer":"a","identity":null,"settings":{"capacity":4294967295,"first_offer":"newcomer","topology":"mesh"},"hosting":"candidate"}}
        {"join.1":{"peer":"a","identity":"ann","userdata":{"n" : 1},"settings":{"capacity":2,"first_offer":"resident","topology":"unlisted"},"hosting":"never"}}
        {"update.1":{"peer":"a","userdata":{"n" : 1}}}
        {"part.1":{"peer":"a","reason":"kicked"}}
        {"version":1,"position":7,"settings":{"capacity":2,"first_offer":"resident","topology":"unlisted"},"members":[{"peer":"a","joined_at":7,"identity":"ann","userdata":{"n" : 1},"hosting":"never"}],"host":null}
    "#]].assert_eq(&format!("{}\n{snapshot}\n", entries.join("\n")));
}

#[test]
fn an_entry_of_an_unknown_kind_or_version_is_refused() {
    for text in [
        r#"{"part.2":{"peer":"a","reason":"bye"}}"#,
        r#"{"part":{"peer":"a","reason":"bye"}}"#,
        r#"{"match.1":{"peer":"a"}}"#,
        r#"{"part.1":{"peer":"a","reason":"abducted"}}"#,
        r#"{"part.1":{"reason":"bye"}}"#,
        r#"{"part.1":{"peer":"","reason":"bye"}}"#,
        r#"{"part.1":{"peer":"a b","reason":"bye"}}"#,
        r#""part.1""#,
    ] {
        assert!(serde_json::from_str::<Entry>(text).is_err(), "{text}");
    }
}

/// So a later machine may add a field with a default, and earlier ones read on.
#[test]
fn an_unknown_field_of_an_entry_is_passed_over() {
    let text = r#"{"part.1":{"peer":"a","reason":"bye","by":"admin"}}"#;
    assert!(serde_json::from_str::<Entry>(text).is_ok());
}

#[test]
fn a_snapshot_of_an_unknown_version_is_refused() {
    let text = serde_json::to_string(&Channel::default().snapshot()).unwrap();
    assert!(serde_json::from_str::<ChannelSnapshot>(&text).is_ok());
    for version in ["0", "2", "-1", "1.5", "\"1\"", "null"] {
        let other = text.replace(r#""version":1"#, &format!(r#""version":{version}"#));
        assert_ne!(other, text);
        let error = serde_json::from_str::<ChannelSnapshot>(&other).expect_err(&other).to_string();
        assert!(version != "2" || error.contains("version 2 of a snapshot is not known"), "{error}");
    }
    assert!(serde_json::from_str::<ChannelSnapshot>(&text.replace(r#""version":1,"#, "")).is_err());
}
