//! Puts the JS client into the crate, so that a server needs no files beside it.

use std::{
    collections::BTreeSet,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let client = package.join("../js-client");
    println!("cargo::rerun-if-changed={}", client.join("client.js").display());
    println!("cargo::rerun-if-changed={}", client.join("client").display());

    let mut modules = BTreeSet::from([PathBuf::from("client.js")]);
    for module in fs::read_dir(client.join("client"))? {
        modules.insert(Path::new("client").join(module?.file_name()));
    }
    let table: String = modules.iter().map(|module| row(&client, module)).collect::<io::Result<_>>()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("modules.rs"), format!("&[{table}]"))
}

/// `("/client/mesh.js", "\"5f2c...\"", include_str!("..."))`
fn row(client: &Path, module: &Path) -> io::Result<String> {
    let file = client.join(module).canonicalize()?;
    let mut hasher = DefaultHasher::new();
    fs::read(&file)?.hash(&mut hasher);
    let entity_tag = format!("\"{:016x}\"", hasher.finish());
    Ok(format!("(\"/{}\", {entity_tag:?}, include_str!({file:?})),", module.display()))
}
