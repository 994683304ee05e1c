//! A socket without a network: what the driver needs of a WebSocket, in memory.

// Each test uses some of it.
#![allow(dead_code)]

use std::{
    collections::VecDeque,
    future::poll_fn,
    io, mem,
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use signal_tokio::{CloseReason, Frame, Outgoing, Received, Socket};

const PATIENCE: Duration = Duration::from_secs(30);

/// The client's end.
#[derive(Clone, Default)]
pub(crate) struct Client(Arc<Mutex<Line>>);

/// The server's end.
pub(crate) struct MemorySocket(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    /// From the client. Texts live for ever, so that sending one allocates nothing.
    said: VecDeque<&'static str>,
    /// To the client.
    heard: VecDeque<Frame>,
    closed: Option<CloseReason>,
    hung_up: bool,
    gone_away: bool,
    server: Option<Waker>,
    /// Whether nothing more goes into the write buffer, and who waits for that to end.
    is_full: bool,
    writer: Option<Waker>,
    /// What the server could not write meanwhile.
    in_hand: Option<Outgoing>,
}

impl Client {
    /// A client with room for so many frames on their way.
    pub(crate) fn with_capacity(frames: usize) -> Self {
        let client = Self::default();
        client.line().said.reserve(frames);
        client.line().heard.reserve(frames);
        client
    }

    pub(crate) fn socket(&self) -> MemorySocket {
        MemorySocket(Arc::clone(&self.0))
    }

    pub(crate) fn say(&self, text: &'static str) {
        self.line().said.push_back(text);
        self.wake_server();
    }

    pub(crate) fn hang_up(&self) {
        self.line().hung_up = true;
        self.wake_server();
    }

    /// Closes the socket as a browser does that drops the page.
    pub(crate) fn go_away(&self) {
        self.line().gone_away = true;
        self.wake_server();
    }

    /// Lets the server wait before it writes anything more.
    pub(crate) fn stop_taking(&self) {
        self.line().is_full = true;
    }

    pub(crate) fn take_again(&self) {
        let mut line = self.line();
        line.is_full = false;
        let writer = line.writer.take();
        drop(line);
        writer.into_iter().for_each(Waker::wake);
    }

    /// Waits until the server has something to write and cannot.
    pub(crate) async fn keeps_the_server_waiting(&self) {
        self.wait_for(|line| line.writer.is_some().then_some(())).await;
    }

    /// The next frame, once the tasks of the server have had their turn.
    pub(crate) async fn hear(&self) -> Frame {
        self.wait_for(|line| line.heard.pop_front()).await
    }

    pub(crate) async fn hear_text(&self) -> String {
        String::from_utf8(self.hear().await.as_ref().to_vec()).expect("frames are text")
    }

    /// Waits until the server has read all that was said.
    pub(crate) async fn has_been_read(&self) {
        self.wait_for(|line| (line.server.is_some() && line.said.is_empty()).then_some(())).await;
    }

    pub(crate) async fn hear_close(&self) -> CloseReason {
        self.wait_for(|line| line.closed).await
    }

    async fn wait_for<T>(&self, mut look: impl FnMut(&mut Line) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(&mut self.line()) {
                return found;
            }
            assert!(Instant::now() < end, "what is waited for never comes");
            turn().await;
        }
    }

    fn wake_server(&self) {
        let waker = self.line().server.take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().expect("no test panics with it")
    }
}

/// Lets the tasks of the server have their turn. (tokio's own way allocates.)
async fn turn() {
    let mut is_over = false;
    poll_fn(|context| {
        if mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Socket for MemorySocket {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        let mut line = self.0.lock().expect("no test panics with it");
        let received = match line.said.pop_front() {
            Some(text) => Received::Text(text),
            None if mem::take(&mut line.gone_away) => {
                line.hung_up = true;
                Received::GoneAway
            }
            None if line.hung_up || line.closed.is_some() => Received::Closed,
            None => {
                line.server = Some(context.waker().clone());
                return Poll::Pending;
            }
        };
        drop(line);
        let _ = take(received);
        Poll::Ready(())
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        let mut line = self.0.lock().expect("no test panics with it");
        if line.in_hand.is_none() {
            line.in_hand = next();
        }
        while let Some(outgoing) = line.in_hand.take() {
            if line.is_full {
                line.in_hand = Some(outgoing);
                line.writer = Some(context.waker().clone());
                return Poll::Pending;
            }
            match outgoing {
                Outgoing::Message(frame) | Outgoing::Rest(frame, _) => line.heard.push_back(frame),
                Outgoing::Ping => {}
                Outgoing::Close(reason) => line.closed = Some(reason),
            }
            line.in_hand = next();
        }
        line.writer = None;
        Poll::Ready(Ok(()))
    }
}
