//! Where a client comes from, as the demo servers see it: with a framework and without, behind a proxy and not.

mod server;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use server::{Outcome, Server};

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-forwarded-for: 192.0.2.7";

/// The first frame of a client, with a mask of zeros.
const HELLO: &[u8] = b"\x81\x9c\0\0\0\0{\"type\":\"hello\",\"version\":1}";

/// A client says that it comes from elsewhere. The log must tell that it is this address.
fn seen(binary: &str, arguments: &[&str], expected: &str) -> Outcome {
    let mut server = Server::start(binary, arguments, &[("RUST_LOG", "signal_tokio=debug")])?;
    let address = server.address("listening on http://")?;
    let mut socket = TcpStream::connect(&address)?;
    write!(socket, "GET /signal HTTP/1.1\r\nhost: {address}\r\n{UPGRADE}\r\n\r\n")?;
    socket.write_all(HELLO)?;
    let mut answer = Vec::new();
    while !answer.windows(9).any(|part| part == b"heartbeat") {
        let mut part = [0; 256];
        let read = socket.read(&mut part)?;
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend(&part[..read]);
    }
    server.child.kill()?;
    let mut log = String::new();
    server.log.read_to_string(&mut log)?;
    let open = log.lines().find(|line| line.contains("a socket is open"));
    assert!(open.is_some_and(|line| line.ends_with(expected)), "{log}");
    Ok(())
}

#[test]
fn a_client_comes_from_the_other_end_of_its_connection() -> Outcome {
    for binary in [env!("CARGO_BIN_EXE_demo-server"), env!("CARGO_BIN_EXE_raw")] {
        seen(binary, &[], "=127.0.0.1")?;
    }
    Ok(())
}

#[test]
fn behind_a_trusted_proxy_it_comes_from_where_that_says() -> Outcome {
    for binary in [env!("CARGO_BIN_EXE_demo-server"), env!("CARGO_BIN_EXE_raw")] {
        seen(binary, &["--trusted-proxy", "192.0.2.0/24"], "=127.0.0.1")?;
        seen(binary, &["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "127.0.0.1"], "=192.0.2.7")?;
    }
    Ok(())
}
