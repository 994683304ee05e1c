#![doc = include_str!("../README.md")]

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[allow(dead_code, unused_imports, reason = "each protocol needs a part of it")]
mod json;
#[cfg(feature = "matchbox")]
pub mod matchbox;
#[allow(dead_code, unused_imports, reason = "each protocol needs a part of it")]
mod mount;
#[cfg(feature = "peer-server")]
pub mod peer_server;
#[cfg(feature = "rooms")]
pub mod rooms;
#[cfg(feature = "socket-io")]
pub mod socket_io;
#[cfg(feature = "y-webrtc")]
pub mod y_webrtc;

#[cfg(feature = "matchbox")]
pub use matchbox::Matchbox;
#[cfg(feature = "peer-server")]
pub use peer_server::PeerServer;
#[cfg(feature = "rooms")]
pub use rooms::Rooms;
#[cfg(feature = "socket-io")]
pub use socket_io::SocketIo;
#[cfg(feature = "y-webrtc")]
pub use y_webrtc::YWebrtc;
