// A panic is the report.
#![allow(clippy::unwrap_used)]

use std::future::pending;

use axum::routing::get;
use signal_tokio::Signaling;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use super::*;

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn each_request_of_a_connection_tells_where_it_comes_from() {
    let Served { address, .. } = Served::start(HttpLimits::default(), pending()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let own = stream.local_addr().unwrap().to_string();
    for _ in 0..2 {
        assert!(ask(&mut stream, "/whence", "").await.ends_with(&own));
    }
}

#[tokio::test]
async fn connections_are_bounded_that_are_no_websockets() {
    let Served { address, asked, .. } =
        Served::start(HttpLimits { connections: 2, ..HttpLimits::default() }, pending()).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut socket, "/signal", UPGRADE).await.starts_with("HTTP/1.1 101"));
        sockets.push(socket);
    }
    let (one, two, three) =
        (open(address, "/slow").await, open(address, "/slow").await, open(address, "/slow").await);
    for _ in 0..2 {
        asked.notified().await;
    }
    // The third waits for a place. Until then it is not even read.
    assert!(time::timeout(Duration::from_millis(50), asked.notified()).await.is_err());
    drop(one);
    asked.notified().await;
    drop((two, three));
}

#[tokio::test]
async fn who_stops_answers_what_is_under_way() {
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let Served { address, asked, answer, served } = Served::start(HttpLimits::default(), stopped).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    ask(&mut idle, "/whence", "").await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    ask(&mut socket, "/signal", UPGRADE).await;
    let mut slow = open(address, "/slow").await;
    asked.notified().await;
    stop.send(()).unwrap();
    // What is idle ends at once.
    assert_eq!(
        time::timeout(HttpLimits::default().head_timeout / 2, idle.read(&mut [0])).await.unwrap().unwrap(),
        0
    );
    TcpStream::connect(address).await.unwrap_err();
    assert!(!served.is_finished());
    answer.notify_one();
    let mut text = String::new();
    slow.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("at last"), "{text}");
    served.await.unwrap();
    // The socket is still there.
    socket.write_all(b"\x81\x80\0\0\0\0").await.unwrap();
    assert!(socket.read(&mut [0]).await.unwrap() > 0);
}

#[tokio::test]
async fn heads_have_the_bounds_that_are_set() {
    let limits =
        HttpLimits { head_timeout: Duration::from_millis(500), head_bytes: 32 << 10, connections: 0 };
    let Served { address, .. } = Served::start(limits, pending()).await;
    for (bytes, status) in [(30 << 10, "HTTP/1.1 200"), (33 << 10, "HTTP/1.1 431")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let filling = format!("filling: {}\r\n", "x".repeat(bytes));
        assert!(ask(&mut stream, "/whence", &filling).await.starts_with(status), "{bytes} bytes");
    }
    let mut silent = TcpStream::connect(address).await.unwrap();
    let ended = time::timeout(HttpLimits::default().head_timeout / 2, silent.read(&mut [0])).await;
    assert_eq!(ended.unwrap().unwrap(), 0);
}

/// An application with signaling, a route that tells where one comes from, and one that takes its time.
struct Served {
    address: SocketAddr,
    /// Somebody has asked for `/slow`,
    asked: Arc<Notify>,
    /// and is answered.
    answer: Arc<Notify>,
    served: JoinHandle<()>,
}

impl Served {
    async fn start(limits: HttpLimits, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (on_asked, on_answer) = (Arc::clone(&asked), Arc::clone(&answer));
        let slow = async move || {
            on_asked.notify_one();
            on_answer.notified().await;
            "at last"
        };
        let signaling = Signaling::builder().build().unwrap();
        let app = Router::new()
            .route("/whence", get(async |ConnectInfo(from): ConnectInfo<SocketAddr>| from.to_string()))
            .route("/slow", get(slow))
            .nest("/signal", crate::router(&signaling));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(serve_within(limits, listener, app, stop));
        Self { address, asked, answer, served }
    }
}

/// A connection over which something has been asked for.
async fn open(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

/// What is answered, if it is one packet.
async fn ask(stream: &mut TcpStream, path: &str, headers: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1 << 10];
    let length = stream.read(&mut answer).await.unwrap();
    answer.truncate(length);
    String::from_utf8(answer).unwrap()
}
