//! The wire format: the only part that knows JSON. `docs/protocol.md` is its specification.

mod decode;
mod encode;
mod limits;
mod reader;
mod server;

pub use decode::{DecodeError, check, decode};
pub use encode::{encode, encode_client};
pub use limits::FrameLimits;
pub use server::{ServerFrame, decode_server};
