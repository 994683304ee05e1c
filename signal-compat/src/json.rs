//! JSON text out of values, and back.

use serde::Serialize;
use signal_axum::Texts;

/// The text of a value.
pub(crate) fn text(value: impl Serialize) -> String {
    // It has neither keys that are no text nor anything else that JSON does not have.
    serde_json::to_string(&value).expect("it has a JSON form")
}

/// Tells a client a value.
pub(crate) fn say(texts: &mut Texts<'_>, value: impl Serialize) {
    texts.text(|text| serde_json::to_writer(text, &value).expect("it has a JSON form"));
}
