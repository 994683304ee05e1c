//! Text through the codec, as if a client, a server or an embedder had written it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod client;
#[cfg(fuzzing)]
mod server;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|text: &str| {
    client::check(text);
    server::check(text);
    server::check_embedder(text);
});

#[cfg(not(fuzzing))]
fn main() {}
