//! Nothing is lost, doubled or moved wherever sockets are cut, and nobody notices.
//!
//! Two talk over a proxy each, which cuts their connections: within the HTTP upgrade, `hello`, `welcome`, an `ack`, the
//! header of a frame or its rest, and in all the ways in which connections end.
//!
//! `SIGNAL_TEST_BYTE_CUTS` says how many cuts are made. `SIGNAL_TEST_CUT_SEED=7` plays one talk alone: what is said, and
//! the list of cuts. What else happens meanwhile is up to the operating system.

mod talk;

use std::{
    env,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use signal_tokio::Timing;
use tokio::{task, time};

use self::talk::{Plan, Talker};
use super::FOREVER;
use crate::{Adapter, count, cut::Cut, server::Server};

rules! { ($) cuts:
    wherever_sockets_are_cut_each_message_arrives_once_and_in_order,
}

/// In one talk, of each of the two.
const CUTS: usize = 25;

const AT_ONCE: usize = 8;

/// No talk takes so long, on a busy machine either.
const DEADLINE: Duration = Duration::from_secs(60);

async fn wherever_sockets_are_cut_each_message_arrives_once_and_in_order(adapter: Adapter) {
    let seeds = match env::var("SIGNAL_TEST_CUT_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("a number");
            seed..seed + 1
        }
        Err(_) => 0..count("BYTE_CUTS", 300).div_ceil(2 * CUTS) as u64,
    };
    let mut talks = stream::iter(seeds).map(|seed| play(adapter, seed)).buffer_unordered(AT_ONCE);
    while let Some(played) = talks.next().await {
        played.unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// Plays one talk. The failure says how to play it again.
async fn play(adapter: Adapter, seed: u64) -> Result<(), String> {
    let done = Arc::default();
    let talk = task::spawn(time::timeout(DEADLINE, talk(adapter, seed, Arc::clone(&done))));
    let failure = match talk.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(_)) => "something is missing".to_owned(),
        Err(panicked) => panicked.to_string(),
    };
    let done = done.lock().unwrap();
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
    let replay = format!("SIGNAL_TEST_CUT_SEED={seed} cargo test -p {package} --test conformance cuts");
    Err(format!("{failure}\nafter {} cuts, the last of which are {:?}\n{replay}", done.len(), newest(&done)))
}

fn newest(cuts: &[Cut]) -> &[Cut] {
    &cuts[cuts.len().saturating_sub(4)..]
}

async fn talk(adapter: Adapter, seed: u64, done: Arc<Mutex<Vec<Cut>>>) {
    let server = start(adapter).await;
    let plan = Plan { seed, cuts: CUTS, done: Arc::clone(&done) };
    let mut ann = Talker::come(&server, &plan, 0).await;
    let mut bob = Talker::come(&server, &plan, 1).await;
    ann.meet(&mut bob).await;
    let ((by_ann, to_ann), (by_bob, to_bob)) = tokio::join!(ann.talk(), bob.talk());
    assert_eq!((by_ann, by_bob), (to_bob, to_ann), "what was said has been heard");
    assert_eq!(done.lock().unwrap().len(), 2 * CUTS, "sockets are lost that nobody has cut");
    let peers = server.signaling.peer_page(0, 3).peers;
    assert!(peers.len() == 2 && peers.iter().all(|peer| peer.attached), "two are there: {peers:?}");
    ann.bye().await;
    bob.expect("removePeer").await;
    bob.bye().await;
    assert_eq!((server.signaling.peers(), server.signaling.channels()), (vec![], vec![]));
    // No socket's task is left.
    server.signaling.drain(FOREVER).await;
}

/// A server that acknowledges at any time, and lets a session try as often as the dice cut it.
async fn start(adapter: Adapter) -> Server {
    let timing = Timing { acknowledge: Duration::from_millis(1), ..Timing::default() };
    adapter.start_with(|builder| builder.timing(timing).futile_resumes(u32::MAX)).await
}
