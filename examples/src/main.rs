//! The demo server: a group call in the browser, from one command.

mod pages;

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt};
use clap::Parser;
use signal_axum::{
    ChannelSettings, IceServer, JoinGrant, JoinRequest, PeerInfo, Policy, Refusal, Signaling, async_trait,
};
use tokio::{net::TcpListener, signal};

/// A group call in the browser. Open the address that is printed, in two windows or on two machines.
///
/// Browsers give camera and microphone to pages on localhost or over HTTPS only.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; with port 0 the system chooses a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
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
    /// Most people in one room
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    capacity: u32,
}

/// Everybody may join every room, until it is full.
struct OpenRooms {
    capacity: u32,
}

#[async_trait]
impl Policy for OpenRooms {
    async fn join(&self, _: &PeerInfo, _: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        Ok(JoinGrant { settings: ChannelSettings { capacity: self.capacity, ..ChannelSettings::default() } })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let signaling = Signaling::builder()
        .policy(OpenRooms { capacity: arguments.capacity })
        .ice_servers(ice_servers(&arguments))
        .build()?;
    let app: Router =
        pages::router().nest("/signal", signal_axum::router(&signaling)).merge(signal_axum::client_files());

    let listener = TcpListener::bind(arguments.listen).await?;
    announce(listener.local_addr()?)?;
    // Without this the system holds small messages back for up to 40 ms.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).with_graceful_shutdown(stop(signaling)).await?;
    Ok(())
}

fn ice_servers(arguments: &Arguments) -> impl Iterator<Item = IceServer> {
    arguments.ice_servers.iter().map(|url| {
        let is_turn = url.starts_with("turn");
        IceServer {
            urls: vec![url.clone()],
            username: arguments.ice_username.clone().filter(|_| is_turn),
            credential: arguments.ice_credential.clone().filter(|_| is_turn),
        }
    })
}

/// The first line on standard output, for people and for scripts.
#[expect(clippy::print_stdout, reason = "this is what the program has to say")]
fn announce(address: SocketAddr) -> std::io::Result<()> {
    use std::io::Write;
    println!("listening on http://{address}");
    std::io::stdout().flush()
}

/// Waits for Ctrl-C or SIGTERM, then asks the clients to come back later.
async fn stop(signaling: Signaling) {
    let mut terminate =
        signal::unix::signal(signal::unix::SignalKind::terminate()).expect("signals can be handled");
    tokio::select! {
        _ = signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("going down");
    signaling.drain(Duration::from_secs(10)).await;
}
