//! Signaling inside an axum application that has its own routes, state and login.
//!
//! Sign in at <http://127.0.0.1:8081>, in two windows under two names: everybody sees who is there and can write to
//! all. The name comes from the login, so nobody can claim to be somebody else.

use std::{
    collections::HashMap,
    env,
    error::Error,
    fmt::Write,
    future,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Router,
    extract::{FromRef, FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use signal_axum::{Admission, Origins, Refusal, Signaling, WebSocketUpgrade};
use tokio::net::TcpListener;

/// What the application has without us: who is signed in, by the value of a cookie.
#[derive(Clone, Default)]
struct Logins(Arc<Mutex<HashMap<String, String>>>);

/// The application's state, now with the signaling in it.
#[derive(Clone, FromRef)]
struct App {
    logins: Logins,
    signaling: Signaling,
}

/// Somebody who has signed in.
struct User(String);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = App { logins: Logins::default(), signaling: Signaling::builder().build()? };
    let router = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/main.js", get(async || ([(header::CONTENT_TYPE, "text/javascript")], MAIN_JS)))
        .route("/signal", get(signal))
        .merge(signal_axum::client_files())
        .with_state(app);
    let address = env::args().nth(1).unwrap_or("127.0.0.1:8081".to_owned());
    let listener = TcpListener::bind(address).await?;
    tracing_subscriber::fmt().init();
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| signal_axum::tune(stream));
    signal_axum::serve(listener, router, future::pending()).await;
    Ok(())
}

/// The one handler that is about signaling: it says who the client is.
async fn signal(
    User(name): User,
    State(signaling): State<Signaling>,
    request: Parts,
    socket: WebSocketUpgrade,
) -> Result<Response, (StatusCode, String)> {
    // The cookie comes along whichever page opens the socket, so only our own may.
    Origins::same()
        .check(&request)
        .map_err(|refusal: Refusal| (refusal.status(), refusal.message.into_string()))?;
    Ok(signal_axum::upgrade(socket, &signaling, Admission::identified(name)))
}

async fn home(user: Result<User, Redirect>) -> Html<&'static str> {
    Html(if user.is_ok() { INDEX } else { LOGIN })
}

async fn login(State(logins): State<Logins>, Form(form): Form<HashMap<String, String>>) -> Response {
    let Some(name) = form.get("name").map(|name| name.trim()).filter(|name| (1..=40).contains(&name.len()))
    else {
        return (StatusCode::BAD_REQUEST, "A name has 1 to 40 bytes.").into_response();
    };
    let mut bits = [0; 16];
    if getrandom::fill(&mut bits).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let secret = bits.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let cookie = format!("login={secret}; HttpOnly; SameSite=Strict; Path=/");
    logins.0.lock().unwrap_or_else(PoisonError::into_inner).insert(secret, name.to_owned());
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

impl<S: Sync> FromRequestParts<S> for User
where
    Logins: FromRef<S>,
{
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Redirect> {
        let cookies =
            parts.headers.get(header::COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
        let secret = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("login="));
        let Logins(logins) = Logins::from_ref(state);
        let logins = logins.lock().unwrap_or_else(PoisonError::into_inner);
        secret.and_then(|secret| logins.get(secret)).cloned().map(User).ok_or(Redirect::to("/"))
    }
}

const LOGIN: &str = include_str!("../../pages/embedded/login.html");
const INDEX: &str = include_str!("../../pages/embedded/index.html");
const MAIN_JS: &str = include_str!("../../pages/embedded/main.js");
