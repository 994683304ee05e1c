//! Transcripts: the script and the expectation are one text.

use expect_test::Expect;

use crate::{
    Adapter,
    client::{Client, type_of},
    server::Server,
};

/// Plays the lines `name> frame` of a transcript, and compares what everybody hears with its lines `name< frame`.
///
/// A client comes with its first line. After each line the speaker and then all others, in the order in which they
/// came, read what the server has for them. In what they send, `$ann` is Ann's peer id and `$epoch` the epoch; in
/// what they hear, peer ids are names and the epoch is `epoch`. On both sides `"~1"` is the channel of the first match
/// that anybody has heard of, `"~2"` of the second. The sentences of errors are left out.
pub(crate) async fn check(adapter: Adapter, expected: Expect) {
    check_on(&adapter.start().await, expected).await;
}

/// As [`check`], on a server that is there.
pub(crate) async fn check_on(server: &Server, expected: Expect) {
    let mut conversation = Conversation::new(server);
    for line in expected.data().lines() {
        if let Some((name, frame)) = line.trim().split_once("> ").filter(|(name, _)| is_name(name)) {
            conversation.play(name, frame).await;
        }
    }
    expected.assert_eq(&conversation.transcript);
}

/// Some clients, what they are called, and what they have said and heard.
pub(crate) struct Conversation<'a> {
    server: &'a Server,
    present: Vec<(String, Client)>,
    /// Name and peer id of all who have ever come.
    known: Vec<(String, String)>,
    /// The channels in which strangers have met.
    matches: Vec<String>,
    epoch: Option<String>,
    pub(crate) transcript: String,
}

impl<'a> Conversation<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        Self {
            server,
            present: Vec::new(),
            known: Vec::new(),
            matches: Vec::new(),
            epoch: None,
            transcript: String::new(),
        }
    }

    /// Lets one say something, and all read what comes of it.
    pub(crate) async fn play(&mut self, name: &str, frame: &str) {
        let mut client = self.take(name).await;
        client.say(self.filled_in(frame)).await;
        self.transcript += &format!("{name}> {frame}\n");
        let stays = self.listen(name, &mut client).await;
        if stays {
            self.present.push((name.to_owned(), client));
        }
        self.all_listen_but(name).await;
    }

    /// Lets all but the speaker read what the server has for them.
    async fn all_listen_but(&mut self, speaker: &str) {
        self.present.sort_by_key(|(name, _)| self.known.iter().position(|(known, _)| known == name));
        for (name, mut client) in std::mem::take(&mut self.present) {
            if name == speaker || self.listen(&name, &mut client).await {
                self.present.push((name, client));
            }
        }
    }

    /// Writes down what the server has for one client. Whether it is still connected.
    async fn listen(&mut self, name: &str, client: &mut Client) -> bool {
        let (texts, closed) = client.hear_all().await;
        for text in texts {
            let text = self.redacted(&text);
            self.transcript += &format!("{name}< {text}\n");
        }
        if let Some(closed) = &closed {
            self.transcript += &format!("{name}< {closed}\n");
        }
        closed.is_none()
    }

    /// The client of that name, which comes if it is not there.
    async fn take(&mut self, name: &str) -> Client {
        if let Some(index) = self.present.iter().position(|(present, _)| present == name) {
            return self.present.remove(index).1;
        }
        let hello = format!(r#"{{"type":"hello","version":1,"token":"{}"}}"#, name.replace('-', " "));
        let client = self.server.welcomed(&hello).await;
        self.known.push((name.to_owned(), client.peer.clone()));
        client
    }

    fn filled_in(&self, frame: &str) -> String {
        let mut frame = frame.to_owned();
        for (name, peer) in &self.known {
            frame = frame.replace(&format!("${name}"), peer);
        }
        for (number, channel) in (1..).zip(&self.matches) {
            frame = frame.replace(&format!(r#""~{number}""#), &format!(r#""{channel}""#));
        }
        match &self.epoch {
            Some(epoch) => frame.replace("$epoch", epoch),
            None => frame,
        }
    }

    fn redacted(&mut self, text: &str) -> String {
        if self.epoch.is_none() && type_of(text) == "addPeer" {
            self.epoch = between(text, r#""connection_id":""#, ".").map(str::to_owned);
        }
        let found = between(text, r#""channel":""#, r#"""#).filter(|_| type_of(text) == "matched");
        if let Some(channel) = found.filter(|channel| !self.matches.iter().any(|known| known == channel)) {
            self.matches.push(channel.to_owned());
        }
        let mut text = text.to_owned();
        for (number, channel) in (1..).zip(&self.matches) {
            text = text.replace(channel, &format!("~{number}"));
        }
        for (name, peer) in &self.known {
            text = text.replace(peer, name);
        }
        if let Some(epoch) = &self.epoch {
            text = text.replace(epoch, "epoch");
        }
        let sentence = between(&text, r#","message":""#, r#"""#).filter(|_| type_of(&text) == "error");
        match sentence {
            Some(sentence) => text.replace(&format!(r#","message":"{sentence}""#), ""),
            None => text,
        }
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let rest = text.split_once(start)?.1;
    Some(rest.split_once(end)?.0)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
}
