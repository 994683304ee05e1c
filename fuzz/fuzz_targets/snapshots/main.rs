//! Snapshots and entries as another machine, another version or a damaged disk might hand them over: the first line is a
//! snapshot of a channel or a pool, each further one a position and an entry.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod state;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|text: &str| {
    use signal_core::{Channel, Pool};

    let (snapshot, entries) = text.split_once('\n').unwrap_or((text, ""));
    state::check::<Channel>(snapshot, entries);
    state::check::<Pool>(snapshot, entries);
});

#[cfg(not(fuzzing))]
fn main() {}
