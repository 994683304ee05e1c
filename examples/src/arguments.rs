//! What can be said on the command line, to all servers alike.

use std::{
    error::Error,
    net::{AddrParseError, IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{CommandFactory, FromArgMatches, Parser};
use signal_axum::{AdminToken, Builder, IceServer, IpNet, Limits, Origins, Signaling, Turn};

use crate::{
    admin::AdminPort,
    keys::{Keys, Secret},
};

/// Credentials that end earlier would end while a connection is still tried again.
const SHORTEST_TTL: Duration = Duration::from_secs(600);

/// How a server was started.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Browsers give camera and microphone to pages on localhost or over HTTPS only: to try it with a \
                  phone, start it with --tls."
)]
pub struct Arguments {
    /// Address to listen on [default: 127.0.0.1:8080]; with port 0 the system chooses a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Speak HTTPS, for phones too: listens on 0.0.0.0:8443 unless told otherwise
    #[arg(long)]
    tls: bool,
    /// Your own certificate for it, as PEM with its chain; without one it is made at start, and browsers warn of it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key that belongs to it, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Origin of pages elsewhere that may use this server, such as `https://example.org`; may be repeated
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allowed_origins: Vec<String>,
    /// Let pages of every origin use what is there for the clients of other servers, such as PeerJS
    #[arg(long)]
    pub(crate) guests_from_anywhere: bool,
    /// Proxy whose X-Forwarded-For is believed, such as 10.0.0.7 or 10.0.0.0/8; may be repeated
    #[arg(long = "trusted-proxy", value_name = "NETWORK", value_parser = network)]
    trusted_proxies: Vec<IpNet>,
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
    /// TURN server that takes time-limited credentials, such as turn:turn.example.org:3478; may be repeated
    #[arg(long = "turn", value_name = "URL", requires = "turn_secret")]
    turn_urls: Vec<String>,
    /// File with the secret shared with it (coturn: static-auth-secret), which signs the credentials
    #[arg(long = "turn-secret-file", value_name = "FILE", requires = "turn_urls", value_parser = Secret::read)]
    turn_secret: Option<Secret>,
    /// How long these credentials are valid, 600 to 3600; less is for tests
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    turn_ttl: u64,
    /// File with a secret key in each line; it is made if it is not there. With it calls survive a restart of the server
    #[arg(long, value_name = "FILE", value_parser = Keys::read_or_make)]
    key_file: Option<Keys>,
    /// Address for metrics and the admin routes, in plain HTTP; off if it is not there, and 127.0.0.1:8090 without an ADDRESS
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8090")]
    admin_listen: Option<SocketAddr>,
    /// File with the token for the admin routes, 16 characters or more; without one nobody is let in there
    #[arg(long, value_name = "FILE", requires = "admin_listen", value_parser = Secret::read)]
    admin_token_file: Option<Secret>,
    /// The same token, instead of a file
    #[arg(long, hide = true, env = "SIGNAL_ADMIN_TOKEN", hide_env_values = true, value_parser = Secret::from_text)]
    admin_token: Option<Secret>,
    /// Most people in one room of the group call and of the meeting
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) capacity: u32,
}

/// A network, or a single address.
fn network(text: &str) -> Result<IpNet, AddrParseError> {
    text.parse().or_else(|_| text.parse().map(|address: IpAddr| address.into()))
}

impl Arguments {
    /// Reads the command line of the program `name`. Ends the process where it asks for help, or is wrong.
    pub(crate) fn read(name: &'static str, about: &'static str) -> Self {
        let matches = Self::command().name(name).about(about).long_about(None).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// The pages that may use this server.
    pub(crate) fn origins(&self) -> Origins {
        Origins::same().and(self.allowed_origins.iter())
    }

    /// Signaling with what holds for every system. The one of this name adds its policy.
    pub fn signaling(&self, system: &str) -> Builder {
        let mut signaling = Signaling::builder()
            .origins(self.origins())
            .trusted_proxies(self.trusted_proxies.iter().copied())
            .ice_servers(self.ice_servers());
        if let Some(secret) = &self.turn_secret {
            signaling = signaling.turn(self.turn(secret));
        }
        match &self.key_file {
            // Nobody has been here before, so no seat is kept for those who return.
            Some(keys) if keys.is_new => {
                let limits = Limits { returning: Duration::ZERO, ..Limits::default() };
                signaling.keys(keys.of(system)).limits(limits)
            }
            Some(keys) => signaling.keys(keys.of(system)),
            None => signaling,
        }
    }

    /// The port for whoever looks after the server, if there is to be one.
    pub(crate) async fn admin(&self) -> Result<Option<AdminPort>, Box<dyn Error>> {
        let Some(address) = self.admin_listen else { return Ok(None) };
        let token = self.admin_token_file.as_ref().or(self.admin_token.as_ref());
        let token = token.map(|Secret(token)| AdminToken::new(token)).transpose()?;
        AdminPort::bind(address, token).await.map(Some)
    }

    pub(crate) fn uses_tls(&self) -> bool {
        self.tls || self.tls_cert.is_some()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let default =
            if self.uses_tls() { (Ipv4Addr::UNSPECIFIED, 8443) } else { (Ipv4Addr::LOCALHOST, 8080) };
        self.listen.unwrap_or(default.into())
    }

    fn turn(&self, Secret(secret): &Secret) -> Turn {
        let turn = Turn::new(self.turn_urls.clone(), secret.clone());
        let ttl = Duration::from_secs(self.turn_ttl);
        if ttl < SHORTEST_TTL { turn.ttl_for_tests(ttl) } else { turn.ttl(ttl) }
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
