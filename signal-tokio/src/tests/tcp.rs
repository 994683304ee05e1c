//! Connections of TCP, to which other tasks write than their own.

use std::time::Duration;

use signal_core::PeerId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, yield_now},
    time::timeout,
};

use crate::{Admission, Signaling, WebSocket, pen::Pen};

const PATIENCE: Duration = Duration::from_secs(30);
const HELLO: &[u8] = br#"{"type":"hello","version":1}"#;

struct Guest {
    stream: TcpStream,
    task: JoinHandle<()>,
    peer: PeerId,
}

/// One who is welcome, and whose task has nothing to do any more.
async fn guest(signaling: &Signaling) -> Guest {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let socket = WebSocket::over_tcp(accepted, &[], signaling.most_read());
    let task = tokio::spawn(signaling.serve(socket, Admission::default()));
    // With a mask of zeros.
    let head = [0x81, 0x80 | HELLO.len() as u8, 0, 0, 0, 0];
    stream.write_all(&[&head, HELLO].concat()).await.unwrap();
    let idle = async {
        loop {
            if let Some(peer) = idle_peer(signaling) {
                return peer;
            }
            yield_now().await;
        }
    };
    let peer = timeout(PATIENCE, idle).await.expect("its pen is free for others");
    let mut welcome = [0; 1 << 10];
    assert!(stream.read(&mut welcome).await.unwrap() > 0);
    Guest { stream, task, peer }
}

/// A peer to whose socket others may write.
fn idle_peer(signaling: &Signaling) -> Option<PeerId> {
    let state = signaling.shared.lock();
    let (_, link) = state.links.iter().find(|(_, link)| matches!(link.lock().pen, Pen::Free(_)))?;
    Some(link.peer.clone())
}

#[tokio::test]
async fn what_is_sent_to_an_idle_socket_is_written_before_any_task_has_its_turn() {
    let signaling = Signaling::builder().build().unwrap();
    let Guest { mut stream, peer, .. } = guest(&signaling).await;
    signaling.send_to_peer(&peer, &"at once").unwrap();
    let unwritten = |signaling: &Signaling| {
        let state = signaling.shared.lock();
        state.links.iter().map(|(_, link)| link.lock().outbox.unwritten()).sum::<u64>()
    };
    assert_eq!(unwritten(&signaling), 0);
    let expected = br#"{"type":"message","data":"at once"}"#;
    let mut message = vec![0; 2 + expected.len()];
    timeout(PATIENCE, stream.read_exact(&mut message)).await.unwrap().unwrap();
    assert_eq!(message[2..], *expected);
}

#[tokio::test]
async fn a_task_that_is_dropped_closes_its_connection_and_leaves_its_session() {
    let signaling = Signaling::builder().build().unwrap();
    let Guest { mut stream, task, peer } = guest(&signaling).await;
    task.abort();
    let read = timeout(PATIENCE, stream.read(&mut [0])).await.expect("it is closed");
    assert_eq!(read.unwrap(), 0);
    assert_eq!(signaling.peers(), [peer]);
}
