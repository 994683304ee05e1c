//! How large the task of a socket is.

use std::{
    io,
    ops::ControlFlow,
    task::{Context, Poll},
};

use crate::{Admission, Outgoing, Received, Signaling, Socket};

/// One that nothing comes from.
struct Silent;

impl Socket for Silent {
    fn poll_receive(
        &mut self,
        _: &mut Context<'_>,
        _: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        Poll::Pending
    }

    fn poll_send(
        &mut self,
        _: &mut Context<'_>,
        _: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// It was 7 KB when messages were handed from future to future, more than all the rest that an idle socket costs.
#[tokio::test]
async fn the_task_of_a_socket_is_small() {
    let signaling = Signaling::builder().build().unwrap();
    let size = size_of_val(&signaling.serve(Silent, Admission::default()));
    assert!(size <= 1_600, "{size} bytes");
}
