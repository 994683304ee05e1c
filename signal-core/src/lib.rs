#![doc = include_str!("../README.md")]

mod channel;
mod close;
pub mod codec;
mod entry;
mod error;
mod hub;
mod id;
mod input;
mod limits;
mod log;
mod message;
mod outbox;
mod output;
mod payload;
mod pool;

pub use channel::{Channel, Host, Member};
pub use close::{CloseReason, EndReason, MatchEnd};
pub use entry::{
    ChannelSettings, ChannelSnapshot, Entry, FirstOffer, Hosting, Place, SnapshotVersion, Topology,
};
pub use error::ErrorCode;
pub use hub::{Counts, Hub};
pub use id::{
    ChannelName, ConnectionId, Epoch, InvalidId, PeerId, PoolName, Position, RequestId, SessionId, Token,
};
pub use input::{Grant, Input, JoinGrant, MatchGrant, Standing, Target};
pub use limits::Limits;
pub use log::LocalLog;
pub use message::{ClientFrame, ClientMessage, Hello, Resume, ResumeOffer, Role, ServerMessage};
pub use outbox::{ACK_EVERY, ImpossibleAck, Outbox, Overflow};
pub use output::{Context, Output, Recipients};
pub use payload::{OwnedPayload, Payload};
pub use pool::{Pool, PoolSnapshot, Ticket};

#[cfg(test)]
mod tests;
