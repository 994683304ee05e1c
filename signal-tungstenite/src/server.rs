//! The accept loop.

use std::{io, sync::Arc, time::Duration};

use signal_tokio::Signaling;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{self, Instant},
};

#[cfg(feature = "tls")]
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::{
    socket::TungsteniteSocket,
    upgrade::{read_head, upgrade},
};

/// How long a client may take from the connection to the end of its request, TLS included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait when the system has no more sockets to give.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves signaling on a TCP listener of its own, without a web framework.
#[derive(Clone)]
pub struct Server {
    signaling: Signaling,
    path: Option<Arc<str>>,
    #[cfg(feature = "tls")]
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// A server that upgrades every request which the policy lets in.
    #[must_use]
    pub fn new(signaling: &Signaling) -> Self {
        Self {
            signaling: signaling.clone(),
            path: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Answers requests for any other path with 404.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Speaks TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Some(config.into());
        self
    }

    /// Accepts connections until `stop` is done. Those that are there stay until they end or
    /// [`Signaling::drain`] ends them.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let accept = async {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        tokio::spawn(self.clone().welcome(stream));
                    }
                    // Out of file descriptors, most likely: the clients that are there go on, and some will leave.
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept");
                        time::sleep(ACCEPT_AGAIN).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accept => {}
            () = stop => {}
        }
    }

    async fn welcome(self, stream: TcpStream) {
        if let Err(error) = self.try_welcome(stream).await {
            tracing::debug!(%error, "no upgrade");
        }
    }

    async fn try_welcome(self, stream: TcpStream) -> io::Result<()> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        stream.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let stream = time::timeout_at(deadline, tls.accept(stream)).await??;
            return self.upgrade(stream, deadline).await;
        }
        self.upgrade(stream, deadline).await
    }

    async fn upgrade<S>(&self, mut stream: S, deadline: Instant) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let head = time::timeout_at(deadline, read_head(&mut stream)).await??;
        if let Some((socket, admission)) =
            upgrade(stream, head, self.path.as_deref(), &self.signaling).await?
        {
            // A task of its own: that of the handshake would be kept for as long.
            tokio::spawn(self.signaling.serve(TungsteniteSocket(socket), admission));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("path", &self.path).finish_non_exhaustive()
    }
}
