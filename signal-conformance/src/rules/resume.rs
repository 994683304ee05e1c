//! Nothing is lost and nothing comes twice when sockets are.

use crate::Adapter;

rules! { ($) resume:
    what_was_not_received_is_sent_again_in_order,
    what_was_acknowledged_is_not_sent_again,
    what_comes_for_a_detached_session_waits_for_it,
    answers_wait_too,
}

async fn what_was_not_received_is_sent_again_in_order(adapter: Adapter) {
    let server = adapter.start().await;
    for received in 0..=4 {
        let mut client = server.client().await;
        let channels = ["a", "b", "c", "d"];
        for channel in channels {
            client.join(channel).await;
        }
        let token = client.token.clone();
        drop(client);
        let (mut client, welcome) = server.resume(&token, received).await;
        assert_eq!((&welcome["resumed"], &welcome["received"]), (&true.into(), &4.into()));
        for channel in &channels[usize::try_from(received).unwrap()..] {
            assert_eq!(client.expect("joined").await["channel"], *channel);
        }
        assert_eq!(client.hear_all().await, (vec![], None));
        client.bye().await;
    }
}

async fn what_was_acknowledged_is_not_sent_again(adapter: Adapter) {
    let server = adapter.start().await;
    let mut client = server.client().await;
    for channel in ["a", "b", "c", "d"] {
        client.join(channel).await;
    }
    client.say(r#"{"type":"ack","received":3}"#).await;
    client.say(r#"{"type":"ping"}"#).await;
    client.expect("pong").await;
    let token = client.token.clone();
    drop(client);
    let (mut client, _) = server.resume(&token, 3).await;
    assert_eq!(client.expect("joined").await["channel"], "d");
    assert_eq!(client.hear_all().await, (vec![], None));
}

async fn what_comes_for_a_detached_session_waits_for_it(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    bob.join("room").await;
    ann.join("room").await;
    bob.expect("addPeer").await;
    let (token, received) = (ann.token.clone(), ann.received);
    let to_ann = ann.peer.clone();
    ann.leave().await;
    for number in 0..100 {
        bob.say(format!(r#"{{"type":"send","id":{number},"peer_id":"{to_ann}","data":{number}}}"#)).await;
        assert_eq!(bob.expect("ok").await["id"], number);
    }
    bob.say(r#"{"type":"part","channel":"room"}"#).await;
    let (mut ann, _) = server.resume(&token, received).await;
    for number in 0..100 {
        assert_eq!(ann.expect("message").await["data"], number);
    }
    ann.expect("removePeer").await;
}

async fn answers_wait_too(adapter: Adapter) {
    let server = adapter.start().await;
    let mut client = server.client().await;
    for id in 0..10 {
        client.say(format!(r#"{{"type":"part","id":{id},"channel":"room"}}"#)).await;
    }
    let token = client.token.clone();
    // All has arrived when the server has closed its side.
    client.leave().await;
    let (mut client, welcome) = server.resume(&token, 0).await;
    assert_eq!(welcome["received"], 10);
    for id in 0..10 {
        assert_eq!(client.expect("parted").await["id"], id);
    }
}
