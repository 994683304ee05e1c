//! The codec takes for JSON what another parser does.

use proptest::prelude::*;
use serde_json::Value;

use crate::codec::{self, FrameLimits};

/// Of JSON, and of what only looks like it.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\t",
    "\u{b}",
    "\u{0}",
    "\"",
    "\"\"",
    r#""a":"#,
    r#""a""#,
    "\\",
    r#"\""#,
    r"\n",
    r"\u00e9",
    r"\u00eg",
    r"\u12",
    r"\ud83d",
    r"\ude00",
    r"\ud83d\ude00",
    r"\ud83d\u0041",
    "ü",
    "😀",
    "0",
    "00",
    "-",
    "-0",
    "12",
    ".",
    "1.5",
    "1.",
    ".5",
    "e",
    "1e5",
    "1E-7",
    "1e+",
    "true",
    "false",
    "null",
    "nul",
    "True",
    "longer than eight bytes",
    "seven b",
    "eight by",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(ToOwned::to_owned),
        1 => any::<char>().prop_map(String::from),
        2 => value(),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c\"\\\\]{0,9}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    (value, any::<bool>()).prop_map(
        |(value, is_spread)| {
            if is_spread { format!("{value:#}") } else { value.to_string() }
        },
    )
}

proptest! {
    #[test]
    fn what_is_json_is_read_and_handed_on_as_it_came(pieces in prop::collection::vec(piece(), 0..12)) {
        let json = pieces.concat();
        let frame = format!(r#"{{"type":"send","channel":"c","data":{json}}}"#);
        let read = codec::decode(&frame, &FrameLimits::default());
        match serde_json::from_str::<Value>(&frame) {
            Ok(Value::Object(object)) if object.len() == 3 => {
                let written = read.map(|frame| {
                    let mut out = Vec::new();
                    codec::encode_client(&frame, &mut out);
                    String::from_utf8(out).unwrap()
                });
                let json = json.trim_matches([' ', '\t', '\n', '\r']);
                prop_assert_eq!(written, Ok(format!(r#"{{"type":"send","channel":"c","data":{json}}}"#)));
            }
            // The pieces have closed the object, or there is another key.
            Ok(_) => {}
            // Such a number is relayed as it is.
            Err(error) if error.to_string().starts_with("number out of range") => {}
            Err(_) => prop_assert!(read.is_err()),
        }
    }

    #[test]
    fn what_begins_as_json_and_does_not_end_is_refused(json in value(), end in any::<prop::sample::Index>()) {
        let frame = format!(r#"{{"type":"send","channel":"c","data":{json}}}"#);
        let end = (0..end.index(frame.len())).rev().find(|end| frame.is_char_boundary(*end)).unwrap_or(0);
        prop_assert!(codec::decode(&frame[..end], &FrameLimits::default()).is_err());
    }
}
