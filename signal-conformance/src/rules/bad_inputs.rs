//! The bad inputs: whatever comes, it is answered as the protocol says, and disturbs nobody.
//!
//! The table in `bad_inputs/table.rs` says what is sent and what must be answered. Each row has a server of its own, on
//! which two peers exchange numbered messages before, meanwhile and after: all of them arrive, in order, and nothing else
//! does. When a row is over, the sessions and channels that it made must be gone, and the tasks of its sockets too.
//! Whatever it waits for has a deadline, and a panic of any task fails the rule.

mod frames;
mod http;
mod messages;
mod resumes;
mod scene;
mod seats;
mod sockets;
mod table;

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::{task, time};

use self::{
    scene::{On, Scene},
    table::TABLE,
};
use crate::{Adapter, pair::Pair};

rules! { ($) bad_inputs:
    each_bad_input_is_answered_and_disturbs_nobody,
    all_bad_inputs_at_once_disturb_nobody,
}

/// Says what was answered.
type Played = Pin<Box<dyn Future<Output = String> + Send>>;

/// One line of the table.
struct Row {
    number: u8,
    what: &'static str,
    on: On,
    play: fn(Arc<Scene>) -> Played,
    /// What [`Scene`] says of the server's answer.
    answer: &'static str,
}

/// No row takes so long, on a busy machine either.
const DEADLINE: Duration = Duration::from_secs(60);

/// Most rows that take long wait, and most that do not are done in a moment.
const AT_ONCE: usize = 12;

async fn each_bad_input_is_answered_and_disturbs_nobody(adapter: Adapter) {
    let mut rows: Vec<_> = TABLE.iter().collect();
    // Those on a server of their own kind wait for something.
    rows.sort_by_key(|row| row.on == On::Default);
    let played = stream::iter(rows).map(|row| async move {
        let played = time::timeout(DEADLINE, task::spawn(play(adapter, row))).await;
        (row, played.map_or_else(|_| "nothing that ends the row".to_owned(), answer_of))
    });
    check(played.buffer_unordered(AT_ONCE).collect().await);
}

/// Plays one row beside two peers, who must not notice. What was answered.
async fn play(adapter: Adapter, row: &'static Row) -> String {
    let scene = Arc::new(Scene::start(adapter, row.on).await);
    let mut pair = scene.pair().await;
    let played = pair.exchange_while(task::spawn((row.play)(Arc::clone(&scene)))).await;
    leave_alone(&scene, pair).await;
    answer_of(played)
}

async fn all_bad_inputs_at_once_disturb_nobody(adapter: Adapter) {
    let scene = Scene::start(adapter, On::Default).await;
    let mut pair = scene.pair().await;
    let rows = TABLE.iter().filter(|row| row.on == On::Default).enumerate();
    let plays = rows.map(|(index, row)| {
        let played = task::spawn((row.play)(Arc::new(scene.with_room(format!("room {index}")))));
        async move { (row, answer_of(played.await)) }
    });
    let plays: stream::FuturesUnordered<_> = plays.collect();
    check(pair.exchange_while(plays.collect()).await);
    leave_alone(&scene, pair).await;
}

/// All that is left are these two; and when they have gone, nothing.
async fn leave_alone(scene: &Scene, mut pair: Pair) {
    scene.until_gone_but(2).await;
    pair.exchange().await;
    pair.bye().await;
    scene.until_gone_but(0).await;
    scene.server.signaling.drain(DEADLINE).await;
}

fn answer_of(played: Result<String, task::JoinError>) -> String {
    played.unwrap_or_else(|error| format!("none: {error}"))
}

fn check(played: Vec<(&'static Row, String)>) {
    let wrong = played.into_iter().filter(|(row, answer)| row.answer != answer);
    let wrong = wrong.map(|(Row { number, what, answer: expected, .. }, answer)| {
        format!("{number} {what}: expected is {expected}; it was {answer}")
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
