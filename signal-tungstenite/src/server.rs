//! The accept loop.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use http::{Response, request::Parts};
use signal_tokio::{HttpLimits, Signaling, Socket, WebSocket, tune};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{self, Instant},
};

#[cfg(feature = "tls")]
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::upgrade::{answer, is_for_socket, read_head, upgrade};

/// How long the answer to another request than that of a socket may take, until the client has it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait when the system has no more sockets to give.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

type Fallback = dyn Fn(Parts) -> Pin<Box<dyn Future<Output = Response<Vec<u8>>> + Send>> + Send + Sync;

/// Serves signaling on a TCP listener of its own, without a web framework.
#[derive(Clone)]
pub struct Server {
    signaling: Signaling,
    http: HttpLimits,
    path: Option<Arc<str>>,
    fallback: Option<Arc<Fallback>>,
    #[cfg(feature = "tls")]
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// A server that upgrades every request which the policy lets in.
    #[must_use]
    pub fn new(signaling: &Signaling) -> Self {
        Self {
            signaling: signaling.clone(),
            http: HttpLimits::default(),
            path: None,
            fallback: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Answers requests for any other path with 404, or by the [`fallback`](Self::fallback).
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Answers the requests that are not for the socket, such as one for the page, or for a sign of life: those for
    /// any other path, and without a [`path`](Self::path) those that ask for no WebSocket.
    ///
    /// They are `GET` requests; others are refused with 405. `Content-Length` and `Connection` are set: each connection carries
    /// one request.
    #[must_use]
    pub fn fallback<F, A>(mut self, answer: F) -> Self
    where
        F: Fn(Parts) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Vec<u8>>> + Send + 'static,
    {
        self.fallback = Some(Arc::new(move |request| Box::pin(answer(request))));
        self
    }

    /// What clients may take of the server before they have a socket.
    #[must_use]
    pub fn http_limits(mut self, limits: HttpLimits) -> Self {
        self.http = limits.at_least();
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
        let places = Arc::new(Semaphore::new(self.http.connections));
        let accept = async {
            loop {
                let place = Arc::clone(&places).acquire_owned().await;
                match listener.accept().await {
                    Ok((stream, remote)) => {
                        let welcomed = self.clone().welcome(stream, remote);
                        tokio::spawn(async move {
                            welcomed.await;
                            drop(place);
                        });
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

    async fn welcome(self, stream: TcpStream, remote: SocketAddr) {
        if let Err(error) = self.try_welcome(stream, remote).await {
            tracing::debug!(%error, "no upgrade");
        }
    }

    async fn try_welcome(self, stream: TcpStream, remote: SocketAddr) -> io::Result<()> {
        tune(&stream);
        // TLS included.
        let deadline = Instant::now() + self.http.head_timeout;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let stream = time::timeout_at(deadline, tls.accept(stream)).await??;
            return self.upgrade(stream, remote, deadline, WebSocket::new).await;
        }
        self.upgrade(stream, remote, deadline, WebSocket::over_tcp).await
    }

    /// `open` makes a WebSocket of a connection, of what was read of it, and of how much of a message is read.
    async fn upgrade<S, W>(
        &self,
        mut stream: S,
        remote: SocketAddr,
        deadline: Instant,
        open: fn(S, &[u8], usize) -> W,
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        W: Socket,
    {
        let head = time::timeout_at(deadline, read_head(&mut stream, self.http.head_bytes)).await??;
        let head = match (head, &self.fallback) {
            (Ok((request, _)), Some(fallback)) if !is_for_socket(&request, self.path.as_deref()) => {
                let fallback = fallback(request.into_parts().0);
                return time::timeout(ANSWER_TIMEOUT, async { answer(stream, fallback.await).await }).await?;
            }
            (head, _) => head,
        };
        let upgraded = upgrade(stream, head, self.path.as_deref(), &self.signaling, remote).await?;
        if let Some((stream, read, admitted)) = upgraded {
            let socket = open(stream, &read, self.signaling.most_read());
            // A task of its own: that of the handshake would be kept for as long.
            tokio::spawn(self.signaling.serve(socket, admitted));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("path", &self.path).finish_non_exhaustive()
    }
}
