//! The test vectors of the protocol, which the JS tests read too.

use std::{fs, path::Path};

use serde_json::Value;

/// One frame of `docs/vectors`.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) text: String,
    /// The code of the `error` that answers it.
    pub(crate) error: Option<String>,
    /// The `id` of that.
    pub(crate) id: Option<Value>,
}

/// The vectors of one file.
pub(crate) fn read(file: &str) -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/vectors").join(file);
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let vectors: Vec<_> = vectors.iter().map(Vector::new).collect();
    assert!(vectors.len() > 10, "{file} has hardly any vectors");
    vectors
}

impl Vector {
    fn new(vector: &Value) -> Self {
        let name = text(&vector["name"]);
        let text = match vector["parts"].as_array() {
            Some(parts) => parts.iter().map(|part| text(&part[0]).repeat(number(&part[1]))).collect(),
            None => text(&vector["text"]),
        };
        let error = vector["error"].as_str().map(str::to_owned);
        Self { name, text, error, id: vector.get("id").cloned() }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| number.try_into().ok()).expect("a number")
}
