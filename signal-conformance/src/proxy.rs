//! A proxy before the server, which cuts connections at planned bytes, in all the ways in which networks do.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::oneshot,
    task::JoinSet,
};

use crate::{
    cut::{Cut, Kind, Way},
    wire::Wire,
};

/// The proxy of one client.
pub(crate) struct Proxy {
    server: SocketAddr,
    listener: TcpListener,
    /// One for each connection to come. The connections after those are not cut.
    cuts: VecDeque<Cut>,
    done: Arc<Mutex<Vec<Cut>>>,
    /// Lets what the last connection holds back arrive, after so many bytes of the next.
    last: Option<(usize, oneshot::Sender<()>)>,
    connections: JoinSet<()>,
}

/// A connection that is cut.
struct Connection {
    /// The client's end and the server's.
    near: TcpStream,
    far: TcpStream,
    cut: Option<Cut>,
    done: Arc<Mutex<Vec<Cut>>>,
    last: Option<(usize, oneshot::Sender<()>)>,
    /// When what it holds back arrives.
    next: oneshot::Receiver<()>,
}

impl Proxy {
    /// Cuts that have been made are put into `done`.
    pub(crate) async fn new(server: SocketAddr, cuts: VecDeque<Cut>, done: Arc<Mutex<Vec<Cut>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { server, listener, cuts, done, last: None, connections: JoinSet::new() }
    }

    pub(crate) async fn connect(&mut self) -> Wire {
        while let Some(over) = self.connections.try_join_next() {
            over.unwrap();
        }
        let proxy = self.listener.local_addr().unwrap();
        let connected = tokio::try_join!(
            TcpStream::connect(proxy),
            self.listener.accept(),
            TcpStream::connect(self.server)
        );
        let (client, (near, _), far) = connected.unwrap();
        for stream in [&client, &near, &far] {
            stream.set_nodelay(true).unwrap();
        }
        let (cut, done) = (self.cuts.pop_front(), Arc::clone(&self.done));
        let (release, next) = oneshot::channel();
        let after = cut.as_ref().map_or(0, |cut| cut.late);
        let last = self.last.replace((after, release));
        self.connections.spawn(Connection { near, far, cut, done, last, next }.carry());
        Wire::new(client)
    }
}

impl Connection {
    async fn carry(mut self) {
        let (from_client, to_client) = self.near.split();
        let (from_server, to_server) = self.far.split();
        let cut = |way| self.cut.clone().filter(|cut| cut.way == way);
        let up = pass(from_client, to_server, cut(Way::Up), &self.done, self.last.take());
        let down = pass(from_server, to_client, cut(Way::Down), &self.done, None);
        let Err((kind, mut held)) = tokio::try_join!(up, down) else { return };
        match kind {
            Kind::Close | Kind::HalfClose => {}
            Kind::Reset => {
                self.near.set_zero_linger().unwrap();
                self.far.set_zero_linger().unwrap();
            }
            Kind::Freeze | Kind::Late => {
                let mut buffer = [0; 64 << 10];
                while let Ok(read @ 1..) = self.near.try_read(&mut buffer) {
                    held.extend(&buffer[..read]);
                }
                // The client gives it up. The server does not hear of that.
                self.near.set_zero_linger().unwrap();
                drop(self.near);
                if kind == Kind::Late {
                    // It is also time when the next connection has ended.
                    let _ = self.next.await;
                    // The server may have closed it already.
                    let _ = self.far.write_all(&held).await;
                }
                let _ = io::copy(&mut self.far, &mut io::sink()).await;
            }
        }
    }
}

/// Passes on what comes from one side until that ends, or is cut in one direction only. A cut of the whole connection is
/// an error, with what comes after it.
async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut cut: Option<Cut>,
    done: &Mutex<Vec<Cut>>,
    mut last: Option<(usize, oneshot::Sender<()>)>,
) -> Result<(), (Kind, Vec<u8>)> {
    let mut buffer = [0; 2 << 10];
    let mut passed = 0;
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let at = cut.as_mut().and_then(|cut| cut.find(&buffer[..read]));
        let (bytes, rest) = buffer[..read].split_at(at.unwrap_or(read));
        if to.write_all(bytes).await.is_err() {
            break;
        }
        passed += bytes.len();
        last.take_if(|(after, _)| *after < passed);
        if at.is_some() {
            let cut = cut.take().expect("it was found");
            let kind = cut.kind;
            done.lock().unwrap().push(cut);
            if kind == Kind::HalfClose {
                break;
            }
            return Err((kind, rest.to_vec()));
        }
    }
    // The other side may have gone first.
    let _ = to.shutdown().await;
    Ok(())
}
