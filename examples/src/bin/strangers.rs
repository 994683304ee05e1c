//! Strangers, alone at `/`: see the module `examples::strangers`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(&[examples::strangers::SYSTEM]).await
}
