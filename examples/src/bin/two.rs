//! A room for two, alone at `/`: see the module `examples::two`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(&[examples::two::SYSTEM]).await
}
