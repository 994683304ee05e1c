//! Clients that do not read. Their connections are narrow, so that little suffices to block them.

use std::future;

use signal_tokio::Timing;

use super::{FOREVER, SHORT};
use crate::{
    Adapter,
    client::{Client, Heard},
    pair::Pair,
    server::Server,
};

rules! { ($) slow:
    who_never_reads_is_ended_when_its_outbox_is_full_and_disturbs_nobody,
    the_outbox_is_bounded_in_bytes_too,
    who_blocks_too_long_is_detached_and_may_resume,
    who_asks_without_reading_the_answers_is_not_read,
    who_is_kicked_while_blocked_hears_all_that_came_before,
    who_is_blocked_can_be_replaced,
    a_message_by_which_the_socket_is_lost_is_not_sent_without_end,
    who_comes_back_with_a_little_more_each_time_may_do_so_for_ever,
    who_never_receives_the_welcome_is_not_blamed_for_what_follows,
}

async fn who_never_reads_is_ended_when_its_outbox_is_full_and_disturbs_nobody(adapter: Adapter) {
    let timing = Timing { write: FOREVER, ..Timing::default() };
    let server = adapter.start_narrow_with(|builder| builder.timing(timing).outbox(64, 1 << 20)).await;
    let mut pair = Pair::join(&server).await;
    let (mut victim, mut sender) = blockable(&server).await;
    let mut sent = 0;
    let removed = loop {
        say_numbered(&mut sender, sent, 1 << 10).await;
        sent += 1;
        // What else could block a server: requests, new sockets, joins of the same channel.
        pair.exchange().await;
        if let Some(text) = heard(&mut sender).await {
            break text;
        }
        assert!(sent < 1000, "so many messages are kept for a client that does not read");
    };
    let victim_is = format!(r#""peer_id":"{}","reason":"overflow""#, victim.peer);
    assert!(removed.contains(&victim_is), "{removed}");
    // It has missed nothing up to the end.
    let (texts, closed) = victim.hear_last().await;
    check_numbers(&texts);
    assert!(matches!(closed, Heard::Closed(4008, ref reason) if reason == "overflow"), "{closed:?}");
    server.client().await.join("room").await;
    pair.exchange().await;
}

async fn the_outbox_is_bounded_in_bytes_too(adapter: Adapter) {
    let timing = Timing { write: FOREVER, ..Timing::default() };
    let server = adapter.start_narrow_with(|builder| builder.timing(timing).outbox(1024, 64 << 10)).await;
    let (_victim, mut sender) = blockable(&server).await;
    let mut sent = 0;
    while heard(&mut sender).await.is_none() {
        say_numbered(&mut sender, sent, 4 << 10).await;
        sent += 1;
        assert!(sent < 100, "so many messages of 4 KiB are kept for a client that does not read");
    }
}

async fn who_blocks_too_long_is_detached_and_may_resume(adapter: Adapter) {
    let server = impatient(adapter).await;
    let mut pair = Pair::join(&server).await;
    let (mut victim, mut sender) = blockable(&server).await;
    for number in 0..100 {
        say_numbered(&mut sender, number, 1 << 10).await;
    }
    a_while(&server).await;
    pair.exchange().await;
    assert_eq!(heard(&mut sender).await, None, "nobody is told");
    let (mut texts, closed) = victim.hear_last().await;
    assert_eq!(closed, Heard::Closed(4008, "slow".to_owned()));
    let (mut again, welcome) = server.resume(&victim.token, victim.received).await;
    assert_eq!(welcome["resumed"], true);
    while texts.len() < 100 {
        texts.push(again.hear_text().await);
    }
    check_numbers(&texts);
}

async fn who_asks_without_reading_the_answers_is_not_read(adapter: Adapter) {
    let server = impatient(adapter).await;
    let mut pair = Pair::join(&server).await;
    let (mut victim, _) = blockable(&server).await;
    let channel = "x".repeat(100);
    let ask = async {
        for id in 0.. {
            let asked = victim.try_say(format!(r#"{{"type":"part","id":{id},"channel":"{channel}"}}"#)).await;
            if asked.is_err() {
                break;
            }
        }
        future::pending::<()>().await;
    };
    tokio::select! {
        () = ask => {}
        () = a_while(&server) => {}
    }
    pair.exchange().await;
    let (mut again, welcome) = server.resume(&victim.token, victim.received).await;
    assert_eq!(welcome["resumed"], true);
    // The first was the join.
    let asked = welcome["received"].as_u64().unwrap() - 1;
    assert!(asked < 1000, "{asked} requests are carried out for a client that does not read the answers");
    for id in 0..asked {
        assert_eq!(again.expect("parted").await["id"], id);
    }
}

async fn who_is_kicked_while_blocked_hears_all_that_came_before(adapter: Adapter) {
    let timing = Timing { write: FOREVER, ..Timing::default() };
    let server = adapter.start_narrow_with(|builder| builder.timing(timing)).await;
    for _ in 0..5 {
        let (mut victim, mut sender) = blockable(&server).await;
        for number in 0..100 {
            say_numbered(&mut sender, number, 1 << 10).await;
        }
        assert_eq!(heard(&mut sender).await, None);
        let peer = server.signaling.peers().into_iter().find(|peer| peer.as_str() == victim.peer).unwrap();
        assert!(server.signaling.kick(&peer));
        let (texts, closed) = victim.hear_last().await;
        check_numbers(&texts);
        assert_eq!((texts.len(), closed), (100, Heard::Closed(4004, "kicked".to_owned())));
        sender.expect("removePeer").await;
        sender.bye().await;
    }
}

async fn who_is_blocked_can_be_replaced(adapter: Adapter) {
    let timing = Timing { write: FOREVER, ..Timing::default() };
    let server = adapter.start_narrow_with(|builder| builder.timing(timing)).await;
    let (victim, mut sender) = blockable(&server).await;
    for number in 0..100 {
        say_numbered(&mut sender, number, 1 << 10).await;
    }
    assert_eq!(heard(&mut sender).await, None);
    let (mut again, _) = server.resume(&victim.token, victim.received).await;
    let mut texts = Vec::new();
    while texts.len() < 100 {
        texts.push(again.hear_text().await);
    }
    check_numbers(&texts);
    // Nothing is left that waits for the blocked socket.
    tokio::join!(server.signaling.drain(FOREVER), again.hear_last(), sender.hear_last());
}

async fn a_message_by_which_the_socket_is_lost_is_not_sent_without_end(adapter: Adapter) {
    let server = adapter.start().await;
    let mut pair = Pair::join(&server).await;
    let (mut victim, mut sender) = blockable(&server).await;
    victim.acknowledge().await;
    let received = victim.received;
    say_numbered(&mut sender, 0, 10).await;
    let mut sent = 0;
    let welcome = loop {
        victim.expect("message").await;
        sent += 1;
        let (again, welcome) = server.resume(&victim.token, received).await;
        victim = again;
        if welcome["resumed"] == false {
            break welcome;
        }
        pair.exchange().await;
    };
    // Over the first socket, over the next one, and five times more in vain.
    assert_eq!((sent, &welcome["received"]), (7, &0.into()));
    assert_eq!(sender.expect("removePeer").await["reason"], "overflow");
    assert_eq!(victim.join("room").await.len(), 1);
    pair.exchange().await;
}

async fn who_comes_back_with_a_little_more_each_time_may_do_so_for_ever(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut victim, mut sender) = blockable(&server).await;
    for number in 0..20 {
        say_numbered(&mut sender, number, 10).await;
        // Between, it comes back with no more a few times, and is given the same again.
        for _ in 0..5 {
            let received = victim.received;
            victim.expect("message").await;
            let (again, welcome) = server.resume(&victim.token, received).await;
            assert_eq!(welcome["resumed"], true);
            victim = again;
        }
        assert_eq!(victim.expect("message").await["data"]["number"], number);
        // With nothing that waits, as often as it likes.
        for _ in 0..10 {
            let (again, welcome) = server.resume(&victim.token, victim.received).await;
            assert_eq!(welcome["resumed"], true);
            victim = again;
        }
    }
}

async fn who_never_receives_the_welcome_is_not_blamed_for_what_follows(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut victim, mut sender) = blockable(&server).await;
    let (token, received) = (victim.token.clone(), victim.received);
    say_numbered(&mut sender, 0, 10).await;
    victim.expect("message").await;
    for _ in 0..20 {
        // It knows the first token only.
        let (mut again, welcome) = server.resume(&token, received).await;
        assert_eq!(welcome["resumed"], true);
        again.expect("message").await;
    }
}

/// A server that gives up a blocked socket soon, and for which [`a_while`] is longer than that.
async fn impatient(adapter: Adapter) -> Server {
    let timing = Timing { write: SHORT, hello: 5 * SHORT, ..Timing::default() };
    adapter.start_narrow_with(|builder| builder.timing(timing)).await
}

/// Waits until the server has waited for a `hello`.
async fn a_while(server: &Server) {
    server.socket().await.expect_close(4002, "hello_timeout").await;
}

/// A client into which little goes unless it reads, and one that is in the same channel.
async fn blockable(server: &Server) -> (Client, Client) {
    let (mut victim, mut sender) = (server.narrow_socket().await, server.client().await);
    victim.say(r#"{"type":"hello","version":1}"#).await;
    victim.read_welcome().await;
    sender.join("room").await;
    victim.join("room").await;
    sender.expect("addPeer").await;
    (victim, sender)
}

async fn say_numbered(sender: &mut Client, number: u64, size: usize) {
    let filling = "x".repeat(size);
    let data = format!(r#"{{"number":{number},"filling":"{filling}"}}"#);
    sender.say(format!(r#"{{"type":"send","channel":"room","data":{data}}}"#)).await;
}

/// Whether somebody has heard something.
async fn heard(client: &mut Client) -> Option<String> {
    let (texts, closed) = client.hear_all().await;
    assert_eq!(closed, None);
    client.acknowledge().await;
    assert!(texts.len() < 2, "{texts:?}");
    texts.into_iter().next()
}

fn check_numbers(texts: &[String]) {
    assert!(!texts.is_empty());
    for (number, text) in texts.iter().enumerate() {
        assert!(
            text.contains(&format!(r#"{{"number":{number},"#)),
            "number {number} is missing: {text:.120}"
        );
    }
}
