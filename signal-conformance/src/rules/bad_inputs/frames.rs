//! Frames that no library of ours would make (RFC 6455, section 5).

use super::scene::Scene;

pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const FIN: u8 = 0x80;
pub(super) const RSV1: u8 = 0x40;
pub(super) const RSV2: u8 = 0x20;
pub(super) const RSV3: u8 = 0x10;

/// A final text frame that claims to have 2^63 bytes, and one that claims the most that is allowed.
pub(super) const CLAIMS_2_63: [u8; 14] = [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
pub(super) const CLAIMS_MOST: [u8; 14] =
    [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// A frame with this first byte, masked with zeros.
pub(super) fn masked(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

pub(super) fn text(payload: impl AsRef<[u8]>) -> Vec<u8> {
    masked(FIN | TEXT, payload)
}

/// One text message of so many empty fragments.
pub(super) async fn empty_fragments(scene: &Scene, number: usize) -> String {
    let mut frames = masked(TEXT, []);
    frames.extend(masked(0, []).repeat(number - 2));
    frames.extend(masked(FIN, []));
    scene.frames(frames).await
}
