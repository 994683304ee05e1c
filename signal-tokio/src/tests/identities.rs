//! Who is remembered where each identity has one session.

use std::{
    io,
    ops::ControlFlow,
    task::{Context, Poll, ready},
    time::Duration,
};

use signal_core::Limits;
use tokio::{sync::mpsc, task::yield_now, time};

use super::dice::Dice;
use crate::{Admission, Outgoing, Received, Signaling, Socket, random};

/// A socket over which its client has said these texts, and which is lost when it is done with.
struct Line {
    said: mpsc::UnboundedReceiver<String>,
    welcome: Option<mpsc::UnboundedSender<String>>,
}

impl Socket for Line {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        let said = ready!(self.said.poll_recv(context));
        let _ = take(said.as_deref().map_or(Received::Closed, Received::Text));
        Poll::Ready(())
    }

    fn poll_send(
        &mut self,
        _: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        while let Some(outgoing) = next() {
            if let (Outgoing::Message(frame), Some(welcome)) = (outgoing, self.welcome.take()) {
                // The client may be gone.
                let _ = welcome.send(String::from_utf8(frame.as_ref().to_vec()).expect("text"));
            }
        }
        Poll::Ready(Ok(()))
    }
}

struct Client {
    says: mpsc::UnboundedSender<String>,
    hears: mpsc::UnboundedReceiver<String>,
    token: Option<String>,
}

impl Client {
    fn come(signaling: &Signaling, identity: &str, hello: &str) -> Self {
        let ((says, said), (welcome, hears)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let socket = Line { said, welcome: Some(welcome) };
        tokio::spawn(signaling.serve(socket, Admission::identified(identity)));
        let client = Self { says, hears, token: None };
        client.say(format!(r#"{{"type":"hello","version":1{hello}}}"#));
        client
    }

    fn say(&self, text: String) {
        // The socket may be closed.
        let _ = self.says.send(text);
    }

    fn token(&mut self) -> Option<String> {
        if let Ok(welcome) = self.hears.try_recv() {
            let token = welcome.split_once(r#""token":""#).and_then(|(_, rest)| rest.split('"').next());
            self.token = token.map(ToOwned::to_owned);
        }
        self.token.clone()
    }
}

/// Sessions of few identities are replaced, resumed, kicked and left to expire, in all orders, and between all tasks.
#[tokio::test(start_paused = true)]
async fn nobody_is_remembered_who_has_gone() {
    for seed in 0..50 {
        random::seeded::from(seed);
        let mut dice = Dice::new(seed);
        let limits = Limits { grace: Duration::from_secs(2), ..Limits::default() };
        let signaling =
            Signaling::builder().limits(limits).one_session_per_identity().build().expect("it works");
        let mut clients: Vec<Client> = Vec::new();
        for _ in 0..100 {
            let identity = dice.pick(&["ann", "bob", "cid"]);
            let some = dice.below(clients.len().max(1) as u64) as usize;
            let token = clients.get_mut(some).and_then(Client::token);
            match (dice.below(8), token) {
                (0..2, _) => clients.push(Client::come(&signaling, identity, "")),
                (2, Some(token)) => {
                    let resume = format!(r#","resume":{{"token":"{token}","received":0}}"#);
                    clients.push(Client::come(&signaling, identity, &resume));
                }
                (3, Some(token)) => {
                    clients.push(Client::come(&signaling, identity, &format!(r#","replaces":"{token}""#)));
                }
                (4, _) if !clients.is_empty() => drop(clients.swap_remove(some)),
                (5, Some(_)) => clients[some].say(r#"{"type":"bye"}"#.to_owned()),
                (6, _) => drop(signaling.kick_identity(identity)),
                _ => time::sleep(dice.millis(0, 1_500)).await,
            }
            if dice.percent(50) {
                yield_now().await;
            }
            check(&signaling);
        }
        clients.clear();
        time::sleep(Duration::from_secs(60)).await;
        let state = signaling.shared.lock();
        assert!(state.hub.is_empty() && state.links.is_empty(), "seed {seed}");
        assert!(state.identities.is_empty(), "seed {seed}: {:?}", state.identities);
    }
}

/// Whoever is remembered is there, and nobody is there twice, but for one that is about to be replaced.
fn check(signaling: &Signaling) {
    let state = signaling.shared.lock();
    for (identity, session) in &state.identities {
        let link = state.link(*session).expect("it is there");
        assert_eq!(link.identity.as_deref(), Some(&**identity));
    }
    for (_, link) in &state.links {
        let identity = link.identity.as_deref().expect("all have one");
        assert_eq!(state.identities.get(identity), Some(&link.session), "{identity} is there twice");
    }
}
