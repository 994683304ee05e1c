#![doc = include_str!("../README.md")]

#[cfg(test)]
mod autobahn;
pub mod client;
mod server;
mod upgrade;

pub use server::Server;
pub use signal_tokio::*;
