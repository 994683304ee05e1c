//! JSON in one pass: what is not looked into is checked and stays text.

use std::borrow::Cow;

use super::FrameLimits;

/// Goes through a frame from left to right. Whatever it reads is JSON (RFC 8259) in full, nests no deeper and has no
/// more keys than the limits say, and has no lone surrogate: most of it is relayed as it came, and section 8.2 warns of
/// receivers that choke on those. `None` says that something is not so.
///
/// (A derived `Deserialize` goes over the same bytes three times, and allocates to skip what nests.)
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// How much deeper it may go.
    depth: usize,
    keys: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, limits: &FrameLimits) -> Self {
        Self { text, at: 0, depth: limits.depth.min(FrameLimits::MAX_DEPTH), keys: limits.keys }
    }

    /// Reads an object and nothing behind it. `member` is given each key and reads the value.
    pub(super) fn whole_object(mut self, member: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        (self.token()? == b'{').then_some(())?;
        self.object(member)?;
        self.token().is_none().then_some(())
    }

    /// Reads a value and nothing behind it.
    pub(super) fn whole_value(mut self) -> Option<()> {
        self.value()?;
        self.token().is_none().then_some(())
    }

    /// Reads a value and returns its text.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        self.value_of(|reader, _| reader.value().map(drop))
    }

    /// Reads a value and returns its text. If it is an object, `member` is given each key and reads the value.
    pub(super) fn value_of(&mut self, member: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<&'a str> {
        let first = self.token()?;
        let start = self.at - 1;
        match first {
            b'"' => self.string().map(drop)?,
            b'{' => self.object(member)?,
            b'[' => self.array()?,
            b'-' | b'0'..=b'9' => self.number(first)?,
            b't' => self.word("rue")?,
            b'f' => self.word("alse")?,
            b'n' => self.word("ull")?,
            _ => return None,
        }
        Some(&self.text[start..self.at])
    }

    fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        let mut keys = 0;
        let mut next = self.token()?;
        while next != b'}' || keys > 0 {
            keys += 1;
            if next != b'"' || keys > self.keys {
                return None;
            }
            let key = self.key()?;
            (self.token()? == b':').then_some(())?;
            member(self, &key)?;
            match self.token()? {
                b',' => next = self.token()?,
                b'}' => break,
                _ => return None,
            }
        }
        self.depth += 1;
        Some(())
    }

    fn array(&mut self) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        if self.token()? != b']' {
            self.at -= 1;
            loop {
                self.value()?;
                match self.token()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.depth += 1;
        Some(())
    }

    /// The next byte that is no white space.
    fn token(&mut self) -> Option<u8> {
        loop {
            let byte = self.next()?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn key(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        let spelling = self.string()?;
        match spelling {
            Spelling::Plain => Some(Cow::Borrowed(&self.text[start..self.at - 1])),
            Spelling::Escaped => {
                serde_json::from_str(self.text.get(start - 1..self.at)?).ok().map(Cow::Owned)
            }
        }
    }

    /// What follows an opening quote, with the closing one.
    #[inline]
    fn string(&mut self) -> Option<Spelling> {
        match self.special()? {
            b'"' => Some(Spelling::Plain),
            b'\\' => self.escaped_string(),
            _ => None,
        }
    }

    /// What follows the first backslash of a string. Apart, as most strings have none, and what it needs would make all of
    /// them slower.
    #[inline(never)]
    fn escaped_string(&mut self) -> Option<Spelling> {
        loop {
            self.escapes()?;
            match self.special()? {
                b'"' => return Some(Spelling::Escaped),
                b'\\' => {}
                _ => return None,
            }
        }
    }

    /// Goes over the next byte in a string that stands for more than itself, and returns it.
    #[inline]
    fn special(&mut self) -> Option<u8> {
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            if let Some(word) = rest.first_chunk() {
                let special = special_bytes(u64::from_le_bytes(*word));
                if special == 0 {
                    self.at += word.len();
                    continue;
                }
                self.at += special.trailing_zeros() as usize / 8;
            }
            if let special @ (b'"' | b'\\' | 0..0x20) = self.next()? {
                return Some(special);
            }
        }
    }

    /// What follows a backslash, and all escapes right behind it: a line of SDP ends with two.
    fn escapes(&mut self) -> Option<()> {
        loop {
            match self.next()? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => self.code_point()?,
                _ => return None,
            }
            if self.peek() != Some(b'\\') {
                return Some(());
            }
            self.at += 1;
        }
    }

    /// The digits of a character, with its second half if it needs one. Apart, as what it needs would make the end of each
    /// line of SDP slower.
    #[inline(never)]
    fn code_point(&mut self) -> Option<()> {
        match self.code_unit()? {
            0xD800..=0xDBFF => {
                self.word(r"\u")?;
                (0xDC00..=0xDFFF).contains(&self.code_unit()?).then_some(())
            }
            0xDC00..=0xDFFF => None,
            _ => Some(()),
        }
    }

    fn code_unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit << 4 | char::from(self.next()?).to_digit(16)?))
    }

    fn number(&mut self, first: u8) -> Option<()> {
        let first = if first == b'-' { self.next()? } else { first };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Some(())
    }

    fn some_digits(&mut self) -> Option<()> {
        self.next()?.is_ascii_digit().then(|| self.digits())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes()).then_some(())?;
        self.at += word.len();
        Some(())
    }
}

/// Whether there are escapes in a string.
enum Spelling {
    Plain,
    Escaped,
}

/// Whether a text stands in a JSON string as it is.
pub(super) fn is_plain(text: &str) -> bool {
    let (words, rest) = text.as_bytes().as_chunks();
    words.iter().all(|word| special_bytes(u64::from_le_bytes(*word)) == 0)
        && rest.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20))
}

/// Which of eight bytes in a string, the lowest first, stand for more than themselves: a quote, a backslash, or a control
/// character, which must not be there. The lowest bit that is set is in the first of them. Those above may be wrong.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    // The highest bit of each byte that is smaller than `end`, and perhaps of others above it, for a borrow goes that
    // way.
    let below = |word: u64, end: u8| word.wrapping_sub(ONES * u64::from(end)) & !word;
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    // With this bit turned over, a quote comes right behind the control characters.
    let quote_or_control = below(word ^ (ONES * 2), 0x21);
    (quote_or_control | backslash) & HIGHEST
}
