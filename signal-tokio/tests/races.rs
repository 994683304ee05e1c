//! What happens at the same moment, on one thread, so that the moment can be had.

mod memory;

use std::{
    future, io,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use memory::{Client, MemorySocket};
use signal_tokio::{
    Admission, CloseReason, Event, Events, JoinGrant, JoinRequest, Limits, Outgoing, PeerInfo, Policy,
    Received, Refusal, Signaling, Socket,
};
use tokio::time;

const HELLO: &str = r#"{"type":"hello","version":1}"#;

/// Which of two things a task sees first is drawn: so often it is tried.
const ROUNDS: usize = 50;

#[tokio::test]
async fn what_a_kicked_peer_has_said_is_not_taken_for_words_of_the_next_session_with_its_number() {
    for _ in 0..ROUNDS {
        let signaling = Signaling::builder().build().expect("it can work");
        let (kicked, next) = (connect(&signaling), connect(&signaling));
        kicked.say(HELLO);
        kicked.hear().await;
        // Before any task has its turn: the next one comes, and the first one says something and is kicked.
        next.say(HELLO);
        kicked.say(r#"{"type":"join","channel":"room"}"#);
        assert!(signaling.kick(&signaling.peers()[0]));
        next.hear().await;
        assert_eq!(kicked.hear_close().await, CloseReason::Kicked);
        assert_eq!(signaling.channels(), []);
    }
}

#[tokio::test]
async fn the_socket_of_a_kicked_peer_does_not_detach_the_next_session_with_its_number() {
    let grace = Duration::from_millis(1);
    for _ in 0..ROUNDS {
        let limits = Limits { grace, ..Limits::default() };
        let signaling = Signaling::builder().limits(limits).build().expect("it can work");
        let (kicked, next) = (connect(&signaling), connect(&signaling));
        kicked.say(HELLO);
        kicked.hear().await;
        next.say(HELLO);
        kicked.hang_up();
        assert!(signaling.kick(&signaling.peers()[0]));
        next.hear().await;
        // A session that is detached really is gone after that, and one that is not stays.
        let lost = connect(&signaling);
        lost.say(HELLO);
        lost.hear().await;
        let mut events = signaling.events();
        lost.hang_up();
        next_of(&mut events).await;
        assert_eq!(signaling.peers().len(), 1);
    }
}

#[tokio::test]
async fn a_socket_that_was_replaced_does_not_end_the_session() {
    for _ in 0..ROUNDS {
        let signaling = Signaling::builder().build().expect("it can work");
        let (first, second) = (connect(&signaling), connect(&signaling));
        first.say(HELLO);
        let welcome = first.hear_text().await;
        // The session is given to the second socket, and its task runs before that of the first.
        second.say(resume(&welcome));
        first.go_away();
        assert!(second.hear_text().await.contains(r#""resumed":true"#));
        first.hear_close().await;
        second.say(r#"{"type":"join","channel":"room"}"#);
        assert!(second.hear_text().await.contains(r#""joined""#));
    }
}

#[tokio::test]
async fn what_has_come_over_a_socket_that_was_replaced_is_left_to_be_said_again() {
    for _ in 0..ROUNDS {
        let signaling = Signaling::builder().build().expect("it can work");
        let (first, second) = (connect(&signaling), connect(&signaling));
        first.say(HELLO);
        let welcome = first.hear_text().await;
        second.say(resume(&welcome));
        first.say(r#"{"type":"join","channel":"room"}"#);
        let welcome = second.hear_text().await;
        assert!(welcome.contains(r#""resumed":true,"received":0"#), "{welcome}");
        assert_eq!(first.hear_close().await, CloseReason::Replaced);
        assert_eq!(signaling.channels(), []);
    }
}

#[tokio::test]
async fn a_socket_that_was_replaced_takes_nothing_from_the_next() {
    for _ in 0..ROUNDS {
        let signaling = Signaling::builder().build().expect("it can work");
        let (first, second) = (connect(&signaling), connect(&signaling));
        first.say(HELLO);
        let welcome = first.hear_text().await;
        first.stop_taking();
        let peer = &signaling.peers()[0];
        for number in 1..=3 {
            signaling.send_to_peer(peer, &number).expect("the peer is there");
        }
        first.keeps_the_server_waiting().await;
        // The session is given to the second socket, which has no time for it yet; then the first could go on.
        second.stop_taking();
        second.say(resume(&welcome));
        first.take_again();
        assert_eq!(first.hear_close().await, CloseReason::Replaced);
        second.take_again();
        assert!(second.hear_text().await.contains(r#""resumed":true"#));
        for number in 1..=3 {
            assert_eq!(second.hear_text().await, format!(r#"{{"type":"message","data":{number}}}"#));
        }
    }
}

#[tokio::test]
async fn a_session_that_is_there_when_the_drain_begins_is_closed() {
    for _ in 0..ROUNDS {
        let signaling = Signaling::builder().build().expect("it can work");
        let client = connect(&signaling);
        client.say(HELLO);
        tokio::join!(signaling.drain(Duration::from_secs(3600)), client.hear_close());
    }
}

#[tokio::test]
async fn a_session_whose_task_is_dropped_is_detached() {
    let limits = Limits { grace: Duration::from_millis(1), ..Limits::default() };
    let signaling = Signaling::builder().limits(limits).build().expect("it can work");
    let mut events = signaling.events();
    let client = Client::default();
    let task = tokio::spawn(signaling.serve(client.socket(), Admission::default()));
    client.say(HELLO);
    client.hear().await;
    task.abort();
    for _ in ["connected", "gone"] {
        next_of(&mut events).await;
    }
    assert_eq!(signaling.peers(), []);
}

/// A socket of which the task panics after it has handled a certain word.
struct Brittle(MemorySocket);

impl Socket for Brittle {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        self.0.poll_receive(context, |received| {
            let is_last = matches!(received, Received::Text(text) if text.contains("last word"));
            let flow = take(received);
            assert!(!is_last, "the task panics, as the test wants it");
            flow
        })
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_send(context, next)
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_handled_before_a_panic_arrives() {
    let signaling = Signaling::builder().build().expect("it can work");
    let (client, other) = (Client::default(), connect(&signaling));
    tokio::spawn(signaling.serve(Brittle(client.socket()), Admission::default()));
    for joining in [&client, &other] {
        joining.say(HELLO);
        joining.say(r#"{"type":"join","channel":"room"}"#);
        while !joining.hear_text().await.starts_with(r#"{"type":"joined""#) {}
    }
    while !other.hear_text().await.starts_with(r#"{"type":"addPeer""#) {}
    let before = time::Instant::now();
    client.say(r#"{"type":"send","channel":"room","data":"last word"}"#);
    assert!(other.hear_text().await.contains("last word"));
    // It did not wait for whatever else the other's task would have woken for.
    assert_eq!(before.elapsed(), Duration::ZERO);
}

/// Does not decide on the first join, and panics at the second.
struct Fragile(AtomicBool);

#[async_trait]
impl Policy for Fragile {
    async fn join(&self, _: &PeerInfo, _: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        assert!(!self.0.swap(true, Ordering::Relaxed), "the policy panics, as the test wants it");
        future::pending().await
    }
}

#[tokio::test]
async fn time_goes_on_after_a_panic_of_the_policy() {
    let limits = Limits { authorize_timeout: Duration::from_millis(100), ..Limits::default() };
    let policy = Fragile(AtomicBool::new(false));
    let signaling = Signaling::builder().policy(policy).limits(limits).build().expect("it can work");
    let client = connect(&signaling);
    client.say(HELLO);
    client.hear().await;
    // The policy is asked for the second when time is up for the first.
    client.say(r#"{"type":"join","channel":"room","id":1}"#);
    client.say(r#"{"type":"join","channel":"room","id":2}"#);
    for id in [r#""id":1"#, r#""id":2"#] {
        let error = client.hear_text().await;
        assert!(error.contains(r#""unavailable""#) && error.contains(id), "nobody counts the time: {error}");
    }
}

/// A `hello` that asks for the session of this `welcome`.
fn resume(welcome: &str) -> &'static str {
    let (_, token) = welcome.split_once(r#""token":""#).expect("a token");
    let token = token.split('"').next().expect("a token");
    format!(r#"{{"type":"hello","version":1,"resume":{{"token":"{token}","received":0}}}}"#).leak()
}

async fn next_of(events: &mut Events) -> Event {
    let next = time::timeout(Duration::from_secs(30), events.next()).await;
    next.expect("the event never comes").expect("the server lives").expect("nothing is missed")
}

fn connect(signaling: &Signaling) -> Client {
    let client = Client::default();
    tokio::spawn(signaling.serve(client.socket(), Admission::default()));
    client
}
