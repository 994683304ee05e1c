//! Group chat with channels, alone at `/`: see the module `examples::group`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(&[examples::group::SYSTEM]).await
}
