//! The port for whoever looks after a demo server, with a framework and without.

mod server;

use server::{Outcome, Server, get};

const TOKEN: &str = "not-easy-to-guess";
const SHOWN: &str = "authorization: Bearer not-easy-to-guess\r\n";

/// What holds for each server. `names` are those of its systems.
fn watch(binary: &str, names: &[&str]) -> Outcome {
    let mut server =
        Server::start(binary, &["--admin-listen", "127.0.0.1:0"], &[("SIGNAL_ADMIN_TOKEN", TOKEN)])?;
    let address = server.address("listening on http://")?;
    let admin = server.address("admin on http://")?;
    for path in ["/healthz", "/readyz"] {
        let answer = get(&address, path, "")?;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok\n"), "{answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
    let metrics = get(&admin, "/metrics", "")?;
    assert!(metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    for (place, name) in names.iter().enumerate() {
        let line = format!("\nsignal_sessions{{server=\"{name}\",state=\"attached\"}} 0\n");
        assert!(metrics.contains(&line), "{metrics}");
        let path = if place == 0 { "/admin/peers".to_owned() } else { format!("/{name}/admin/peers") };
        assert!(get(&admin, &path, "")?.starts_with("HTTP/1.1 401 "), "{path}");
        assert!(get(&admin, &path, SHOWN)?.ends_with(r#"{"peers":[],"next":null}"#), "{path}");
    }
    // Nothing of it is on the port that everybody reaches.
    for path in ["/metrics", "/admin/peers"] {
        assert!(get(&address, path, SHOWN)?.starts_with("HTTP/1.1 404 "), "{path}");
    }
    server.stop()
}

#[test]
fn all_systems_are_watched_on_one_port() -> Outcome {
    watch(env!("CARGO_BIN_EXE_demo-server"), &["group", "meeting", "two", "strangers", "star", "raw"])
}

#[test]
fn a_server_without_a_framework_is_watched_in_the_same_way() -> Outcome {
    watch(env!("CARGO_BIN_EXE_raw"), &["raw"])
}

#[test]
fn without_a_token_there_are_metrics_and_a_sentence_how_to_get_more() -> Outcome {
    let mut server = Server::start(env!("CARGO_BIN_EXE_two"), &["--admin-listen", "127.0.0.1:0"], &[])?;
    server.address("listening on http://")?;
    let admin = server.address("admin on http://")?;
    assert!(get(&admin, "/metrics", "")?.starts_with("HTTP/1.1 200 "));
    let refused = get(&admin, "/admin/peers", SHOWN)?;
    assert!(refused.starts_with("HTTP/1.1 403 ") && refused.contains("No admin token is set"), "{refused}");
    Ok(())
}

#[test]
fn a_token_that_can_be_guessed_is_an_error_at_the_start() -> Outcome {
    let mut server = Server::start(
        env!("CARGO_BIN_EXE_two"),
        &["--admin-listen", "127.0.0.1:0"],
        &[("SIGNAL_ADMIN_TOKEN", "short")],
    )?;
    assert!(server.address("listening on http://").is_err());
    assert!(!server.child.wait()?.success());
    Ok(())
}
