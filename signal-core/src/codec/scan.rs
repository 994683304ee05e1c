//! A first look at a frame, before a parser that could be led too deep.

use super::FrameLimits;

/// Checks depth of nesting, number of keys and surrogate escapes in one pass and without recursion.
///
/// What is relayed is passed on as it came, so a JSON parser here would skip it rather than look at it: RFC 8259,
/// section 9 allows limits, and section 8.2 warns of the lone surrogates that some receivers choke on. Whether the
/// text is JSON at all is for the parser to say.
pub(super) fn is_within(text: &str, limits: &FrameLimits) -> bool {
    let mut keys = [0_usize; FrameLimits::MAX_DEPTH + 1];
    let most_deep = limits.depth.min(FrameLimits::MAX_DEPTH);
    let mut depth = 0;
    let mut bytes = text.as_bytes();
    while let Some((byte, rest)) = bytes.split_first() {
        bytes = rest;
        match byte {
            b'"' => match skip_string(bytes) {
                Some(rest) => bytes = rest,
                None => return false,
            },
            b'{' | b'[' => {
                depth += 1;
                if depth > most_deep {
                    return false;
                }
                keys[depth] = 0;
            }
            b'}' | b']' => depth = usize::saturating_sub(depth, 1),
            b':' => {
                keys[depth] += 1;
                if keys[depth] > limits.keys {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

/// What follows the closing quote; nothing if there is none, or if an escape is half a surrogate pair.
fn skip_string(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let special = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        let (byte, rest) = bytes[special..].split_first()?;
        if *byte == b'"' {
            return Some(rest);
        }
        bytes = skip_escape(rest)?;
    }
}

fn skip_escape(bytes: &[u8]) -> Option<&[u8]> {
    let (byte, rest) = bytes.split_first()?;
    if *byte != b'u' {
        return Some(rest);
    }
    let (first, rest) = code_unit(rest)?;
    match first {
        0xD800..=0xDBFF => {
            let (second, rest) = code_unit(rest.strip_prefix(b"\\u")?)?;
            (0xDC00..=0xDFFF).contains(&second).then_some(rest)
        }
        0xDC00..=0xDFFF => None,
        _ => Some(rest),
    }
}

fn code_unit(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(4)?;
    let mut unit = 0;
    for digit in digits {
        unit = unit << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
    }
    Some((unit, rest))
}
