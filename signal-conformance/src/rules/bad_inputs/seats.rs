//! More than there is room for.

use super::scene::{Scene, described};
use crate::client::Client;

/// Joins one channel more than a peer may be in.
pub(super) async fn channels_of_one_peer(scene: &Scene, number: usize) -> String {
    let mut client = scene.client().await;
    let mut answers = Vec::new();
    for channel in 0..number {
        client.say(format!(r#"{{"type":"join","channel":"{} {channel}"}}"#, scene.room)).await;
        answers.push(client.hear_text().await);
    }
    described(&answers, None)
}

/// Joins one peer more than a channel may have. What each is answered first.
pub(super) async fn peers_of_one_channel(scene: &Scene, number: usize) -> String {
    let (mut clients, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..number {
        let mut client = scene.client().await;
        answers.push(ask_to_join(&mut client, &scene.room).await);
        clients.push(client);
    }
    described(&answers, None)
}

/// Two ask at once for the last seat in a room for two.
pub(super) async fn the_last_seat(scene: &Scene) -> String {
    let channel = format!("pair {}", scene.room);
    let (mut ann, mut bob, mut cid) = (scene.client().await, scene.client().await, scene.client().await);
    ann.join(&channel).await;
    let (one, two) = tokio::join!(ask_to_join(&mut bob, &channel), ask_to_join(&mut cid, &channel));
    let mut answers = [one, two];
    // `error` before `joined`.
    answers.sort();
    described(&answers, None)
}

async fn ask_to_join(client: &mut Client, channel: &str) -> String {
    client.say(format!(r#"{{"type":"join","channel":"{channel}"}}"#)).await;
    client.hear_text().await
}
