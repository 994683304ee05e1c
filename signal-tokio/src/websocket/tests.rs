use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    ops::ControlFlow,
    pin::Pin,
    ptr,
    task::{Context, Poll, Waker},
};

use signal_core::CloseReason;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    WebSocket,
    frame::{Head, Opcode},
};
use crate::{Frame, Outgoing, Received, Socket, tests::dice::Dice};

/// A connection whose client has said all that it will say, but is slow: bytes come and go in pieces of these sizes.
struct Line {
    said: VecDeque<u8>,
    heard: Vec<u8>,
    dice: Dice,
    most: u64,
    /// So many bytes are taken before the client takes no more.
    room: usize,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = self.most;
        let size = self.said.len().min(1 + self.dice.below(most) as usize).min(buffer.remaining());
        let piece: Vec<_> = self.said.drain(..size).collect();
        buffer.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.room == 0 {
            return Poll::Pending;
        }
        let most = self.most;
        let size = bytes.len().min(1 + self.dice.below(most) as usize).min(self.room);
        self.room -= size;
        self.heard.extend_from_slice(&bytes[..size]);
        Poll::Ready(Ok(size))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const MOST_READ: usize = 128 << 10;

fn socket(said: &[u8], seed: u64, most: u64) -> WebSocket<Line> {
    let said = said.iter().copied().collect();
    let line = Line { said, heard: Vec::new(), dice: Dice::new(seed), most, room: usize::MAX };
    WebSocket::new(line, &[], MOST_READ)
}

/// A frame of a client.
fn said(opcode: Opcode, is_last: bool, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let mut frame = Head::new(opcode, payload.len()).as_bytes().to_vec();
    frame[0] &= if is_last { 0xFF } else { 0x7F };
    frame[1] |= 0x80;
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What is handed over until the connection ends, with all answers sent. After each, reading is broken off if `breaks`.
fn receive_all(socket: &mut WebSocket<Line>, mut breaks: impl FnMut() -> bool) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while !matches!(all.last().map(|last| &**last), Some("Closed" | "GoneAway" | "TooLarge")) {
        let polled = socket.poll_receive(&mut context, |received| {
            all.push(format!("{received:?}"));
            if breaks() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(polled.is_ready(), "all has been said");
        assert!(socket.poll_send(&mut context, || None).is_ready());
    }
    all
}

#[test]
fn messages_are_handed_over_whole_however_they_come() {
    let long = "long ".repeat(15_000);
    let mut bytes = said(Opcode::Text, true, b"one");
    bytes.extend(said(Opcode::Text, true, b""));
    bytes.extend(said(Opcode::Binary, true, &[0xFF]));
    bytes.extend(said(Opcode::Text, false, "\u{e4}".as_bytes().split_at(1).0));
    bytes.extend(said(Opcode::Ping, true, b"between"));
    bytes.extend(said(Opcode::Continuation, false, "\u{e4}".as_bytes().split_at(1).1));
    bytes.extend(said(Opcode::Continuation, true, b"!"));
    bytes.extend(said(Opcode::Pong, true, b""));
    bytes.extend(said(Opcode::Ping, true, b"1"));
    bytes.extend(said(Opcode::Ping, true, b"2"));
    bytes.extend(said(Opcode::Text, true, long.as_bytes()));
    bytes.extend(said(Opcode::Close, true, &[]));
    bytes.extend(said(Opcode::Text, true, b"after all"));
    let long = format!("Text({long:?})");
    let all = [
        "Text(\"one\")",
        "Text(\"\")",
        "Binary([255])",
        "LifeSign",
        "Text(\"\u{e4}!\")",
        "LifeSign",
        "LifeSign",
        "LifeSign",
        &long,
        "Closed",
    ];
    for (seed, most) in [1, 2, 7, 100, 5_000, 1 << 20].into_iter().enumerate() {
        let mut dice = Dice::new(seed as u64);
        let mut socket = socket(&bytes, seed as u64, most);
        assert_eq!(receive_all(&mut socket, || dice.percent(30)), all, "pieces of up to {most} bytes");
        // Each ping is answered, and the close frame.
        assert_eq!(
            socket.stream.heard, b"\x8a\x07between\x8a\x011\x8a\x012\x88\x00",
            "pieces of up to {most} bytes"
        );
    }
}

#[test]
fn an_idle_socket_has_no_buffers() {
    let text = "t".repeat(60_000);
    let mut bytes = said(Opcode::Text, false, text.as_bytes());
    bytes.extend(said(Opcode::Continuation, true, text.as_bytes()));
    bytes.extend(said(Opcode::Text, true, text.as_bytes()));
    for most in [100, 1 << 20] {
        let mut socket = socket(&bytes, 1, most);
        let mut context = Context::from_waker(Waker::noop());
        let mut messages = 0;
        while messages < 2 {
            let _ = socket.poll_receive(&mut context, |_| {
                messages += 1;
                ControlFlow::Continue(())
            });
        }
        assert_eq!((socket.unread.capacity(), socket.fragments.is_some()), (0, false));
    }
}

#[test]
fn what_is_wrong_is_said_in_the_close_frame() {
    let cases: [(&str, Vec<u8>, &[u8]); 9] = [
        ("text that is not UTF-8", said(Opcode::Text, true, &[0xC3, 0x28]), &1007_u16.to_be_bytes()),
        ("half a sign at the end", said(Opcode::Text, true, &[0xC3]), &1007_u16.to_be_bytes()),
        ("a continuation of nothing", said(Opcode::Continuation, true, b"a"), &1002_u16.to_be_bytes()),
        (
            "a message within another",
            [said(Opcode::Text, false, b"a"), said(Opcode::Text, true, b"b")].concat(),
            &1002_u16.to_be_bytes(),
        ),
        ("half a close code", said(Opcode::Close, true, &[3]), &1002_u16.to_be_bytes()),
        ("a code of nobody", said(Opcode::Close, true, &1005_u16.to_be_bytes()), &1002_u16.to_be_bytes()),
        ("a reason not in UTF-8", said(Opcode::Close, true, &[3, 232, 0xFF]), &1007_u16.to_be_bytes()),
        ("a code of its own", said(Opcode::Close, true, &[15, 160, b'h', b'i']), &4000_u16.to_be_bytes()),
        ("no code", said(Opcode::Close, true, &[]), &[]),
    ];
    for (what, bytes, payload) in cases {
        let mut socket = socket(&bytes, 1, 1 << 20);
        assert_eq!(receive_all(&mut socket, || false), ["Closed"], "{what}");
        let expected = [Head::new(Opcode::Close, payload.len()).as_bytes(), payload].concat();
        assert_eq!(socket.stream.heard, expected, "{what}");
    }
    let mut socket = socket(&said(Opcode::Close, true, &1001_u16.to_be_bytes()), 1, 1 << 20);
    assert_eq!(receive_all(&mut socket, || false), ["GoneAway"]);
}

#[test]
fn what_is_too_large_is_left_to_others_to_answer() {
    let half = vec![b'a'; MOST_READ / 2 + 1];
    let in_two = [said(Opcode::Text, false, &half), said(Opcode::Continuation, true, &half)].concat();
    for bytes in [said(Opcode::Text, true, &[half.as_slice(), &half].concat()), in_two] {
        let mut socket = socket(&bytes, 1, 1 << 20);
        assert_eq!(receive_all(&mut socket, || false), ["TooLarge"]);
        let mut context = Context::from_waker(Waker::noop());
        let mut close = Some(Outgoing::Close(CloseReason::TooLarge));
        assert!(socket.poll_send(&mut context, || close.take()).is_ready());
        assert_eq!(socket.stream.heard, b"\x88\x0b\x03\xf1too_large");
        // What follows is read, so that the close frame is not lost, and leads to nothing.
        assert_eq!(receive_all(&mut socket, || false), ["Closed"]);
    }
}

#[tokio::test]
async fn what_is_sent_arrives_in_order_however_slowly_it_is_taken() {
    for seed in 0..50 {
        let mut dice = Dice::new(seed);
        let most = [1, 100, 10_000, 1 << 20][seed as usize % 4];
        let mut socket = socket(&said(Opcode::Ping, true, b"?"), seed, most);
        let texts: Vec<_> = (0..60).map(|_| "t".repeat(dice.below(2_000) as usize)).collect();
        let mut expected = b"\x8a\x01?".to_vec();
        for text in &texts {
            expected.extend(Head::new(Opcode::Text, text.len()).as_bytes());
            expected.extend(text.as_bytes());
        }
        expected.extend(b"\x89\x00\x88\x05\x03\xe8bye");
        let mut context = Context::from_waker(Waker::noop());
        let _ = socket.poll_receive(&mut context, |_| ControlFlow::Break(()));
        let mut frames = texts.iter().map(|text| Outgoing::Message(Frame::text(text)));
        let mut rest = [Outgoing::Ping, Outgoing::Close(CloseReason::Bye), Outgoing::Ping].into_iter();
        let mut asked = 0;
        socket.stream.room = 0;
        while {
            let asked_before = asked;
            let sent = socket.poll_send(&mut context, || {
                asked += 1;
                frames.next().or_else(|| rest.next())
            });
            // Little is kept of what the client does not take.
            let kept = socket.unsent.as_ref().map_or(0, |unsent| unsent.len());
            assert!(kept < super::SENT_AT_ONCE + 2_004, "{kept} bytes are kept");
            assert!(socket.stream.room > 0 || asked > asked_before || kept > 0);
            sent.is_pending()
        } {
            socket.stream.room = dice.below(5_000) as usize;
        }
        assert_eq!(socket.stream.heard, expected, "seed {seed}");
        // After the close frame nothing is sent, and nothing is asked for.
        socket.stream.room = usize::MAX;
        assert!(poll_fn(|context| socket.poll_send(context, || Some(Outgoing::Ping))).await.is_ok());
        assert_eq!(socket.stream.heard.len(), expected.len());
    }
}

#[test]
fn who_goes_on_after_the_close_frame_is_neither_answered_nor_kept() {
    let pings = said(Opcode::Ping, true, b"?").repeat(10_000);
    for room in [0, usize::MAX] {
        let mut socket = socket(&pings, 1, 1_000);
        socket.stream.room = room;
        let mut context = Context::from_waker(Waker::noop());
        let mut close = Some(Outgoing::Close(CloseReason::Bye));
        let _ = socket.poll_receive(&mut context, |_| ControlFlow::Break(()));
        let _ = socket.poll_send(&mut context, || close.take());
        let heard = socket.stream.heard.len();
        let mut is_closed = false;
        while !is_closed {
            let _ = socket.poll_receive(&mut context, |received| {
                is_closed = matches!(received, Received::Closed);
                ControlFlow::Continue(())
            });
            assert!(socket.unread.len() < 2_000, "{} bytes are kept", socket.unread.len());
        }
        assert_eq!(socket.stream.heard.len(), heard);
    }
}

#[test]
fn a_frame_that_is_alone_is_sent_without_a_copy() {
    let mut socket = socket(&[], 1, 1 << 20);
    socket.stream.room = 0;
    let frame = Frame::text("alone");
    let mut once = Some(Outgoing::Message(frame.clone()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(socket.poll_send(&mut context, || once.take()).is_pending());
    let kept = socket.unsent.as_ref().unwrap();
    assert!(ptr::eq(&raw const **kept, frame.as_websocket()));
}
