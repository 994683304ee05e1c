#![doc = include_str!("../README.md")]

mod addresses;
mod admin;
mod builder;
mod connection;
mod conversation;
mod delivery;
mod dialect;
mod driver;
mod event;
mod frame;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
pub mod head;
mod health;
#[cfg(feature = "jwt")]
mod jwt;
mod link;
mod log;
mod metrics;
mod origins;
mod pen;
mod policy;
mod question;
mod random;
mod rate;
mod signaling;
mod socket;
mod tcp;
mod timer;
mod tokens;
mod trace;
mod turn;
mod websocket;

pub use addresses::{Admitted, SocketLimits};
pub use admin::{AdminRefusal, AdminToken, ChannelPage, ChannelStatus, PeerPage, PeerStatus, WeakToken};
pub use async_trait::async_trait;
pub use builder::{Builder, ConfigError, IceServer, Timing};
pub use dialect::{Dialect, Guest, Speaker, Texts};
pub use event::{Event, Events, Missed};
pub use frame::Frame;
pub use head::HttpLimits;
pub use health::{Readiness, health};
pub use ipnet::IpNet;
#[cfg(feature = "jwt")]
pub use jwt::{Jwt, JwtKey};
pub use metrics::{METRICS_TYPE, metrics};
pub use origins::Origins;
pub use pen::Ink;
pub use policy::{Admission, JoinRequest, MatchRequest, Open, PeerInfo, Policy, Refusal};
pub use rate::Rates;
pub use signal_core::{
    ChannelName, ChannelSettings, CloseReason, EndReason, ErrorCode, FirstOffer, Hello, Hosting, JoinGrant,
    Limits, MatchGrant, PeerId, Topology, codec::FrameLimits,
};
pub use signaling::{ChannelInfo, MemberInfo, SendError, Signaling};
pub use socket::{Outgoing, Received, Socket};
pub use tcp::tune;
pub use turn::Turn;
pub use websocket::{Tcp, WebSocket};

#[cfg(test)]
mod tests;
