//! Signaling over raw WebSockets, without a web framework, for pages that are served elsewhere.

use std::{error::Error, net::SocketAddr, time::Duration};

use clap::Parser;
use signal_tungstenite::{Admission, Policy, Refusal, Server, Signaling, async_trait, same_origin};
use tokio::{net::TcpListener, signal};

/// Serves WebRTC signaling at ws://ADDRESS/signal and nothing else.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; with port 0 the system chooses a free one
    #[arg(long, default_value = "127.0.0.1:8082")]
    listen: SocketAddr,
    /// Origin of pages that may connect, with its scheme; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
}

/// Lets in the pages of some origins, and clients that are no browsers.
struct Origins(Vec<String>);

#[async_trait]
impl Policy for Origins {
    async fn upgrade(&self, request: &http::request::Parts) -> Result<Admission, Refusal> {
        let mut origins = request.headers.get_all(http::header::ORIGIN).iter();
        match (origins.next().and_then(|origin| origin.to_str().ok()), origins.next()) {
            (Some(origin), None) if self.0.iter().any(|allowed| allowed == origin) => {
                Ok(Admission::default())
            }
            _ => same_origin(request).map(|()| Admission::default()),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().init();
    let signaling = Signaling::builder().policy(Origins(arguments.origins)).build()?;
    let listener = TcpListener::bind(arguments.listen).await?;
    tracing::info!("listening on ws://{}/signal", listener.local_addr()?);
    let stop = async { signal::ctrl_c().await.unwrap_or_default() };
    Server::new(&signaling).path("/signal").serve(listener, stop).await;
    signaling.drain(Duration::from_secs(10)).await;
    Ok(())
}
