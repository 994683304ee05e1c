//! What is relayed, and how it is checked.

/// What is relayed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload {
    Offer,
    Answer,
    Candidate,
}

impl Payload {
    /// JSON text with a number in it.
    pub(super) fn json(self) -> String {
        let (before, filler, after, size) = match self {
            Self::Candidate => (
                r#"{"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.7 ######## typ srflx ufrag "#,
                "9Tx1",
                r#"","sdpMid":"0","sdpMLineIndex":0}"#,
                CANDIDATE_BYTES,
            ),
            Self::Offer => (r#"{"type":"offer","sdp":"v=0\r\no=- ########"#, SDP, r#""}"#, DESCRIPTION_BYTES),
            Self::Answer => {
                (r#"{"type":"answer","sdp":"v=0\r\no=- ########"#, SDP, r#""}"#, DESCRIPTION_BYTES)
            }
        };
        let room = size - before.len() - after.len();
        let mut text = before.to_owned() + &filler.repeat(room / filler.len());
        text.extend(std::iter::repeat_n('0', room % filler.len()));
        text + after
    }

    /// The description alone, as it stands in a JSON string.
    pub(super) fn sdp(self) -> String {
        let json = self.json();
        let (_, sdp) = json.split_once(r#""sdp":""#).expect("a description");
        sdp.trim_end_matches(r#""}"#).to_owned()
    }
}

/// Frames that differ by their number only.
#[derive(Debug)]
pub(crate) struct Numbered {
    text: Vec<u8>,
    digits: usize,
    next: u32,
}

impl Numbered {
    pub(super) fn new(text: String) -> Self {
        let digits = text.find(DIGITS).expect("a place for the number");
        Self { text: text.into_bytes(), digits, next: 0 }
    }

    pub(crate) fn starting_at(self, next: u32) -> Self {
        Self { next, ..self }
    }

    pub(crate) fn next(&mut self) -> &[u8] {
        let mut rest = self.next;
        for digit in self.text[self.digits..self.digits + DIGITS.len()].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.next += 1;
        &self.text
    }

    /// Compares the next frame that must come with the one that has come, byte for byte.
    pub(crate) fn check(&mut self, received: &[u8]) -> crate::Result<()> {
        let expected = self.next();
        if expected == received {
            return Ok(());
        }
        let (expected, received) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(received));
        Err(format!("lost, changed or doubled: expected {expected}\nreceived {received}").into())
    }
}

const DIGITS: &str = "########";
const CANDIDATE_BYTES: usize = 200;
const DESCRIPTION_BYTES: usize = 3 << 10;
const SDP: &str = r"\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_the_sizes_that_are_told() {
        let sizes = [Payload::Offer, Payload::Answer, Payload::Candidate].map(|payload| payload.json().len());
        assert_eq!(sizes, [3072, 3072, 200]);
    }
}
