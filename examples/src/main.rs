//! The demo server: every system in one process. `/` is the group call, with a list of the others under it.

use std::process::ExitCode;

use examples::{group, meeting, raw, star, strangers, two};

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(&[
        group::SYSTEM,
        meeting::SYSTEM,
        two::SYSTEM,
        strangers::SYSTEM,
        star::SYSTEM,
        raw::SYSTEM,
    ])
    .await
}
