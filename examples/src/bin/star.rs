//! A broadcast in the shape of a star, alone at `/`: see the module `examples::star`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(&[examples::star::SYSTEM]).await
}
