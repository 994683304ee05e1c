//! Routes for whoever looks after a running server.

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use signal_tokio::{
    AdminRefusal, AdminToken, ChannelInfo, ChannelPage, METRICS_TYPE, PeerId, PeerPage, Signaling,
};

/// What the routes know.
#[derive(Clone)]
struct Admin {
    signaling: Signaling,
    token: Option<AdminToken>,
}

/// Which part of a list is wanted.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    after: usize,
    #[serde(default = "Wanted::default_limit")]
    limit: usize,
}

impl Wanted {
    fn default_limit() -> usize {
        100
    }
}

/// A channel as it is told: names and texts of others are JSON strings, in which nothing is unescaped.
#[derive(Serialize)]
struct ChannelView {
    channel: String,
    members: Vec<MemberView>,
}

#[derive(Serialize)]
struct MemberView {
    peer: String,
    identity: Option<Box<str>>,
    /// JSON text in a string: what a peer has written may be more than a reader can hold, such as 1e999.
    userdata: Option<Box<str>>,
}

/// Lists peers and channels, ends sessions, and takes peers out of channels, for whoever shows `token`. Without a token
/// nobody is let in.
///
/// | request | answer |
/// |---|---|
/// | `GET /peers?after=&limit=` | [`PeerPage`], 100 peers if there is no `limit`, at most 1,000; `after` is the `next` of the page before |
/// | `DELETE /peers/{peer}` | 204, and the session has ended with close code 4004; 404 if there is none |
/// | `GET /channels?after=&limit=` | [`ChannelPage`], likewise |
/// | `GET /channels/{channel}` | the members with what is known of them; 404 if there are none |
/// | `DELETE /channels/{channel}/peers/{peer}` | 204, and the peer has lost its seat; 404 if it had none |
///
/// It is nested, say under `/admin`, into an application that not everybody reaches, best on a port of its own. A page
/// cannot use it in somebody's name: no cookie is read.
pub fn admin<S: Clone + Send + Sync + 'static>(
    signaling: &Signaling,
    token: Option<AdminToken>,
) -> Router<S> {
    let state = Admin { signaling: signaling.clone(), token };
    Router::new()
        .route("/peers", get(peers))
        .route("/peers/{peer}", delete(kick))
        .route("/channels", get(channels))
        .route("/channels/{channel}", get(channel))
        .route("/channels/{channel}/peers/{peer}", delete(remove))
        .layer(middleware::from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

/// Text of [`Signaling::metrics`] or [`signal_tokio::metrics`] as an answer that Prometheus reads.
pub fn metrics_response(text: String) -> Response {
    let headers = [(header::CONTENT_TYPE, METRICS_TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, text).into_response()
}

/// Lets nobody through without the token, and lets nothing be kept on the way.
async fn guard(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let mut response = match admin.signaling.check_admin(admin.token.as_ref(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refused(refusal),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn refused(refusal: AdminRefusal) -> Response {
    let mut response = (refusal.status(), format!("{refusal}\n")).into_response();
    if refusal == AdminRefusal::WrongToken {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

async fn peers(State(admin): State<Admin>, Query(Wanted { after, limit }): Query<Wanted>) -> Json<PeerPage> {
    Json(admin.signaling.peer_page(after, limit))
}

async fn channels(
    State(admin): State<Admin>,
    Query(Wanted { after, limit }): Query<Wanted>,
) -> Json<ChannelPage> {
    Json(admin.signaling.channel_page(after, limit))
}

async fn channel(State(admin): State<Admin>, Path(name): Path<String>) -> Response {
    let Some(ChannelInfo { name, members }) = admin.signaling.channel(&name) else {
        return missing("There is no such channel.");
    };
    let members = members.into_iter().map(|member| MemberView {
        peer: member.peer.to_string(),
        identity: member.identity,
        userdata: member.userdata,
    });
    Json(ChannelView { channel: name.to_string(), members: members.collect() }).into_response()
}

async fn kick(State(admin): State<Admin>, Path(peer): Path<String>) -> Response {
    match PeerId::new(&peer) {
        Ok(peer) if admin.signaling.kick(&peer) => StatusCode::NO_CONTENT.into_response(),
        Ok(_) | Err(_) => missing("There is no such peer."),
    }
}

async fn remove(State(admin): State<Admin>, Path((channel, peer)): Path<(String, String)>) -> Response {
    match PeerId::new(&peer) {
        Ok(peer) if admin.signaling.remove(&peer, &channel) => StatusCode::NO_CONTENT.into_response(),
        Ok(_) | Err(_) => missing("There is no such peer in that channel."),
    }
}

fn missing(what: &'static str) -> Response {
    (StatusCode::NOT_FOUND, format!("{what}\n")).into_response()
}
