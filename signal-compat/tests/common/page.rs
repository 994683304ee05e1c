//! A page with a client of Socket.IO.

use serde_json::{Value, json};
use signal_axum::Timing;

use super::{Client, Server};

/// A client of Engine.IO 4 over WebSocket, and of Socket.IO 5 on top.
pub(crate) struct Page {
    pub(crate) client: Client,
    pub(crate) id: String,
}

impl Page {
    pub(crate) async fn open(server: &Server) -> Self {
        Self::at(server, "").await
    }

    pub(crate) async fn at(server: &Server, path: &str) -> Self {
        let mut client = server.connect(&format!("{path}/socket.io/?EIO=4&transport=websocket")).await;
        let open = read(&client.text().await, "0");
        let Timing { heartbeat, heartbeat_timeout, .. } = server.signaling.timing();
        let times = (heartbeat.as_millis(), heartbeat_timeout.as_millis());
        assert_eq!((&open["pingInterval"], &open["pingTimeout"]), (&json!(times.0), &json!(times.1)));
        client.say("40").await;
        let mut page = Self { client, id: String::new() };
        page.id = read(&page.packet().await, "40")["sid"].as_str().expect("an id").to_owned();
        page
    }

    pub(crate) async fn emit(&mut self, event: Value) {
        self.client.say(format!("42{event}")).await;
    }

    pub(crate) async fn hear(&mut self) -> Value {
        read(&self.packet().await, "42")
    }

    /// The next packet that is no ping.
    pub(crate) async fn packet(&mut self) -> String {
        loop {
            let text = self.client.text().await;
            if text != "2" {
                return text;
            }
            self.client.say("3").await;
        }
    }

    pub(crate) async fn expect(&mut self, event: Value) {
        assert_eq!(self.hear().await, event);
    }

    /// Waits until all that was emitted before is read.
    pub(crate) async fn lives(&mut self) {
        self.emit(json!(["ready", "a room in which it is not"])).await;
        assert_eq!(self.hear().await[1]["code"], "not_joined");
    }
}

/// The JSON behind the number of the packet.
pub(crate) fn read(text: &str, number: &str) -> Value {
    let json = text.strip_prefix(number).unwrap_or_else(|| panic!("{text} is no {number}"));
    serde_json::from_str(json).expect("it is JSON")
}
