#![doc = include_str!("../README.md")]

pub mod client;
mod server;
mod socket;
mod upgrade;

pub use server::Server;
pub use signal_tokio::*;
