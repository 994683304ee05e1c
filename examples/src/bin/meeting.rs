//! A meeting room, alone at `/`: see the module `examples::meeting`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(&[examples::meeting::SYSTEM]).await
}
