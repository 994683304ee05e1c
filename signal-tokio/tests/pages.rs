//! Lists of what a server has are cut into pages, so that it is not held up while somebody looks.

mod memory;

use memory::Client;
use signal_tokio::{Admission, Signaling};

const HELLO: &str = r#"{"type":"hello","version":1}"#;

/// More than are looked at for one page.
const SESSIONS: usize = 10_500;

#[tokio::test]
async fn a_page_has_an_end_whatever_is_asked_for() {
    let signaling = Signaling::builder().build().expect("it can work");
    let mut clients = Vec::new();
    for number in 0..SESSIONS {
        let client = Client::default();
        tokio::spawn(signaling.serve(client.socket(), Admission::default()));
        client.say(HELLO);
        client.hear().await;
        // Before the others come, each is in a channel of its own.
        client.say(format!(r#"{{"type":"join","channel":"{number}"}}"#).leak());
        client.hear().await;
        clients.push(client);
    }
    let peers = signaling.peer_page(0, usize::MAX);
    assert_eq!((peers.peers.len(), peers.next), (1_000, Some(1_000)));
    let channels = signaling.channel_page(0, usize::MAX);
    assert_eq!((channels.channels.len(), channels.next), (1_000, Some(1_000)));
    // Places that are free are looked at, too, and a page may be empty.
    let (last, others) =
        signaling.peers().split_last().map(|(last, others)| (last.clone(), others.to_vec())).expect("many");
    others.iter().for_each(|peer| assert!(signaling.kick(peer)));
    let peers = signaling.peer_page(0, 10);
    assert_eq!((peers.peers.len(), peers.next), (0, Some(10_000)));
    assert_eq!(signaling.peer_page(10_000, 10).peers[0].peer, last);
    let channels = signaling.channel_page(0, 10);
    assert_eq!((channels.channels.len(), channels.next), (0, Some(10_000)));
    assert_eq!(signaling.channel_page(10_000, 10).channels.len(), 1);
}
