//! A client that resumes: what sections 10 and 11 of the protocol ask of the client's side.

use std::collections::VecDeque;

use crate::{
    client::{Client, Heard, type_of},
    proxy::Proxy,
    server::Server,
};

/// A session over sockets that are lost.
pub(crate) struct Session<'a> {
    server: &'a Server,
    proxy: Proxy,
    client: Client,
    /// Counted frames of this side that the server may not have received.
    kept: VecDeque<String>,
    sent: u64,
    /// Counted frames that have come since the last `ack` or `welcome`.
    unacknowledged: u64,
}

/// A client acknowledges at the latest after so many counted frames.
const ACK_EVERY: u64 = 32;

impl<'a> Session<'a> {
    /// A new session, whose sockets go through `proxy`. The first must bring its `welcome`.
    pub(crate) async fn open(server: &'a Server, mut proxy: Proxy) -> Self {
        let (mut client, _) = server.upgrade(proxy.connect().await, &[]).await.unwrap();
        client.say(r#"{"type":"hello","version":1}"#).await;
        client.read_welcome().await;
        Self { server, proxy, client, kept: VecDeque::new(), sent: 0, unacknowledged: 0 }
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
                    self.forget_until(number_after(&text, "received"));
                }
                Heard::Text(text) => {
                    self.unacknowledged += 1;
                    if self.unacknowledged == ACK_EVERY {
                        self.acknowledge().await;
                    }
                    return text;
                }
                Heard::Lost => self.resume().await,
                closed @ Heard::Closed(..) => panic!("the proxy cuts sockets, and nobody else: {closed:?}"),
            }
        }
    }

    pub(crate) async fn acknowledge(&mut self) {
        self.unacknowledged = 0;
        let received = self.client.received;
        // If this fails, the next thing that is heard is the loss.
        let _ = self.client.try_say(format!(r#"{{"type":"ack","received":{received}}}"#)).await;
    }

    /// Ends the session, whose socket is not cut any more.
    pub(crate) async fn bye(self) {
        self.client.bye().await;
    }

    async fn resume(&mut self) {
        while !self.try_resume().await {}
    }

    /// Whether there is a socket that carries the session, and on which all has been said again.
    async fn try_resume(&mut self) -> bool {
        let wire = self.proxy.connect().await;
        let Ok((mut client, _)) = self.server.upgrade(wire, &[]).await else { return false };
        let Client { token, received, .. } = &self.client;
        let resume = format!(r#"{{"token":"{token}","received":{received}}}"#);
        let hello = format!(r#"{{"type":"hello","version":1,"resume":{resume}}}"#);
        if client.try_say(hello).await.is_err() {
            return false;
        }
        let Heard::Text(welcome) = client.hear().await else { return false };
        let resumed = format!(r#"{{"type":"welcome","peer_id":"{}","resumed":true,"#, self.client.peer);
        assert!(welcome.starts_with(&resumed), "it must be that of the session: {welcome}");
        client.peer = self.client.peer.clone();
        client.token = after(&welcome, r#""resume":{"token":""#).split('"').next().unwrap().to_owned();
        client.received = self.client.received;
        self.client = client;
        self.unacknowledged = 0;
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

pub(crate) fn number_after(text: &str, key: &str) -> u64 {
    let rest = after(text, &format!(r#""{key}":"#));
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next();
    digits.unwrap().parse().unwrap_or_else(|_| panic!("no {key} in {text}"))
}

fn after<'t>(text: &'t str, start: &str) -> &'t str {
    text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1
}
