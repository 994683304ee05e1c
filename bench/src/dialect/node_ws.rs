//! That of rivals/node-ws/server.js.

use super::{Dialect, Heard, Introduction, Numbered, Payload, literal, quoted};

#[derive(Debug)]
pub(crate) struct NodeWs;

impl Dialect for NodeWs {
    fn path(&self, _: usize, _: &str) -> String {
        "/".to_owned()
    }

    fn hear(&self, text: &str) -> Option<Heard> {
        if text.is_empty() {
            return Some(Heard::Welcome(String::new()));
        }
        text.starts_with(r#"{"type":"peer","#).then_some(())?;
        let offer = literal(text, "offer")? == "true";
        Some(Heard::Introduced(Introduction::of(quoted(text, "id")?, offer)))
    }

    fn join(&self, channel: &str) -> Option<String> {
        Some(format!(r#"{{"type":"join","room":"{channel}"}}"#))
    }

    fn relay(&self, payload: Payload, to: &Introduction) -> Numbered {
        frame(payload, "to", to)
    }

    fn relayed(&self, payload: Payload, from: &Introduction) -> Numbered {
        frame(payload, "from", from)
    }
}

fn frame(payload: Payload, key: &str, Introduction { peer_id, .. }: &Introduction) -> Numbered {
    Numbered::new(format!(r#"{{"type":"relay","{key}":"{peer_id}","data":{}}}"#, payload.json()))
}
