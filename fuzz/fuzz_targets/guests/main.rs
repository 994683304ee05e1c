//! Texts of clients that speak another protocol: whatever they say, what is told to others is what such a client can read.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
use std::cell::RefCell;
#[cfg(fuzzing)]
use std::sync::Arc;

#[cfg(fuzzing)]
use serde_json::value::RawValue;
#[cfg(fuzzing)]
use signal_tokio::{Dialect, fuzzing::retell};

#[cfg(fuzzing)]
thread_local! {
    static DIALECTS: RefCell<Vec<Arc<dyn Dialect>>> = RefCell::new(signal_compat::fuzzing::dialects());
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|said: &str| {
    DIALECTS.with_borrow(|dialects| {
        for dialect in dialects {
            let mut channel = None;
            // Each line is a text of the same client.
            for text in said.lines() {
                retell(&**dialect, &mut channel, text).iter().for_each(|told| check(&**dialect, told));
            }
        }
    });
});

/// It is JSON, behind the number of its kind in Socket.IO.
#[cfg(fuzzing)]
fn check(dialect: &dyn Dialect, told: &[u8]) {
    let told = str::from_utf8(told).expect("a text is UTF-8");
    let json = if dialect.name() == "socket.io" { told.trim_start_matches(['0', '2']) } else { told };
    assert!(serde_json::from_str::<&RawValue>(json).is_ok(), "{} is told {told}", dialect.name());
}

#[cfg(not(fuzzing))]
fn main() {}
