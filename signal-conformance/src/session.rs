//! A client that resumes: what section 11 of the protocol asks of the client's side.

use std::collections::VecDeque;

use crate::{
    client::{Client, Heard, type_of},
    server::Server,
    wire::Wire,
};

/// A session over sockets that are lost.
pub(crate) struct Session<'a> {
    server: &'a Server,
    client: Client,
    /// Counted frames of this side that the server may not have received.
    kept: VecDeque<String>,
    sent: u64,
    /// After how many bytes read and written the sockets to come are lost.
    cuts: VecDeque<(usize, usize)>,
    /// How often the session was given back.
    pub(crate) resumed: usize,
}

impl<'a> Session<'a> {
    /// A new session whose first socket is lost when the first of `cuts` says so.
    pub(crate) async fn open(server: &'a Server, mut cuts: VecDeque<(usize, usize)>) -> Self {
        let mut client = server.client().await;
        cut(client.wire(), cuts.pop_front());
        Self { server, client, kept: VecDeque::new(), sent: 0, cuts, resumed: 0 }
    }

    pub(crate) fn peer(&self) -> &str {
        &self.client.peer
    }

    /// Says something that is counted.
    pub(crate) async fn say(&mut self, text: String) {
        self.kept.push_back(text.clone());
        self.sent += 1;
        if self.client.try_say(text).await.is_err() {
            self.resume().await;
        }
    }

    /// Waits for the next counted message.
    pub(crate) async fn hear(&mut self) -> String {
        loop {
            match self.client.hear().await {
                Heard::Text(text) if type_of(&text) == "ack" => {
                    self.forget_until(number_after(&text, "received"))
                }
                Heard::Text(text) => {
                    self.acknowledge_at_times().await;
                    return text;
                }
                Heard::Lost => self.resume().await,
                closed @ Heard::Closed(..) => panic!("the socket is cut by this side, not {closed:?}"),
            }
        }
    }

    async fn acknowledge_at_times(&mut self) {
        let received = self.client.received;
        if received.is_multiple_of(32) {
            // If this fails, the next thing that is heard is the loss.
            let _ = self.client.try_say(format!(r#"{{"type":"ack","received":{received}}}"#)).await;
        }
    }

    async fn resume(&mut self) {
        while !self.try_resume().await {}
    }

    /// Whether there is a socket that carries the session, and on which all has been said again.
    async fn try_resume(&mut self) -> bool {
        let mut wire = Wire::new(self.server.connect().await);
        cut(&mut wire, self.cuts.pop_front());
        let Ok((mut client, _)) = self.server.upgrade(wire, &[]).await else { return false };
        let Client { token, received, .. } = &self.client;
        let resume = format!(r#"{{"token":"{token}","received":{received}}}"#);
        let hello = format!(r#"{{"type":"hello","version":1,"resume":{resume}}}"#);
        if client.try_say(hello).await.is_err() {
            return false;
        }
        let Heard::Text(welcome) = client.hear().await else { return false };
        assert!(welcome.contains(r#""resumed":true"#), "{welcome}");
        client.peer = self.client.peer.clone();
        client.token = after(&welcome, r#""resume":{"token":""#).split('"').next().unwrap().to_owned();
        client.received = self.client.received;
        self.client = client;
        self.resumed += 1;
        self.forget_until(number_after(&welcome, "received"));
        for text in &self.kept {
            if self.client.try_say(text).await.is_err() {
                return false;
            }
        }
        true
    }

    fn forget_until(&mut self, received: u64) {
        let unacknowledged = self.sent.checked_sub(received).expect("the server counts what was sent");
        let unacknowledged = usize::try_from(unacknowledged).unwrap();
        let forgotten = self.kept.len().checked_sub(unacknowledged).expect("what is acknowledged stays so");
        self.kept.drain(..forgotten);
    }
}

fn cut(wire: &mut Wire, at: Option<(usize, usize)>) {
    wire.readable = at.map(|(readable, _)| readable);
    wire.writable = at.map(|(_, writable)| writable);
}

fn number_after(text: &str, key: &str) -> u64 {
    let rest = after(text, &format!(r#""{key}":"#));
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next();
    digits.unwrap().parse().unwrap_or_else(|_| panic!("no {key} in {text}"))
}

fn after<'t>(text: &'t str, start: &str) -> &'t str {
    text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1
}
