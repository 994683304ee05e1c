//! What the operating system is told about a connection.

use std::{io, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// How long the client's system may leave what was written unanswered. Well above the pauses of a bad network; whoever
/// is away for longer comes back over a connection that is new.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a connection is silent before the system asks whether the other end is there. A WebSocket has its pings
/// before that.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long after a question that was not answered the next one is asked.
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(10);

/// Sets up an accepted connection, whatever is served on it:
///
/// - What is written leaves at once (`TCP_NODELAY`). Otherwise small messages wait for up to 40 ms.
/// - It is lost when the client's system has not answered for 20 s (`TCP_USER_TIMEOUT`, on Linux), or takes nothing for
///   as long. The system's own patience is about 15 min.
/// - After 60 s of silence the system asks whether the other end is there (`SO_KEEPALIVE`).
///
/// What the system does not do is told to the log; the connection can be used all the same.
pub fn tune(stream: &TcpStream) {
    if let Err(error) = try_tune(&SockRef::from(stream)) {
        tracing::debug!(%error, "a connection is not as it should be");
    }
}

fn try_tune(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_AGAIN))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_accepted_connection_is_set_up() -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let _client = TcpStream::connect(listener.local_addr()?).await?;
        let (stream, _) = listener.accept().await?;
        tune(&stream);
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay()? && socket.keepalive()?);
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_user_timeout()?, Some(USER_TIMEOUT));
            assert_eq!(socket.tcp_keepalive_time()?, KEEPALIVE);
            assert_eq!(socket.tcp_keepalive_interval()?, KEEPALIVE_AGAIN);
        }
        Ok(())
    }
}
