//! What the bytes of a WebSocket connection belong to (RFC 6455).

/// What a byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The head of the HTTP request or answer.
    Head,
    /// The first frame: `hello` or `welcome`.
    Greeting,
    /// The header of a later frame (RFC 6455, section 5.2).
    Header,
    /// An `ack`, after its type.
    Ack,
    /// The rest of a frame.
    Body,
}

impl Place {
    pub(crate) fn is_after_greeting(self) -> bool {
        match self {
            Self::Head | Self::Greeting => false,
            Self::Header | Self::Ack | Self::Body => true,
        }
    }
}

/// Follows one direction of a connection from its start.
#[derive(Clone, Default)]
pub(crate) struct Places {
    /// The end of the head as far as it has come.
    head_end: usize,
    had_greeting: bool,
    /// The header of the frame, and what is known of its payload.
    header: Vec<u8>,
    payload: Vec<u8>,
    seen: usize,
}

const HEAD_END: &[u8] = b"\r\n\r\n";

/// How an acknowledgement begins, and nothing else does.
const ACK: &[u8] = br#"{"type":"ac"#;

impl Places {
    /// Where the next byte stands.
    pub(crate) fn of(&mut self, byte: u8) -> Place {
        if self.head_end < HEAD_END.len() {
            let goes_on = byte == HEAD_END[self.head_end];
            self.head_end = if goes_on { self.head_end + 1 } else { usize::from(byte == HEAD_END[0]) };
            return Place::Head;
        }
        let is_greeting = !self.had_greeting;
        let place = self.of_frame(byte);
        if is_greeting { Place::Greeting } else { place }
    }

    fn of_frame(&mut self, byte: u8) -> Place {
        let in_header = self.header.len() < 2 || self.header.len() < self.header_length();
        let place = if in_header {
            self.header.push(byte);
            Place::Header
        } else {
            if self.payload.len() < ACK.len() {
                let mask = &self.header[self.header.len() - self.mask_length()..];
                self.payload.push(byte ^ mask.get(self.seen % 4).unwrap_or(&0));
            }
            self.seen += 1;
            if self.payload == ACK { Place::Ack } else { Place::Body }
        };
        let has_header = self.header.len() >= 2 && self.header.len() == self.header_length();
        if has_header && self.seen == self.payload_length() {
            *self = Self { head_end: self.head_end, had_greeting: true, ..Self::default() };
        }
        place
    }

    fn header_length(&self) -> usize {
        2 + self.length_length() + self.mask_length()
    }

    fn mask_length(&self) -> usize {
        if self.header[1] & 0x80 == 0 { 0 } else { 4 }
    }

    fn length_length(&self) -> usize {
        match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    fn payload_length(&self) -> usize {
        match self.length_length() {
            0 => usize::from(self.header[1] & 0x7f),
            length => self.header[2..2 + length].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        }
    }
}
