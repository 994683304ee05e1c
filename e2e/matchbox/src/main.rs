//! Published clients of matchbox connect to this server, and to each other by WebRTC. Ends with an error if one of them does
//! not hear from all whom it shall hear, once each.

use std::{collections::BTreeMap, error::Error, future::pending, time::Duration};

use async_trait::async_trait;
use axum::{Router, http::request::Parts};
use matchbox_socket::{PeerId, PeerState, RtcIceServerConfig, WebRtcSocket, WebRtcSocketBuilder};
use signal_axum::{Admission, Policy, Refusal, Signaling};
use signal_compat::Matchbox;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The clients have nothing to wait for: they want to be asked.
const POLL: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let signaling = Signaling::builder().policy(Guests).build()?;
    let app = Router::new()
        .nest_service("/mesh", Matchbox::new(&signaling).router())
        .nest_service("/star", Matchbox::new(&signaling).client_server().router());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    tokio::spawn(signal_axum::serve(listener, app, pending()));

    meet("two in a room", &format!("{url}/mesh/two"), &[1; 2]).await;
    meet("eight in a room", &format!("{url}/mesh/eight"), &[7; 8]).await;
    meet("six in pairs", &format!("{url}/mesh/pairs?next=2"), &[1; 6]).await;
    meet("six in threes", &format!("{url}/mesh/threes?next=3"), &[2; 6]).await;
    meet("a host and three clients", &format!("{url}/star/game"), &[3, 1, 1, 1]).await;
    Ok(())
}

struct Guests;

#[async_trait]
impl Policy for Guests {
    async fn guest(&self, _: &str, _: &Parts) -> Result<Admission, Refusal> {
        Ok(Admission::default())
    }
}

/// For each number a client asks for the room, one after the other, and meets so many.
async fn meet(what: &str, url: &str, others: &[usize]) {
    let mut clients = Vec::new();
    for others in others {
        clients.push(tokio::spawn(client(url.to_owned(), *others)));
        // The first is the host of a star.
        sleep(5 * POLL).await;
    }
    let mut heard = BTreeMap::new();
    for client in clients {
        let (id, from) = client.await.expect("a client has failed");
        heard.insert(id, from);
    }
    for (id, from) in &heard {
        assert!(
            from.iter().all(|other| heard[other].contains(id)),
            "{what}: both sides of a pair hear each other"
        );
    }
    println!("{what}: ok");
}

/// Its id, and from whom it has heard.
async fn client(url: String, others: usize) -> (PeerId, Vec<PeerId>) {
    let no_servers = RtcIceServerConfig { urls: Vec::new(), ..RtcIceServerConfig::default() };
    let builder = WebRtcSocketBuilder::new(url).ice_server(no_servers).add_reliable_channel();
    let (mut socket, run) = builder.build();
    let run = tokio::spawn(run);
    let start = Instant::now();
    let (mut greeted, mut heard) = (0, Vec::new());
    while heard.len() < others || greeted < others {
        assert!(start.elapsed() < PATIENCE, "after {PATIENCE:?}: {greeted} connected, heard of {heard:?}");
        for (peer, state) in socket.update_peers() {
            assert_eq!(state, PeerState::Connected, "{peer}");
            greeted += 1;
            socket.channel_mut(0).send(b"hello".as_slice().into(), peer);
        }
        heard.extend(received(&mut socket));
        sleep(POLL).await;
    }
    // Those who are late still need it; then nothing more must have come.
    sleep(10 * POLL).await;
    heard.extend(received(&mut socket));
    assert_eq!(heard.len(), others, "each is heard once");
    let id = socket.id().expect("it has been told");
    // Whoever leaves at once takes its last words along.
    sleep(25 * POLL).await;
    run.abort();
    (id, heard)
}

fn received(socket: &mut WebRtcSocket) -> Vec<PeerId> {
    let packets = socket.channel_mut(0).receive();
    packets
        .into_iter()
        .map(|(peer, packet)| {
            assert_eq!(&*packet, b"hello");
            peer
        })
        .collect()
}
