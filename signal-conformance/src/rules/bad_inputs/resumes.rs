//! Tokens that are no good, and good ones in the wrong hands.

use super::scene::Scene;

/// Comes so often with a token that was never given. How often it gets a session of its own.
pub(super) async fn wrong_tokens(scene: &Scene, number: usize) -> String {
    let mut ann = scene.client().await;
    let token = ann.token.clone();
    let mut fresh = 0;
    for index in 0..number {
        // One letter of a real one is another.
        let at = index % token.len();
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        let wrong = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        let (client, welcome) = scene.server.resume(&wrong, 0).await;
        fresh += usize::from(welcome["resumed"] == false);
        client.bye().await;
        // On a busy machine all this takes longer than anybody may be silent.
        ann.say(r#"{"type":"ping"}"#).await;
        ann.expect("pong").await;
    }
    ann.bye().await;
    format!("{fresh} fresh sessions")
}

/// Comes with the token of somebody else's session, which must not notice.
pub(super) async fn of_somebody_else(scene: &Scene) -> String {
    let hello =
        |name: &str, more: &str| format!(r#"{{"type":"hello","version":1,"token":"id {name}"{more}}}"#);
    let mut ann = scene.server.welcomed(&hello("ann", "")).await;
    let resume = format!(r#","resume":{{"token":"{}","received":0}}"#, ann.token);
    let mut mal = scene.server.socket().await;
    mal.say(hello("mal", &resume)).await;
    let welcome = mal.read_welcome().await;
    ann.say(r#"{"type":"ping"}"#).await;
    ann.expect("pong").await;
    let same = if mal.peer == ann.peer { "the same peer" } else { "another peer" };
    ann.bye().await;
    mal.bye().await;
    format!("resumed: {}, {same}", welcome["resumed"])
}

/// Comes with the token of a session whose socket is there.
pub(super) async fn of_a_live_one(scene: &Scene) -> String {
    let mut ann = scene.client().await;
    let (again, welcome) = scene.server.resume(&ann.token, 0).await;
    ann.expect_close(4001, "replaced").await;
    again.bye().await;
    format!("resumed: {}, and the socket before is closed 4001", welcome["resumed"])
}

/// Two sockets come with the same token at once: one is left, and the session is not doubled.
pub(super) async fn twice_at_once(scene: &Scene) -> String {
    let ann = scene.member().await;
    let (peer, token) = (ann.peer.clone(), ann.token.clone());
    drop(ann);
    let (one, two) = tokio::join!(scene.server.resume(&token, 1), scene.server.resume(&token, 1));
    let mut open = Vec::new();
    for (mut client, welcome) in [one, two] {
        assert_eq!((&welcome["resumed"], &welcome["peer_id"]), (&true.into(), &peer.as_str().into()));
        match client.hear_all().await {
            (texts, None) => assert_eq!(texts, [] as [&str; 0]),
            (_, Some(closed)) => {
                assert_eq!(closed, "closed 4001 replaced");
                continue;
            }
        }
        open.push(client);
    }
    let left = open.len();
    for client in open {
        client.bye().await;
    }
    format!("{left} of 2 sockets is left")
}

/// Comes twice with the token of an earlier start of this server, which has the same key or none.
pub(super) async fn of_an_earlier_start(scene: &Scene) -> String {
    let before = scene.start_before().await;
    let ann = before.client().await;
    let mut came = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..2 {
        let (client, welcome) = scene.server.resume(&ann.token, 0).await;
        let peer = if client.peer == ann.peer { "its peer id" } else { "another peer id" };
        came.push(format!("resumed: {}, {peer}", welcome["resumed"]));
        // It shows that it has the newest token.
        let mut client = client;
        client.say(r#"{"type":"ping"}"#).await;
        client.expect("pong").await;
        clients.push(client);
    }
    for client in clients {
        client.bye().await;
    }
    came.join("; ")
}
