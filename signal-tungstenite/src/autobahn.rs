//! The Autobahn cases, against an echo behind this adapter: the request is answered by its `upgrade`, the WebSocket has its
//! `config`, and what comes from the client is judged by its `TungsteniteSocket`.

use std::{io, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use signal_conformance::autobahn::{self, Echo, Mirror};
use signal_tokio::{HttpLimits, Received, Signaling};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use crate::{
    socket::TungsteniteSocket,
    upgrade::{read_head, upgrade},
};

impl Mirror for TungsteniteSocket<TcpStream> {
    async fn mirror(&mut self) -> Received<Utf8Bytes> {
        loop {
            let echo = match self.0.next().await {
                // Nobody is told what is in it.
                Some(Ok(binary @ Message::Binary(_))) => binary,
                next => match self.judge(next).await {
                    Some(Received::Text(text)) => Message::Text(text),
                    Some(received) => return received,
                    None => continue,
                },
            };
            // A client that is gone is noticed by reading on.
            let _ = self.0.send(echo).await;
        }
    }
}

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
    if let Some((socket, admitted)) = upgrade(stream, head, None, signaling, remote).await? {
        signaling.serve(Echo::new(TungsteniteSocket(socket)), admitted).await;
    }
    Ok(())
}

#[test]
#[ignore = "cargo xtask test --only autobahn installs the runner that it needs"]
fn frames_are_taken_and_answered_as_the_autobahn_cases_demand() {
    autobahn::run(|signaling, listener, stop| Box::pin(serve(signaling, listener, stop)));
}
