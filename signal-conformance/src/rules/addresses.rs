//! How many sockets may come from one address, and to one server.

use signal_tokio::{Builder, SocketLimits};
use tokio_tungstenite::tungstenite::{Error, http::HeaderMap};

use crate::{Adapter, client::Client, policy::ByName, server::Server, wire::Wire};

rules! { ($) addresses:
    one_socket_too_many_from_an_address_is_answered_with_429,
    the_place_of_a_socket_is_free_again_when_it_is_closed,
    the_place_of_a_socket_is_free_again_when_it_is_lost,
    the_place_of_a_client_that_is_refused_is_free_again,
    too_many_new_sockets_from_an_address_are_answered_with_429,
    one_socket_too_many_for_the_server_is_answered_with_503,
    the_loopback_interface_is_exempt_unless_configured,
    a_client_cannot_forge_its_address,
    a_trusted_proxy_tells_the_address,
}

/// As many sockets as `places` from one address, that of the loopback interface included.
fn bounded(places: usize) -> impl FnOnce(Builder<ByName>) -> Builder<ByName> {
    let limits = SocketLimits { per_address: places, loopback: true, ..SocketLimits::default() };
    |builder| builder.socket_limits(limits)
}

/// A socket, or the status and headers of the refusal.
async fn knock(server: &Server, headers: &[(&'static str, &str)]) -> Result<Client, (u16, HeaderMap)> {
    match server.upgrade(Wire::new(server.connect().await), headers).await {
        Ok((client, _)) => Ok(client),
        Err(Error::Http(response)) => Err((response.status().as_u16(), response.headers().clone())),
        Err(error) => panic!("{error}"),
    }
}

async fn status(server: &Server, headers: &[(&'static str, &str)]) -> u16 {
    knock(server, headers).await.map_or_else(|(status, _)| status, |_| 101)
}

/// Waits until the server has noticed that a place is free.
async fn knock_until_let_in(server: &Server) -> Client {
    loop {
        match knock(server, &[]).await {
            Ok(client) => return client,
            Err((status, _)) => assert_eq!(status, 429),
        }
    }
}

async fn one_socket_too_many_from_an_address_is_answered_with_429(adapter: Adapter) {
    let server = adapter.start_with(bounded(2)).await;
    let (_one, mut two) = (server.client().await, server.client().await);
    let (status, headers) = knock(&server, &[]).await.err().unwrap();
    assert_eq!(status, 429);
    let seconds: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    // Those who are there do not notice.
    two.say(r#"{"type":"ping"}"#).await;
    assert_eq!(two.hear_text().await, r#"{"type":"pong"}"#);
}

async fn the_place_of_a_socket_is_free_again_when_it_is_closed(adapter: Adapter) {
    let server = adapter.start_with(bounded(1)).await;
    for _ in 0..3 {
        let mut client = knock_until_let_in(&server).await;
        client.say(r#"{"type":"hello","version":1}"#).await;
        client.read_welcome().await;
        assert_eq!(status(&server, &[]).await, 429);
        client.bye().await;
    }
}

async fn the_place_of_a_socket_is_free_again_when_it_is_lost(adapter: Adapter) {
    let server = adapter.start_with(bounded(1)).await;
    for _ in 0..3 {
        // Also before it has said anything.
        drop(knock_until_let_in(&server).await);
    }
}

async fn the_place_of_a_client_that_is_refused_is_free_again(adapter: Adapter) {
    let server = adapter.start_with(bounded(1)).await;
    for _ in 0..3 {
        assert_eq!(status(&server, &[("x-ask", "refused")]).await, 403);
    }
    knock_until_let_in(&server).await;
}

async fn too_many_new_sockets_from_an_address_are_answered_with_429(adapter: Adapter) {
    let rate = SocketLimits { new_per_second: 1, burst: 3, loopback: true, ..SocketLimits::default() };
    let server = adapter.start_with(|builder| builder.socket_limits(rate)).await;
    for _ in 0..3 {
        assert_eq!(status(&server, &[]).await, 101);
    }
    let (status, headers) = knock(&server, &[]).await.err().unwrap();
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (429, "1"));
}

async fn one_socket_too_many_for_the_server_is_answered_with_503(adapter: Adapter) {
    let full = SocketLimits { all: 2, ..SocketLimits::default() };
    let server = adapter.start_with(|builder| builder.socket_limits(full)).await;
    let (_one, _two) = (server.client().await, server.client().await);
    assert_eq!(status(&server, &[]).await, 503);
}

async fn the_loopback_interface_is_exempt_unless_configured(adapter: Adapter) {
    let exempt = SocketLimits { per_address: 1, burst: 1, ..SocketLimits::default() };
    let server = adapter.start_with(|builder| builder.socket_limits(exempt)).await;
    let (_one, _two) = (server.client().await, server.client().await);
}

async fn a_client_cannot_forge_its_address(adapter: Adapter) {
    let server = adapter.start_with(bounded(1)).await;
    let _one = knock(&server, &[("x-forwarded-for", "192.0.2.1")]).await.unwrap();
    for forged in ["192.0.2.2", "127.0.0.1", "192.0.2.2, 127.0.0.1"] {
        assert_eq!(status(&server, &[("x-forwarded-for", forged)]).await, 429, "{forged}");
    }
}

async fn a_trusted_proxy_tells_the_address(adapter: Adapter) {
    let trusted = ["127.0.0.1/32", "10.0.0.0/8"].map(|network| network.parse().unwrap());
    let server = adapter.start_with(|builder| bounded(1)(builder).trusted_proxies(trusted)).await;
    let _one = knock(&server, &[("x-forwarded-for", "192.0.2.1")]).await.unwrap();
    // What the client itself has written stands before what the proxies have added.
    for forged in ["192.0.2.2, 192.0.2.1", "192.0.2.2, 192.0.2.1, 10.0.0.7", "::ffff:192.0.2.1"] {
        assert_eq!(status(&server, &[("x-forwarded-for", forged)]).await, 429, "{forged}");
    }
    let two = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2")];
    let _two = knock(&server, &two).await.unwrap();
    assert_eq!(status(&server, &two[1..]).await, 429);
    // One IPv6 network, and the next one.
    let _three = knock(&server, &[("x-forwarded-for", "2001:db8::1")]).await.unwrap();
    assert_eq!(status(&server, &[("x-forwarded-for", "2001:db8::ffff:1")]).await, 429);
    let _four = knock(&server, &[("x-forwarded-for", "2001:db8:0:1::1")]).await.unwrap();
}
