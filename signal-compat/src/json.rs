//! JSON text out of values, and back.

use serde::Serialize;
use signal_axum::Texts;

/// The text of a value.
pub(crate) fn text(value: impl Serialize) -> String {
    serde_json::to_string(&value).expect(HAS_A_FORM)
}

/// Tells a client a value.
pub(crate) fn say(texts: &mut Texts<'_>, value: impl Serialize) {
    texts.text(|text| append(text, value));
}

/// Appends the text of a value.
pub(crate) fn append(text: &mut Vec<u8>, value: impl Serialize) {
    serde_json::to_writer(text, &value).expect(HAS_A_FORM);
}

/// No value here has keys that are no text, or anything else that JSON does not have.
const HAS_A_FORM: &str = "it has a JSON form";
