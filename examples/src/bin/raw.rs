//! Rooms over a raw WebSocket, without a web framework: see the module `examples::raw`.

use std::process::ExitCode;

use examples::raw;

#[tokio::main]
async fn main() -> ExitCode {
    examples::start(raw::SYSTEM.name, raw::SYSTEM.about, raw::serve).await
}
