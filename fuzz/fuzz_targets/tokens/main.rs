//! Resume tokens, seats and JSON Web Tokens: what somebody makes up, what was changed on its way, and what somebody signs
//! who has the key but writes something else.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod jwt;
#[cfg(fuzzing)]
mod ours;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        ours::check_made_up(text);
        jwt::check_made_up(text);
    }
    ours::check_signed(bytes);
    ours::check_changed(bytes);
    jwt::check_signed(bytes);
    jwt::check_changed(bytes);
});

/// A text that was changed here and there: each three bytes say how, where and to what.
#[cfg(fuzzing)]
fn changed(text: &str, edits: &[u8]) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits.as_chunks::<3>().0.iter().take(8) {
        let [kind, place, byte] = *edit;
        let at = usize::from(place) % bytes.len().max(1);
        match kind % 4 {
            0 if !bytes.is_empty() => bytes[at] = byte,
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            _ => bytes.insert(at.min(bytes.len()), byte),
        }
    }
    String::from_utf8(bytes).ok().filter(|changed| changed != text)
}

#[cfg(not(fuzzing))]
fn main() {}
