//! What can be said on the command line, to all servers alike.

use std::net::SocketAddr;

use clap::{CommandFactory, FromArgMatches, Parser};
use signal_axum::{Builder, IceServer, Signaling};

/// How a server was started.
///
/// Browsers give camera and microphone to pages on localhost or over HTTPS only.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// Address to listen on; with port 0 the system chooses a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// STUN or TURN server for the browsers, such as stun:stun.example.org:3478; may be repeated
    #[arg(long = "ice-server", value_name = "URL")]
    ice_servers: Vec<String>,
    /// User name for the TURN servers among them
    #[arg(long, value_name = "NAME", requires = "ice_credential")]
    ice_username: Option<String>,
    /// Password for the TURN servers among them
    #[arg(
        long,
        value_name = "PASSWORD",
        requires = "ice_username",
        env = "ICE_CREDENTIAL",
        hide_env_values = true
    )]
    ice_credential: Option<String>,
    /// Most people in one room of the group call and of the meeting
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub capacity: u32,
}

impl Arguments {
    /// Reads the command line of the program `name`. Ends the process where it asks for help, or is wrong.
    pub(crate) fn read(name: &'static str, about: &'static str) -> Self {
        let matches = Self::command().name(name).about(about).long_about(None).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Signaling with what holds for every system. A system adds its policy.
    pub fn signaling(&self) -> Builder {
        Signaling::builder().ice_servers(self.ice_servers())
    }

    fn ice_servers(&self) -> impl Iterator<Item = IceServer> {
        self.ice_servers.iter().map(|url| {
            let is_turn = url.starts_with("turn");
            IceServer {
                urls: vec![url.clone()],
                username: self.ice_username.clone().filter(|_| is_turn),
                credential: self.ice_credential.clone().filter(|_| is_turn),
            }
        })
    }
}
