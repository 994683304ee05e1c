//! How large the task of a socket is.

use std::{future, io};

use crate::{Admission, Outgoing, Received, Signaling, Socket};

/// One that nothing comes from.
struct Silent;

impl Socket for Silent {
    type Text = String;

    async fn receive(&mut self) -> Received<String> {
        future::pending().await
    }

    async fn feed(&mut self, _: Outgoing) -> io::Result<()> {
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// It was 7 KB when messages were handed from future to future, more than all the rest that an idle socket costs.
#[tokio::test]
async fn the_task_of_a_socket_is_small() {
    let signaling = Signaling::builder().build().unwrap();
    let size = size_of_val(&signaling.serve(Silent, Admission::default()));
    assert!(size <= 1_600, "{size} bytes");
}
