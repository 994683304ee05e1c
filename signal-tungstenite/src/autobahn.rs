//! The Autobahn cases, against an echo behind this adapter: the request is answered by its `upgrade`.

use std::{io, net::SocketAddr};

use signal_conformance::autobahn::{self, Echo};
use signal_tokio::{HttpLimits, Signaling, WebSocket};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::upgrade::{read_head, upgrade};

async fn serve(signaling: Signaling, listener: TcpListener, stop: CancellationToken) {
    let accept = async {
        loop {
            let (stream, remote) = listener.accept().await.expect("a connection");
            let signaling = signaling.clone();
            tokio::spawn(async move { welcome(stream, remote, &signaling).await });
        }
    };
    stop.run_until_cancelled(accept).await;
}

async fn welcome(mut stream: TcpStream, remote: SocketAddr, signaling: &Signaling) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head = read_head(&mut stream, HttpLimits::default().head_bytes).await?;
    if let Some((stream, read, admitted)) = upgrade(stream, head, None, signaling, remote).await? {
        let socket = WebSocket::over_tcp(stream, &read, signaling.most_read());
        signaling.serve(Echo::new(socket), admitted).await;
    }
    Ok(())
}

#[test]
#[ignore = "cargo xtask test --only autobahn installs the runner that it needs"]
fn frames_are_taken_and_answered_as_the_autobahn_cases_demand() {
    autobahn::run(|signaling, listener, stop| Box::pin(serve(signaling, listener, stop)));
}
