//! Bytes on a WebSocket, as if from a client: what is read of them is the same in whatever pieces they come, and what
//! the simplest reader makes of them.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod line;
#[cfg(fuzzing)]
mod model;

/// The longest message that is read: short, so that inputs are long enough to be longer.
#[cfg(fuzzing)]
const MOST_READ: usize = 300;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&size, said)) = bytes.split_first() else { return };
    let expected = model::conversation(said);
    assert_eq!(line::conversation(said, said.len()), expected, "at once");
    assert_eq!(
        line::conversation(said, 1 + usize::from(size)),
        expected,
        "in pieces of {}",
        1 + usize::from(size)
    );
});

/// What was handed over, and what was answered.
#[cfg(fuzzing)]
type Conversation = (Vec<String>, Vec<u8>);

#[cfg(not(fuzzing))]
fn main() {}
