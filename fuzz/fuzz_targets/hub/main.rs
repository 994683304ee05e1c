//! Two machines that follow one log, with clients, a policy and other machines: each byte is something that happens.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod checks;
#[cfg(fuzzing)]
mod client;
#[cfg(fuzzing)]
mod machine;
#[cfg(fuzzing)]
mod script;
#[cfg(fuzzing)]
mod world;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| world::World::play(bytes));

#[cfg(not(fuzzing))]
fn main() {}
