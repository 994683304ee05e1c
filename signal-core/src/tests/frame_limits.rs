//! Each bound of a frame is what it is set to, and its default is what `docs/protocol.md` says.

use crate::{
    ErrorCode,
    codec::{self, FrameLimits},
};

/// A frame with a part of this size, in the unit of the bound.
type Make = fn(usize) -> String;

fn refusal(text: &str, limits: &FrameLimits) -> Option<ErrorCode> {
    codec::decode(text, limits).err().map(|error| error.code)
}

/// Frames that are taken up to the bound, and refused with this code above it.
fn check(default: usize, code: ErrorCode, bounded: fn(usize) -> FrameLimits, frames: &[Make]) {
    for make in frames {
        for (bound, limits) in [(default, FrameLimits::default()), (default / 2, bounded(default / 2))] {
            let (within, beyond) = (make(bound), make(bound + 1));
            assert_eq!(refusal(&within, &limits), None, "{bound}: {within:.100}");
            assert_eq!(refusal(&beyond, &limits), Some(code), "{bound}: {beyond:.100}");
        }
    }
}

/// A JSON string of so many bytes.
fn text(bytes: usize) -> String {
    format!(r#""{}""#, "x".repeat(bytes - 2))
}

/// Text inside of a JSON string.
fn word(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[test]
fn the_whole_message() {
    let bounded = |message| FrameLimits { message, ..FrameLimits::default() };
    let frame =
        |bytes: usize| format!(r#"{{"type":"ping","x":{}}}"#, text(bytes - r#"{"type":"ping","x":}"#.len()));
    check(64 << 10, ErrorCode::TooLarge, bounded, &[frame]);
}

#[test]
fn the_depth_of_nesting() {
    let bounded = |depth| FrameLimits { depth, ..FrameLimits::default() };
    let arrays =
        |depth: usize| format!(r#"{{"type":"ping","x":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    let objects = |depth: usize| {
        let (open, close) = (r#"{"x":"#.repeat(depth - 1), "}".repeat(depth - 1));
        format!(r#"{{"type":"send","channel":"c","data":{open}0{close}}}"#)
    };
    check(16, ErrorCode::BadMessage, bounded, &[arrays, objects]);
}

#[test]
fn the_keys_of_an_object() {
    let bounded = |keys| FrameLimits { keys, ..FrameLimits::default() };
    let outer = |keys: usize| format!(r#"{{{}"type":"ping"}}"#, r#""x":0,"#.repeat(keys - 1));
    let inner = |keys: usize| {
        let object = format!("{{{}\"y\":0}}", r#""x":0,"#.repeat(keys - 1));
        format!(r#"{{"type":"send","channel":"c","data":[{object},{object}]}}"#)
    };
    check(64, ErrorCode::BadMessage, bounded, &[outer, inner]);
}

#[test]
fn a_session_description() {
    let bounded = |session_description| FrameLimits { session_description, ..FrameLimits::default() };
    let frame = |bytes: usize| {
        let sdp = text(bytes - r#"{"type":"offer","sdp":}"#.len());
        let description = format!(r#"{{"type":"offer","sdp":{sdp}}}"#);
        format!(r#"{{"type":"relaySessionDescription","peer_id":"p","session_description":{description}}}"#)
    };
    check(32 << 10, ErrorCode::TooLarge, bounded, &[frame]);
}

#[test]
fn a_candidate() {
    let bounded = |ice_candidate| FrameLimits { ice_candidate, ..FrameLimits::default() };
    let frame = |bytes: usize| {
        let candidate = format!(r#"{{"candidate":{}}}"#, text(bytes - r#"{"candidate":}"#.len()));
        format!(r#"{{"type":"relayICECandidate","peer_id":"p","ice_candidate":{candidate}}}"#)
    };
    check(2 << 10, ErrorCode::TooLarge, bounded, &[frame]);
}

#[test]
fn userdata() {
    let bounded = |userdata| FrameLimits { userdata, ..FrameLimits::default() };
    let frames: [Make; 3] = [
        |bytes| format!(r#"{{"type":"join","channel":"c","userdata":{}}}"#, text(bytes)),
        |bytes| format!(r#"{{"type":"setUserdata","channel":"c","userdata":{}}}"#, text(bytes)),
        |bytes| format!(r#"{{"type":"match","pool":"p","userdata":{}}}"#, text(bytes)),
    ];
    check(1 << 10, ErrorCode::TooLarge, bounded, &frames);
}

#[test]
fn tokens() {
    let bounded = |token| FrameLimits { token, ..FrameLimits::default() };
    let frames: [Make; 4] = [
        |bytes| format!(r#"{{"type":"hello","version":1,"token":"{}"}}"#, word(bytes)),
        |bytes| format!(r#"{{"type":"hello","version":1,"replaces":"{}"}}"#, word(bytes)),
        |bytes| {
            format!(r#"{{"type":"hello","version":1,"resume":{{"token":"{}","received":0}}}}"#, word(bytes))
        },
        |bytes| format!(r#"{{"type":"join","channel":"c","seat":"{}"}}"#, word(bytes)),
    ];
    check(4 << 10, ErrorCode::BadMessage, bounded, &frames);
}
