//! A reader of RFC 6455 that has all bytes at hand, and is written the simplest way.

use crate::{Conversation, MOST_READ};

/// Why nothing follows.
enum End {
    /// The client has gone without a word.
    Lost,
    /// The socket is closed with these bytes: a code and perhaps a reason, or nothing.
    Closed(Vec<u8>),
    TooLarge,
}

const PROTOCOL: u16 = 1002;
const NOT_UTF8: u16 = 1007;

/// What is handed over, and answered.
pub(crate) fn conversation(said: &[u8]) -> Conversation {
    let (mut received, mut answered) = (Vec::new(), Vec::new());
    let mut reader = Reader { said, message: None };
    let end = loop {
        if let Err(end) = reader.frame(&mut received, &mut answered) {
            break end;
        }
    };
    let (last, close) = match end {
        End::Lost => ("Closed", None),
        End::TooLarge => ("TooLarge", None),
        End::Closed(payload) => {
            (if payload == 1001_u16.to_be_bytes() { "GoneAway" } else { "Closed" }, Some(payload))
        }
    };
    received.push(last.to_owned());
    if let Some(payload) = close {
        answered.extend([0x88, payload.len() as u8]);
        answered.extend(payload);
    }
    (received, answered)
}

struct Reader<'b> {
    said: &'b [u8],
    /// A message of which there will be more, and whether it is text.
    message: Option<(bool, Vec<u8>)>,
}

impl Reader<'_> {
    fn frame(&mut self, received: &mut Vec<String>, answered: &mut Vec<u8>) -> Result<(), End> {
        let head = self.take(2)?;
        let (is_last, reserved, opcode) = (head[0] >= 0x80, head[0] >> 4 & 7, head[0] & 15);
        let is_control = opcode >= 8;
        let is_wrong = reserved != 0
            || ![0, 1, 2, 8, 9, 10].contains(&opcode)
            || head[1] < 0x80
            || is_control && (!is_last || head[1] & 127 > 125);
        if is_wrong {
            return Err(closed(PROTOCOL));
        }
        let length = match head[1] & 127 {
            126 => number(&self.take(2)?),
            127 => number(&self.take(8)?),
            short => u64::from(short),
        };
        if length > MOST_READ as u64 {
            return Err(End::TooLarge);
        }
        let mask = self.take(4)?;
        let mut payload = self.take(length as usize)?;
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= mask[index % 4];
        }
        match opcode {
            8 => return Err(close(&payload)),
            9 => {
                received.push("LifeSign".to_owned());
                answered.extend([0x8A, payload.len() as u8]);
                answered.extend(payload);
            }
            10 => received.push("LifeSign".to_owned()),
            _ => {
                let is_begun = self.message.is_some();
                if is_begun == (opcode != 0) {
                    return Err(closed(PROTOCOL));
                }
                let (is_text, mut bytes) = self.message.take().unwrap_or((opcode == 1, Vec::new()));
                bytes.extend(payload);
                if bytes.len() > MOST_READ {
                    return Err(End::TooLarge);
                }
                if is_last {
                    received.push(message(is_text, bytes)?);
                } else {
                    self.message = Some((is_text, bytes));
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, End> {
        let (taken, rest) = self.said.split_at_checked(length).ok_or(End::Lost)?;
        self.said = rest;
        Ok(taken.to_vec())
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn message(is_text: bool, bytes: Vec<u8>) -> Result<String, End> {
    if !is_text {
        return Ok(format!("Binary({bytes:?})"));
    }
    String::from_utf8(bytes).map(|text| format!("Text({text:?})")).map_err(|_| closed(NOT_UTF8))
}

/// The answer to a close frame has the code of that, if it has a right one.
fn close(payload: &[u8]) -> End {
    let (code, reason) = payload.split_at(payload.len().min(2));
    match (code.len(), number(code)) {
        (0, _) => End::Closed(Vec::new()),
        (2, 1000..=1003 | 1007..=1014 | 3000..=4999) if str::from_utf8(reason).is_ok() => {
            End::Closed(code.to_vec())
        }
        (2, 1000..=1003 | 1007..=1014 | 3000..=4999) => closed(NOT_UTF8),
        _ => closed(PROTOCOL),
    }
}

fn closed(code: u16) -> End {
    End::Closed(code.to_be_bytes().to_vec())
}
