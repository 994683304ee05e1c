//! The raw client: it knows frames, and of the protocol only what is counted.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, protocol::CloseFrame},
};

use crate::wire::Wire;

/// A WebSocket, and what a client has to know about it.
pub(crate) struct Client {
    socket: WebSocketStream<Wire>,
    pub(crate) peer: String,
    /// The resume token.
    pub(crate) token: String,
    /// Counted frames that have arrived over this socket.
    pub(crate) received: u64,
}

/// What comes from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    /// A close frame.
    Closed(u16, String),
    /// The connection has ended without one.
    Lost,
}

/// What belongs to the socket, not to the session.
const UNCOUNTED: [&str; 4] = ["welcome", "ack", "pong", "closing"];

impl Client {
    pub(crate) fn new(socket: WebSocketStream<Wire>) -> Self {
        Self { socket, peer: String::new(), token: String::new(), received: 0 }
    }

    pub(crate) async fn say(&mut self, text: impl AsRef<str>) {
        self.try_say(text).await.expect("the server takes what is said");
    }

    pub(crate) async fn try_say(&mut self, text: impl AsRef<str>) -> Result<(), tungstenite::Error> {
        self.socket.send(Message::text(text.as_ref())).await
    }

    /// Says something of which the server may not read the end.
    pub(crate) async fn say_without_waiting(&mut self, text: impl AsRef<str>) {
        self.socket.feed(Message::text(text.as_ref())).await.expect("the server takes what is said");
    }

    /// Writes bytes that are no frame of this library's making.
    pub(crate) async fn say_raw(&mut self, bytes: &[u8]) {
        self.wire().write_all(bytes).await.unwrap();
    }

    /// As [`say_raw`](Self::say_raw), to a server that may close before it has read all.
    pub(crate) async fn say_raw_without_waiting(&mut self, bytes: &[u8]) {
        // What it says instead is still to be heard.
        let _ = self.wire().write_all(bytes).await;
    }

    pub(crate) async fn say_frame(&mut self, message: Message) {
        self.try_say_frame(message).await.expect("the server takes what is said");
    }

    pub(crate) async fn try_say_frame(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        self.socket.send(message).await
    }

    /// Says that everything that was heard has been received.
    pub(crate) async fn acknowledge(&mut self) {
        let received = self.received;
        self.say(format!(r#"{{"type":"ack","received":{received}}}"#)).await;
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            return match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    self.received += u64::from(!UNCOUNTED.contains(&type_of(&text).as_str()));
                    Heard::Text(text.as_str().to_owned())
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame
                        .map_or((1005, String::new()), |CloseFrame { code, reason }| {
                            (code.into(), reason.as_str().to_owned())
                        });
                    Heard::Closed(code, reason)
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(message @ (Message::Binary(_) | Message::Frame(_)))) => {
                    panic!("the server sends text frames only, not {message:?}")
                }
                Some(Err(_)) | None => Heard::Lost,
            };
        }
    }

    pub(crate) async fn hear_any_text(&mut self) -> String {
        match self.hear().await {
            Heard::Text(text) => text,
            heard @ (Heard::Closed(..) | Heard::Lost) => panic!("a text is expected, not {heard:?}"),
        }
    }

    /// The next text that is no `ack`.
    pub(crate) async fn hear_text(&mut self) -> String {
        loop {
            let text = self.hear_any_text().await;
            if type_of(&text) != "ack" {
                return text;
            }
        }
    }

    /// The next message that is no `ack`. It must be of this type.
    pub(crate) async fn expect(&mut self, wanted: &str) -> Value {
        let text = self.hear_text().await;
        assert_eq!(type_of(&text), wanted, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The next message must be an `error` with this code.
    pub(crate) async fn expect_error(&mut self, code: &str) -> Value {
        let error = self.expect("error").await;
        assert_eq!(error["code"], code, "{error}");
        error
    }

    /// Waits for an `ack` and gives back its number. Nothing else may come before.
    pub(crate) async fn expect_ack(&mut self) -> u64 {
        let text = self.hear_any_text().await;
        let received =
            text.strip_prefix(r#"{"type":"ack","received":"#).and_then(|text| text.strip_suffix('}'));
        received.and_then(|received| received.parse().ok()).unwrap_or_else(|| panic!("no ack but {text}"))
    }

    /// The next thing must be a close frame, and the connection must end then.
    pub(crate) async fn expect_close(&mut self, code: u16, reason: &str) {
        match self.hear_last().await {
            (texts, closed) if texts.is_empty() => {
                assert_eq!(closed, Heard::Closed(code, reason.to_owned()));
            }
            (texts, _) => panic!("a close frame is expected, not {texts:?}"),
        }
    }

    /// Reads to the end: the texts that still come, and how it ends. A server that has said that it closes must end
    /// the connection and say nothing more.
    pub(crate) async fn hear_last(&mut self) -> (Vec<String>, Heard) {
        let (texts, closed) = self.hear_until_closed().await;
        if closed != Heard::Lost {
            assert_eq!(self.hear().await, Heard::Lost);
        }
        (texts, closed)
    }

    /// Reads up to the close frame, and not to the end of the connection, which the server may want to wait for.
    pub(crate) async fn hear_until_closed(&mut self) -> (Vec<String>, Heard) {
        let mut texts = Vec::new();
        loop {
            match self.hear().await {
                Heard::Text(text) if type_of(&text) == "ack" => {}
                Heard::Text(text) => texts.push(text),
                closed @ (Heard::Closed(..) | Heard::Lost) => return (texts, closed),
            }
        }
    }

    /// Sends a WebSocket ping, and waits for its pong.
    pub(crate) async fn ping(&mut self, data: &'static str) {
        self.say_frame(Message::Ping(data.into())).await;
        let pong = self.socket.next().await.expect("a pong").expect("a pong");
        assert_eq!(pong, Message::Pong(data.into()));
    }

    /// Reads `welcome` and keeps what it says.
    pub(crate) async fn read_welcome(&mut self) -> Value {
        let welcome = self.expect("welcome").await;
        self.peer = welcome["peer_id"].as_str().unwrap().to_owned();
        self.token = welcome["resume"]["token"].as_str().unwrap().to_owned();
        welcome
    }

    /// Asks for a session back, after so many counted frames. `welcome` says whether it is.
    pub(crate) async fn resume(&mut self, token: &str, received: u64) -> Value {
        let resume = format!(r#"{{"token":"{token}","received":{received}}}"#);
        self.say(format!(r#"{{"type":"hello","version":1,"resume":{resume}}}"#)).await;
        let welcome = self.read_welcome().await;
        if welcome["resumed"] == true {
            self.received = received;
        }
        welcome
    }

    /// Joins a channel and reads the answer with all introductions.
    pub(crate) async fn join(&mut self, channel: &str) -> Vec<Value> {
        self.say(format!(r#"{{"type":"join","channel":"{channel}"}}"#)).await;
        self.expect_introductions().await
    }

    async fn expect_introductions(&mut self) -> Vec<Value> {
        let joined = self.expect("joined").await;
        let mut introductions = Vec::new();
        for _ in 0..joined["peers"].as_u64().unwrap() {
            introductions.push(self.expect("addPeer").await);
        }
        introductions
    }

    /// Joins a channel in which it has had this seat before the server started again, as [`join`](Self::join) does.
    pub(crate) async fn rejoin(&mut self, channel: &str, seat: &str) -> Vec<Value> {
        self.say(format!(r#"{{"type":"join","channel":"{channel}","seat":"{seat}"}}"#)).await;
        self.expect_introductions().await
    }

    /// Wants to meet a stranger.
    pub(crate) async fn search(&mut self, pool: &str) {
        self.say(format!(r#"{{"type":"match","pool":"{pool}"}}"#)).await;
    }

    /// The next messages must say that this client has met the other. The channel in which they are.
    pub(crate) async fn expect_match(&mut self, other: &Self) -> String {
        let matched = self.expect("matched").await;
        let joined = self.expect("joined").await;
        assert_eq!((&joined["channel"], &joined["peers"]), (&matched["channel"], &1.into()));
        let added = self.expect("addPeer").await;
        assert_eq!(
            (&added["channel"], &added["peer_id"]),
            (&matched["channel"], &other.peer.as_str().into())
        );
        matched["channel"].as_str().unwrap().to_owned()
    }

    /// Reads what the server has for this client at the moment, and how the connection ended, if it has.
    ///
    /// Answers of a session come in order: what comes before the answer to a last request was there before.
    pub(crate) async fn hear_all(&mut self) -> (Vec<String>, Option<String>) {
        let mut texts = Vec::new();
        let mut closed = None;
        // When the server has closed, this fails or not; what it has said before comes in any case.
        let _ = self.try_say(r#"{"type":"part","id":"fence","channel":"~fence"}"#).await;
        loop {
            match self.hear().await {
                Heard::Text(text) if text.starts_with(r#"{"type":"parted","id":"fence""#) => break,
                Heard::Text(text) if type_of(&text) == "ack" => {}
                Heard::Text(text) => texts.push(text),
                Heard::Closed(code, reason) => closed = Some(format!("closed {code} {reason}")),
                Heard::Lost => {
                    closed.get_or_insert_with(|| "lost".to_owned());
                    break;
                }
            }
        }
        (texts, closed)
    }

    /// As [`close`](Self::close), and drops what has been left unread.
    pub(crate) async fn leave(mut self) {
        self.close().await;
    }

    /// Closes the connection from this side, without `bye`, and waits until the server has detached the session.
    pub(crate) async fn close(&mut self) {
        self.socket.close(None).await.unwrap();
        self.hear_last().await;
    }

    /// Ends the session.
    pub(crate) async fn bye(mut self) {
        self.say(r#"{"type":"bye"}"#).await;
        assert_eq!(self.hear_last().await.1, Heard::Closed(1000, "bye".to_owned()));
    }

    pub(crate) fn wire(&mut self) -> &mut Wire {
        self.socket.get_mut()
    }
}

/// The `type` of a message of the server, which always comes first.
pub(crate) fn type_of(text: &str) -> String {
    let rest = text.strip_prefix(r#"{"type":""#).unwrap_or_else(|| panic!("no type comes first in {text}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}
