//! Sockets that say nothing, take nothing, end badly, or are too many.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time,
};

use super::{
    http::upgrade_with,
    scene::{self, Scene, described},
};
use crate::client::Client;

/// How often a slow reader takes a byte.
const SLOW: Duration = Duration::from_millis(100);

/// Says no `hello`.
pub(super) async fn silent(scene: &Scene) -> String {
    ending(scene.server.socket().await).await
}

/// Answers no ping, nor anything else.
pub(super) async fn deaf(scene: &Scene) -> String {
    let mut client = scene.client().await;
    client.wire().mute = true;
    ending(client).await
}

/// Does not answer the close frame, nor close the connection.
pub(super) async fn does_not_close(scene: &Scene) -> String {
    let mut client = scene.client().await;
    client.wire().mute = true;
    assert!(scene.server.signaling.kick(&client.peer.parse().unwrap()));
    ending(client).await
}

/// Ends its half of the connection, without a close frame. The session waits for another socket.
pub(super) async fn closes_half(scene: &Scene) -> String {
    let mut client = scene.client().await;
    client.wire().shutdown().await.unwrap();
    let (texts, closed) = client.hear_until_closed().await;
    let (again, welcome) = scene.server.resume(&client.token, 0).await;
    again.bye().await;
    format!("{}, resumed: {}", described(&texts, Some(closed)), welcome["resumed"])
}

/// Reads nothing while much is sent to it. What the sender hears at last.
pub(super) async fn never_reads(scene: &Scene) -> String {
    let (victim, mut sender) = blockable(scene).await;
    let heard = fill(&mut sender, &scene.room).await;
    drop(victim);
    heard
}

/// Reads a byte now and then while much is sent to it. What the sender hears at last.
pub(super) async fn reads_slowly(scene: &Scene) -> String {
    let (mut victim, mut sender) = blockable(scene).await;
    let read = async {
        let mut clock = time::interval(SLOW);
        while victim.wire().read_u8().await.is_ok() {
            clock.tick().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        heard = fill(&mut sender, &scene.room) => heard,
        () = read => unreachable!("only the sender's fate ends it"),
    }
}

/// A client into which little goes unless it reads, and one that is in the same channel.
async fn blockable(scene: &Scene) -> (Client, Client) {
    let (mut victim, mut sender) = (scene.server.narrow_socket().await, scene.member().await);
    victim.say(r#"{"type":"hello","version":1}"#).await;
    victim.read_welcome().await;
    victim.join(&scene.room).await;
    sender.expect("addPeer").await;
    (victim, sender)
}

/// Sends so much that a connection is full, and no more than an outbox may hold. What comes of it.
async fn fill(sender: &mut Client, room: &str) -> String {
    let filling = "x".repeat(1 << 10);
    for _ in 0..100 {
        sender.say(format!(r#"{{"type":"send","channel":"{room}","data":"{filling}"}}"#)).await;
    }
    let removed = sender.expect("removePeer").await;
    format!("removePeer {}", removed["reason"].as_str().unwrap())
}

/// So many sockets from one address. How each is answered.
pub(super) async fn from_one_address(
    scene: &Scene,
    number: usize,
    header: impl Fn(usize) -> String,
) -> String {
    let (mut open, mut answers) = (Vec::<TcpStream>::new(), Vec::new());
    for index in 0..number {
        let header = header(index);
        let mut headers = upgrade_with(&[]);
        headers.push(&header);
        let mut stream = scene.server.connect().await;
        stream.write_all(scene.request(&headers).as_bytes()).await.unwrap();
        answers.push(scene::status(&mut stream).await);
        open.push(stream);
    }
    let accepted = answers.iter().take_while(|answer| *answer == "HTTP 101").count();
    answers.dedup();
    format!("{accepted} times {}", answers.join(", then "))
}

/// So many sockets die at the same instant; some of them share a channel with one that lives on.
pub(super) async fn die_at_once(scene: &Scene, number: usize, members: usize) -> String {
    let mut witness = scene.member().await;
    let mut opening = JoinSet::new();
    for index in 0..number {
        let scene = scene.clone();
        opening
            .spawn(async move { if index < members { scene.member().await } else { scene.client().await } });
    }
    let clients = opening.join_all().await;
    for _ in 0..members {
        witness.expect("addPeer").await;
    }
    drop(clients);
    let mut heard = Vec::new();
    while heard.len() < members {
        heard.push(witness.hear_text().await);
    }
    described(&heard, None)
}

async fn ending(mut client: Client) -> String {
    let (texts, closed) = client.hear_last().await;
    described(&texts, Some(closed))
}
