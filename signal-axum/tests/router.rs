//! How signaling is embedded in an application: beside its routes, with its state and its login.

// A panic is the report.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{FromRef, State},
    http::{HeaderMap, HeaderValue},
    response::Response,
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use signal_axum::{Admission, Event, Signaling, WebSocketUpgrade};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The state of an application that has more than signaling.
#[derive(Clone)]
struct App {
    greeting: &'static str,
    signaling: Signaling,
}

impl FromRef<App> for Signaling {
    fn from_ref(app: &App) -> Self {
        app.signaling.clone()
    }
}

#[tokio::test]
async fn a_router_is_nested_beside_other_routes_and_their_state() {
    let address = serve(app()).await;
    assert!(get_path(address, "/").await.ends_with("hello"));
    let mut socket = connect(address, "/deep/in/the/app/signal").await;
    say(&mut socket, r#"{"type":"hello","version":1}"#).await;
    assert_eq!(hear(&mut socket).await["type"], "welcome");
    let client = get_path(address, "/deep/in/the/app/signal/client.js").await;
    assert!(client.starts_with("HTTP/1.1 200") && client.contains("text/javascript"), "{client:.300}");
    assert!(get_path(address, "/client.js").await.starts_with("HTTP/1.1 404"));
    // A request that is no upgrade.
    assert!(get_path(address, "/deep/in/the/app/signal").await.starts_with("HTTP/1.1 4"));
}

#[tokio::test]
async fn a_router_may_be_merged_at_the_root_and_mounted_twice() {
    let App { signaling, .. } = app();
    let router: Router = Router::new().merge(signal_axum::router(&signaling));
    let address = listen(router.nest("/again", signal_axum::router(&signaling))).await;
    for path in ["/", "/again"] {
        let mut socket = connect(address, path).await;
        say(&mut socket, r#"{"type":"hello","version":1}"#).await;
        assert_eq!(hear(&mut socket).await["type"], "welcome");
    }
    assert_eq!(signaling.peers().len(), 2);
}

#[tokio::test]
async fn an_upgrade_handler_of_the_application_says_who_the_peer_is() {
    let app = app();
    let mut events = app.signaling.events();
    let address = serve(app).await;
    let mut request = format!("ws://{address}/own").into_client_request().unwrap();
    request.headers_mut().insert("x-user", HeaderValue::from_static("ann"));
    let (mut socket, _) = connect_async(request).await.unwrap();
    say(&mut socket, r#"{"type":"hello","version":1}"#).await;
    hear(&mut socket).await;
    let Some(Ok(Event::Connected { identity, .. })) = events.next().await else { panic!("nobody connects") };
    assert_eq!(identity.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_connection_over_which_the_client_was_loaded_can_be_upgraded() {
    let address = serve(app()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let host = format!("Host: {address}\r\n\r\n");
    stream.write_all(format!("GET / HTTP/1.1\r\n{host}").as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "hello").await.starts_with("HTTP/1.1 200"));
    let request = format!("ws://{address}/deep/in/the/app/signal");
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(Message::text(r#"{"type":"hello","version":1}"#)).await.unwrap();
    let welcome = socket.next().await.unwrap().unwrap();
    assert!(welcome.to_text().unwrap().contains("welcome"));
}

fn app() -> App {
    App { greeting: "hello", signaling: Signaling::builder().build().unwrap() }
}

async fn serve(app: App) -> SocketAddr {
    let deep = Router::new().nest("/in/the/app/signal", signal_axum::router(&app.signaling));
    let router = Router::new()
        .route("/", get(async |State(app): State<App>| app.greeting))
        .route("/own", get(own_upgrade))
        .nest("/deep", deep)
        .with_state(app);
    listen(router).await
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// An application that knows its users.
async fn own_upgrade(
    headers: HeaderMap,
    State(signaling): State<Signaling>,
    socket: WebSocketUpgrade,
) -> Response {
    let user = headers["x-user"].to_str().unwrap();
    signal_axum::upgrade(socket, &signaling, Admission::identified(user))
}

async fn connect(address: SocketAddr, path: &str) -> Socket {
    connect_async(format!("ws://{address}{path}")).await.unwrap().0
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Value {
    let message = socket.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

async fn get_path(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    String::from_utf8(answer).unwrap()
}
