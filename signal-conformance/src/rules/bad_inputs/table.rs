//! What is sent, and what must be answered.
//!
//! Inputs 1 to 4 are no requests for a socket; behind `then` is what becomes of the connection. Inputs 14 and 33, floods,
//! are among the rules `rates`, 41 is a test of the log. Three inputs need several servers, so this table has the part of
//! them that one can be sent. 31: two race for the last seat on one server. 39: names that mean something to a message
//! bus are names like others. 40: a token of an earlier start. 38, poisoned entries of a log that servers share, comes
//! with the crate that shares one.

use super::{Row, frames::*, http::*, messages::*, resumes, scene::On, seats, sockets};
use crate::rules::jwt::{self, Flaw};

/// The number, what it is, `[the kind of server]`, how it is sent, and what is answered.
macro_rules! table {
    ($it:ident: $($number:literal $what:literal [$on:ident]: $play:expr => $answer:literal;)*) => {
        pub(super) const TABLE: &[Row] = &[$(Row {
            number: $number,
            what: $what,
            on: On::$on,
            play: |$it| Box::pin(async move { $play.await }),
            answer: $answer,
        }),*];
    };
}

table! { it:
    1 "a TLS ClientHello"               [Default]: bytes(&it, CLIENT_HELLO) => "HTTP 400, then lost";
    1 "64 KiB without the end of a line" [Default]: bytes(&it, [b'x'; 64 << 10]) => "HTTP 431, then lost";
    1 "the preface of HTTP/2"           [Default]: bytes(&it, HTTP_2) => "lost";
    1 "random bytes"                    [Default]: bytes(&it, random(4 << 10)) => "HTTP 400, then lost";
    1 "a request for a page"            [Default]: request(&it, "GET", &[]) => "HTTP 426, upgrade: websocket, sec-websocket-version: 13";
    2 "a head that never ends"          [Impatient]: trickles(&it) => "lost after 5 s";
    2 "a connection and nothing else"   [Impatient]: stays(&it, "") => "lost after 5 s";
    2 "a head that stops"               [Impatient]: stays(&it, "GET /signal HTTP/1.1\r\nHost: x\r\n") => "lost after 5 s";
    2 "no second request"               [Impatient]: stays_after_an_answer(&it) => "HTTP 426, then lost";
    3 "a head of 8 KiB"                 [Default]: head_of(&it, 8 << 10) => "HTTP 101";
    3 "a head of 8 KiB + 1"             [Default]: head_of(&it, (8 << 10) + 1) => "HTTP 431";
    3 "a head of 64 KiB"                [Default]: head_of(&it, 64 << 10) => "HTTP 431";
    3 "a URI of 64 KiB"                 [Default]: bytes(&it, format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(64 << 10))) => "HTTP 431, then lost";
    3 "100 headers"                     [Default]: headers(&it, 100) => "HTTP 101";
    3 "101 headers"                     [Default]: headers(&it, 101) => "HTTP 431";
    3 "1,000 headers"                   [Default]: headers(&it, 1000) => "HTTP 431";
    3 "a header without a name"         [Default]: bytes(&it, it.request(&[": x"])) => "HTTP 400, then lost";
    4 "no key"                          [Default]: request(&it, "GET", &[CONNECTION, UPGRADE, VERSION]) => "HTTP 400";
    4 "two keys"                        [Default]: request(&it, "GET", &upgrade_with(&[KEY])) => "HTTP 400";
    4 "no version"                      [Default]: request(&it, "GET", &[CONNECTION, UPGRADE, KEY]) => "HTTP 400";
    4 "version 12"                      [Default]: request(&it, "GET", &[CONNECTION, UPGRADE, "Sec-WebSocket-Version: 12", KEY]) => "HTTP 426, upgrade: websocket, sec-websocket-version: 13";
    4 "an upgrade to something else"    [Default]: request(&it, "GET", &[CONNECTION, "Upgrade: h2c", VERSION, KEY]) => "HTTP 426, upgrade: websocket, sec-websocket-version: 13";
    4 "an upgrade to a choice"          [Default]: it.asks(&[CONNECTION, "Upgrade: h2c, websocket", VERSION, KEY]) => "HTTP 101";
    4 "no Upgrade"                      [Default]: request(&it, "GET", &[CONNECTION, VERSION, KEY]) => "HTTP 426, upgrade: websocket, sec-websocket-version: 13";
    4 "no Connection"                   [Default]: request(&it, "GET", &[UPGRADE, VERSION, KEY]) => "HTTP 426, upgrade: websocket, sec-websocket-version: 13";
    4 "another Connection"              [Default]: request(&it, "GET", &["Connection: noupgrade", UPGRADE, VERSION, KEY]) => "HTTP 426, upgrade: websocket, sec-websocket-version: 13";
    4 "HTTP/1.0"                        [Default]: request_in(&it, "GET /signal HTTP/1.0", &upgrade_with(&[])) => "HTTP 426, upgrade: websocket, sec-websocket-version: 13";
    4 "a POST"                          [Default]: request(&it, "POST", &upgrade_with(&[])) => "HTTP 405, allow: GET";
    5 "no origin"                       [Default]: it.asks(&upgrade_with(&[])) => "HTTP 101";
    5 "its own origin"                  [Default]: it.asks(&upgrade_with(&["Origin: http://$host"])) => "HTTP 101";
    5 "a foreign origin"                [Default]: it.asks(&upgrade_with(&["Origin: https://example.org"])) => "HTTP 403";
    5 "the null origin"                 [Default]: it.asks(&upgrade_with(&["Origin: null"])) => "HTTP 403";
    5 "two origins"                     [Default]: it.asks(&upgrade_with(&["Origin: http://$host", "Origin: https://example.org"])) => "HTTP 403";
    6 "no hello"                        [Impatient]: sockets::silent(&it) => "closed 4002 hello_timeout";
    7 "hello twice"                     [Default]: it.says(r#"{"type":"hello","version":1}"#) => "bad_message";
    7 "join before hello"               [Default]: it.begins(&join(r#""room""#)) => "bad_message, closed 4005 protocol";
    7 "hello of another version"        [Default]: it.begins(r#"{"type":"hello","version":2}"#) => "unsupported_version, closed 4006 unsupported_version";
    8 "an expired JWT"                  [Jwt]: it.begins(&jwt::hello_with(Flaw::Expired)) => "unauthorized, closed 4003 unauthorized";
    8 "a JWT of the future"             [Jwt]: it.begins(&jwt::hello_with(Flaw::TooEarly)) => "unauthorized, closed 4003 unauthorized";
    8 "a JWT of another key"            [Jwt]: it.begins(&jwt::hello_with(Flaw::OtherKey)) => "unauthorized, closed 4003 unauthorized";
    8 "a JWT with alg none"             [Jwt]: it.begins(&jwt::hello_with(Flaw::Unsigned)) => "unauthorized, closed 4003 unauthorized";
    8 "a JWT for another room"          [Jwt]: it.says(join(r#""elsewhere""#)) => "unauthorized";
    9 "1,000 wrong resume tokens"       [Default]: resumes::wrong_tokens(&it, 1000) => "1000 fresh sessions";
    10 "the session of somebody else"   [Default]: resumes::of_somebody_else(&it) => "resumed: false, another peer";
    10 "a session whose socket is there" [Default]: resumes::of_a_live_one(&it) => "resumed: true, and the socket before is closed 4001";
    10 "a session twice at once"        [Grace]: resumes::twice_at_once(&it) => "1 of 2 sockets is left";
    11 "a message of 64 KiB + 1"        [Default]: it.says(message_of((64 << 10) + 1)) => "too_large";
    11 "a message of 128 KiB + 1"       [Default]: it.fails(text(message_of((128 << 10) + 1))) => "closed 1009 too_large";
    12 "a frame that claims 2^63"       [Default]: it.fails(CLAIMS_2_63) => "closed 1009 too_large";
    12 "a frame that claims 2^63 - 1"   [Default]: it.fails(CLAIMS_MOST) => "closed 1009 too_large";
    13 "a frame that is not masked"     [Default]: it.fails([FIN | TEXT, 2, b'{', b'}']) => "closed 1002";
    13 "reserved bit 1"                 [Default]: it.fails(masked(FIN | RSV1 | TEXT, "{}")) => "closed 1002";
    13 "reserved bit 2"                 [Default]: it.fails(masked(FIN | RSV2 | TEXT, "{}")) => "closed 1002";
    13 "reserved bit 3"                 [Default]: it.fails(masked(FIN | RSV3 | TEXT, "{}")) => "closed 1002";
    13 "an unknown opcode"              [Default]: it.fails(masked(FIN | 0x3, "")) => "closed 1002";
    13 "an unknown control opcode"      [Default]: it.fails(masked(FIN | 0xb, "")) => "closed 1002";
    13 "a ping in fragments"            [Default]: it.fails(masked(PING, "")) => "closed 1002";
    13 "a ping of 126 bytes"            [Default]: it.fails(masked(FIN | PING, [0; 126])) => "closed 1002";
    13 "the middle of nothing"          [Default]: it.fails(masked(FIN, "")) => "closed 1002";
    13 "a message within a message"     [Default]: it.fails([masked(TEXT, "{"), text("{}")].concat()) => "closed 1002";
    13 "a close frame of one byte"      [Default]: it.fails(masked(FIN | CLOSE, [3])) => "closed 1002";
    13 "a close frame with code 999"    [Default]: it.fails(masked(FIN | CLOSE, [3, 0xe7])) => "closed 1002";
    13 "100,000 empty fragments"        [Default]: empty_fragments(&it, 100_000) => "bad_message";
    15 "no answer to a close frame"     [Default]: sockets::does_not_close(&it) => "closed 4004 kicked";
    15 "a connection closed by half"    [Grace]: sockets::closes_half(&it) => "lost, resumed: true";
    16 "text that is not UTF-8"         [Default]: it.fails(text([0xc3, 0x28])) => "closed 1007";
    16 "a surrogate in UTF-8"           [Default]: it.fails(text([0xed, 0xa0, 0x80])) => "closed 1007";
    16 "a letter that is cut"           [Default]: it.fails(text([b'{', 0xe2, 0x82])) => "closed 1007";
    16 "a name that is not UTF-8"       [Default]: it.fails(text(b"{\"type\":\"join\",\"channel\":\"\xff\"}")) => "closed 1007";
    17 "a binary frame"                 [Default]: it.frames(masked(FIN | BINARY, "{}")) => "bad_message";
    18 "not JSON"                       [Default]: it.says("hello") => "bad_message";
    18 "[]"                             [Default]: it.says("[]") => "bad_message";
    18 "null"                           [Default]: it.says("null") => "bad_message";
    18 "a number"                       [Default]: it.says("42") => "bad_message";
    18 "an empty text"                  [Default]: it.says("") => "bad_message";
    18 "rubbish after the message"      [Default]: it.says(r#"{"type":"ping"}x"#) => "bad_message";
    18 "a byte order mark"              [Default]: it.says("\u{feff}{\"type\":\"ping\"}") => "bad_message";
    19 "depth 17"                       [Default]: it.says(deep(16)) => "bad_message";
    19 "depth 20"                       [Default]: it.says(deep(19)) => "bad_message";
    19 "depth 128"                      [Default]: it.says(deep(127)) => "bad_message";
    19 "depth 32,000"                   [Default]: it.says(deep(31_999)) => "bad_message";
    20 "a key twice"                    [Default]: it.says(r#"{"type":"join","channel":"a","channel":"b"}"#) => "bad_message";
    20 "type twice"                     [Default]: it.says(r#"{"type":"ping","type":"bye"}"#) => "bad_message";
    20 "a key twice, once escaped"      [Default]: it.says(r#"{"type":"ping","typ\u0065":"bye"}"#) => "bad_message";
    21 "half of a surrogate pair"       [Default]: it.says(join(r#""a\ud800""#)) => "bad_message";
    21 "U+0000 in a name"               [Default]: it.says(join(r#""a\u0000""#)) => "bad_message";
    21 "a new line in a name"           [Default]: it.says(join(r#""a\nb""#)) => "bad_message";
    21 "an ANSI escape in a name"       [Default]: it.says(join(r#""\u001b[31m""#)) => "bad_message";
    22 "the channel __proto__"          [Default]: it.says(join(r#""__proto__""#)) => "joined";
    22 "the channel constructor"        [Default]: it.says(join(r#""constructor""#)) => "joined";
    22 "the channel toString"           [Default]: it.says(join(r#""toString""#)) => "joined";
    22 "the peer __proto__"             [Default]: it.says(candidate("__proto__", "null")) => "unknown_peer";
    22 "the type constructor"           [Default]: it.says(r#"{"type":"constructor"}"#) => "unknown_type";
    23 "the number 1e999"               [Default]: it.says(with_id("1e999")) => "bad_message";
    23 "the number -0"                  [Default]: it.says(with_id("-0")) => "bad_message";
    23 "the number 2^53"                [Default]: it.says(with_id("9007199254740992")) => "bad_message";
    23 "the number 2^64"                [Default]: it.says(with_id("18446744073709551616")) => "bad_message";
    23 "such numbers in data"           [Default]: arrives(&it, "[1e999,-0,9007199254740993,18446744073709551616]") => "it arrives";
    24 "an unknown type"                [Default]: it.says(r#"{"type":"dance"}"#) => "unknown_type";
    24 "a missing key"                  [Default]: it.says(r#"{"type":"join"}"#) => "bad_message";
    24 "keys that nobody knows"         [Default]: it.says(r#"{"type":"join","channel":"$room","admin":true,"role":"host"}"#) => "joined";
    25 "a name of 0 bytes"              [Default]: it.says(join(r#""""#)) => "bad_message";
    25 "a name of 128 bytes"            [Default]: it.says(join(quoted(128))) => "joined";
    25 "a name of 129 bytes"            [Default]: it.says(join(quoted(129))) => "bad_message";
    26 "userdata of 1 KiB + 1"          [Default]: it.says(format!(r#"{{"type":"join","channel":"$room","userdata":{}}}"#, quoted((1 << 10) - 1))) => "too_large";
    27 "a description of 32 KiB + 1"    [Default]: it.says(description("nobody", &offer_of((32 << 10) + 1))) => "too_large";
    27 "an SDP that is no text"         [Default]: it.says(description("nobody", r#"{"type":"offer","sdp":{}}"#)) => "bad_message";
    27 "the candidate null"             [Default]: between_two(&it, |peer| candidate(peer, "null")) => "ok; the other hears iceCandidate";
    28 "relays to who is not there"     [Default]: to_who_may_not_be_reached(&it) => "unknown_peer, word for word";
    29 "a forged sender"                [Default]: between_two(&it, |peer| candidate(peer, "null").replacen('{', r#"{"from":"x","sender":"x","#, 1)) => "ok; the other hears iceCandidate";
    30 "a channel joined twice"         [Default]: between_two(&it, |_| join(r#""$room""#)) => "joined, addPeer; the other hears nothing";
    30 "part of another channel"        [Default]: it.says(r#"{"type":"part","channel":"elsewhere"}"#) => "parted";
    31 "the 17th channel"               [Default]: seats::channels_of_one_peer(&it, 17) => "16 joined, limit";
    31 "the 65th peer"                  [Default]: seats::peers_of_one_channel(&it, 65) => "64 joined, channel_full";
    31 "two for the last seat"          [Default]: seats::the_last_seat(&it) => "channel_full, joined";
    34 "the 65th socket of an address"  [Bounded]: sockets::from_one_address(&it, 63, |_| "A: b".to_owned()) => "62 times HTTP 101, then HTTP 429";
    34 "forged X-Forwarded-For"         [Bounded]: sockets::from_one_address(&it, 63, |index| format!("X-Forwarded-For: 192.0.2.{index}")) => "62 times HTTP 101, then HTTP 429";
    34 "another address of a /64"       [Proxied]: sockets::from_one_address(&it, 65, |index| format!("X-Forwarded-For: 2001:db8::{index}")) => "64 times HTTP 101, then HTTP 429";
    35 "who never reads"                [SmallOutbox]: sockets::never_reads(&it) => "removePeer overflow";
    35 "who never reads, given up"      [Narrow]: sockets::never_reads(&it) => "removePeer timeout";
    35 "who reads some bytes a second"  [Narrow]: sockets::reads_slowly(&it) => "removePeer timeout";
    36 "no pong"                        [Impatient]: sockets::deaf(&it) => "closed 4009 heartbeat";
    37 "500 sockets that die at once"   [Default]: sockets::die_at_once(&it, 500, 60) => "60 removePeer";
    39 "names with . * > and spaces"    [Default]: names_that_could_be_patterns(&it) => "nothing";
    40 "a token of an earlier start"    [Keyed]: resumes::of_an_earlier_start(&it) => "resumed: false, its peer id; resumed: false, another peer id";
    40 "the same without a key"         [Default]: resumes::of_an_earlier_start(&it) => "resumed: false, another peer id; resumed: false, another peer id";
    42 "compression"                    [Default]: offers_compression(&it) => "HTTP 101, compression: false";
    42 "a compressed frame"             [Default]: it.fails(masked(FIN | RSV1 | TEXT, [0xaa; 1 << 10])) => "closed 1002";
}
