//! What the demo servers have in common, and a module for each system that they serve.
//!
//! Each system is a module that says who may join what, and a page in the folder `pages`. `cargo run --release` serves
//! all of them in one process, `cargo run --release --bin NAME` one of them alone.

pub mod group;
pub mod meeting;
pub mod raw;
pub mod star;
pub mod strangers;
pub mod two;

mod admin;
mod announce;
mod arguments;
mod files;
mod guests;
mod keys;
mod pages;
mod serve;
mod tls;

use signal_axum::{ConfigError, Signaling};

pub use arguments::Arguments;
pub use serve::{DRAIN, run, start, stopped};

/// One of the things that people build with signaling.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Its folder in `pages`, its binary, and its path where it is not alone.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// One sentence for people who do not know it.
    pub about: &'static str,
    /// Makes its signaling. Systems share none: a room of one is not a room of the other.
    pub signaling: fn(&Arguments) -> Result<Signaling, ConfigError>,
}
