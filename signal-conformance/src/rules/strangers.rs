//! Many strangers at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::select_all;
use signal_tokio::{Limits, Timing};
use tokio::{sync::Barrier, task::JoinSet};

use super::{FOREVER, SHORT};
use crate::{
    Adapter, count,
    server::Server,
    stranger::{Meeting, Stranger},
};

rules! { ($) strangers:
    of_many_who_look_for_each_other_at_once_each_meets_one_other_at_a_time,
}

/// How much each of them does.
const ROUNDS: usize = 20;

/// For so many there is one pool. If they were many more, nobody would ever wait.
const STRANGERS_OF_A_POOL: usize = 8;

async fn of_many_who_look_for_each_other_at_once_each_meets_one_other_at_a_time(adapter: Adapter) {
    let strangers = count("STRANGERS", 200);
    let pools = strangers.div_ceil(STRANGERS_OF_A_POOL);
    let limits = Limits {
        rematch: SHORT,
        grace: FOREVER,
        pools,
        channels_per_peer: pools.max(16),
        ..Limits::default()
    };
    // Those who are done with their rounds read nothing while the others are not.
    let timing = Timing { hello: FOREVER, heartbeat: FOREVER, ..Timing::default() };
    let server = Arc::new(adapter.start_with(|builder| builder.limits(limits).timing(timing)).await);
    let mut crowd = crowd(&server, strangers, pools).await;
    settle(&mut crowd, pools).await;
    check_rooms(&server, &crowd);

    for stranger in &mut crowd {
        stranger.say_bye().await;
    }
    assert_eq!(server.signaling.channels(), []);
    assert_eq!(server.signaling.peers(), []);
    // If a pool were left, there would be no room for as many others.
    let mut last = server.client().await;
    for number in 0..pools {
        last.search(&format!("another {number}")).await;
        last.expect("waiting").await;
    }
    check_meetings(&crowd);
}

/// Strangers who have done all kinds of things at once, and then have all looked for somebody.
async fn crowd(server: &Arc<Server>, strangers: usize, pools: usize) -> Vec<Stranger> {
    let (mut tasks, barrier) = (JoinSet::new(), Arc::new(Barrier::new(strangers)));
    for number in (0..).take(strangers) {
        let (server, barrier) = (Arc::clone(server), Arc::clone(&barrier));
        tasks.spawn(async move {
            let mut stranger = Stranger::come(server, pools, number).await;
            for _ in 0..ROUNDS {
                stranger.do_anything().await;
            }
            barrier.wait().await;
            stranger.search().await;
            stranger
        });
    }
    tasks.join_all().await
}

/// Waits until nobody waits for whom there is somebody else. Last partners meet again when they have waited a while.
async fn settle(crowd: &mut [Stranger], pools: usize) {
    for stranger in &mut *crowd {
        stranger.catch_up().await;
    }
    for pool in (0..pools).map(|number| number.to_string()) {
        loop {
            let waiting = crowd.iter_mut().filter(|stranger| stranger.waits.as_ref() == Some(&pool));
            let hearing: Vec<_> = waiting.map(|stranger| Box::pin(stranger.hear())).collect();
            if hearing.len() < 2 {
                break;
            }
            select_all(hearing).await;
        }
    }
    for stranger in crowd {
        stranger.catch_up().await;
    }
}

/// Those are in a channel who have been told so, and nobody else is.
fn check_rooms(server: &Server, crowd: &[Stranger]) {
    let mut told: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for stranger in crowd {
        for room in &stranger.rooms {
            told.entry(room.clone()).or_default().insert(stranger.peer().to_owned());
        }
    }
    let channels = server.signaling.channels().into_iter().map(|channel| {
        let members = channel.members.iter().map(|member| member.peer.as_str().to_owned());
        (channel.name.as_str().to_owned(), members.collect())
    });
    assert_eq!(told, channels.collect());
}

/// Each match is one of two, and both were told the same of it.
fn check_meetings(crowd: &[Stranger]) {
    let vanished: BTreeSet<_> = crowd.iter().flat_map(|stranger| &stranger.vanished).collect();
    let mut matches: BTreeMap<_, Vec<&Meeting>> = BTreeMap::new();
    for meeting in crowd.iter().flat_map(|stranger| &stranger.meetings) {
        matches.entry(&meeting.channel).or_default().push(meeting);
    }
    assert!(matches.len() > crowd.len(), "{} matches are too few", matches.len());
    for meetings in matches.values() {
        match meetings.as_slice() {
            [one, other] => {
                assert_ne!(one.own, other.own);
                assert_eq!((&one.own, &one.other), (&other.other, &other.own));
                assert_eq!(one.connection, other.connection);
                assert_ne!(one.offers, other.offers);
            }
            // All that is said to a session is delivered, also over other sockets and at its end, unless its client has
            // vanished. So this is the only way not to hear of a match.
            [one] => assert!(vanished.contains(&one.other), "{one:?}"),
            more => panic!("more than two in one channel: {more:?}"),
        }
    }
    let mut missed = crowd.iter().flat_map(|stranger| &stranger.missed);
    assert!(missed.all(|peer| vanished.contains(peer)));
}
