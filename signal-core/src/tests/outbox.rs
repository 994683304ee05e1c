use proptest::{collection::vec, prelude::*};

use crate::{ImpossibleAck, Outbox, Overflow};

const MAX_FRAMES: usize = 8;
const MAX_BYTES: usize = 40;

#[derive(Clone, Debug)]
enum Op {
    Push(usize),
    WriteNext,
    /// A number of received frames, counted from the first that is kept, less one.
    Acknowledge(u64),
    Resume(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..12_usize).prop_map(Op::Push),
        4 => Just(Op::WriteNext),
        2 => (0..12_u64).prop_map(Op::Acknowledge),
        1 => (0..12_u64).prop_map(Op::Resume),
    ]
}

/// All frames since the start of the session, never forgotten.
#[derive(Default)]
struct Naive {
    all: Vec<Vec<u8>>,
    acked: u64,
    written: u64,
    sent: u64,
}

impl Naive {
    fn kept(&self) -> &[Vec<u8>] {
        &self.all[self.acked as usize..]
    }

    fn push(&mut self, frame: Vec<u8>) -> Result<(), Overflow> {
        let bytes: usize = self.kept().iter().map(Vec::len).sum();
        if self.kept().len() + 1 > MAX_FRAMES || bytes + frame.len() > MAX_BYTES {
            return Err(Overflow);
        }
        self.all.push(frame);
        Ok(())
    }

    fn write_next(&mut self) -> Option<&Vec<u8>> {
        let frame = self.all.get(self.written as usize)?;
        self.written += 1;
        self.sent = self.sent.max(self.written);
        Some(frame)
    }

    fn acknowledge(&mut self, received: u64) -> Result<(), ImpossibleAck> {
        if !(self.acked..=self.sent).contains(&received) {
            return Err(ImpossibleAck);
        }
        self.acked = received;
        self.written = self.written.max(received);
        Ok(())
    }
}

proptest! {
    #[test]
    fn outbox_is_one_sequence_with_three_cursors(ops in vec(op(), 0..200)) {
        let mut outbox = Outbox::new(MAX_FRAMES, MAX_BYTES);
        let mut naive = Naive::default();
        for (number, op) in ops.into_iter().enumerate() {
            match op {
                Op::Push(length) => {
                    let frame = vec![number as u8; length];
                    prop_assert_eq!(outbox.push(frame.clone()), naive.push(frame));
                }
                Op::WriteNext => prop_assert_eq!(outbox.write_next(), naive.write_next()),
                Op::Acknowledge(ahead) => {
                    let received = (naive.acked + ahead).saturating_sub(1);
                    prop_assert_eq!(outbox.acknowledge(received), naive.acknowledge(received));
                }
                Op::Resume(ahead) => {
                    let received = (naive.acked + ahead).saturating_sub(1);
                    let expected = naive.acknowledge(received);
                    if expected.is_ok() {
                        naive.written = naive.acked;
                    }
                    prop_assert_eq!(outbox.resume(received), expected);
                }
            }
            prop_assert_eq!(outbox.len(), naive.kept().len());
            prop_assert_eq!(outbox.is_empty(), naive.kept().is_empty());
            prop_assert_eq!(outbox.bytes(), naive.kept().iter().map(Vec::len).sum::<usize>());
            prop_assert_eq!(outbox.has_unwritten(), naive.written < naive.all.len() as u64);
            prop_assert!(outbox.len() <= MAX_FRAMES && outbox.bytes() <= MAX_BYTES);
        }
    }

    /// What a socket may have taken and lost is written again, on however many sockets.
    #[test]
    fn each_frame_is_received_exactly_once_and_in_order(
        cuts in vec((0..6_u8, 0..6_usize, 0..6_u64), 0..50),
    ) {
        let mut outbox = Outbox::new(1024, 1 << 20);
        let (mut received, mut pushed) = (Vec::new(), 0_u8);
        for (fresh, written, lost) in cuts {
            for _ in 0..fresh {
                outbox.push([pushed]).unwrap();
                pushed = pushed.wrapping_add(1);
            }
            let taken: Vec<_> = (0..written).map_while(|_| outbox.write_next().copied()).collect();
            let arrived = taken.len() - (lost as usize).min(taken.len());
            received.extend_from_slice(&taken[..arrived]);
            outbox.resume(received.len() as u64).unwrap();
        }
        while let Some(frame) = outbox.write_next() {
            received.push(*frame);
        }
        let expected: Vec<_> = (0..pushed).map(|number| [number]).collect();
        prop_assert_eq!(received, expected);
    }
}

#[test]
fn overflow_by_count_queues_nothing() {
    let mut outbox = Outbox::new(2, 100);
    assert_eq!(outbox.push("a"), Ok(()));
    assert_eq!(outbox.push(""), Ok(()));
    assert_eq!(outbox.push(""), Err(Overflow));
    assert_eq!((outbox.len(), outbox.bytes()), (2, 1));
    outbox.write_next();
    assert_eq!(outbox.push(""), Err(Overflow), "what is written is kept until it is acknowledged");
    outbox.acknowledge(1).unwrap();
    assert_eq!(outbox.push("b"), Ok(()));
}

#[test]
fn overflow_by_bytes_queues_nothing() {
    let mut outbox = Outbox::new(100, 4);
    assert_eq!(outbox.push("12345"), Err(Overflow), "larger than the whole outbox");
    assert_eq!(outbox.push("123"), Ok(()));
    assert_eq!(outbox.push("45"), Err(Overflow));
    assert_eq!(outbox.push("4"), Ok(()), "the bound itself is allowed");
    assert_eq!((outbox.len(), outbox.bytes()), (2, 4));
}

#[test]
fn more_than_was_written_and_less_than_was_acknowledged_cannot_have_been_received() {
    let mut outbox = Outbox::new(10, 100);
    assert_eq!(outbox.acknowledge(1), Err(ImpossibleAck), "nothing was queued");
    outbox.push("a").unwrap();
    outbox.push("b").unwrap();
    assert_eq!(outbox.acknowledge(1), Err(ImpossibleAck), "nothing was written");
    outbox.write_next();
    assert_eq!(outbox.acknowledge(2), Err(ImpossibleAck), "only one was written");
    assert_eq!(outbox.acknowledge(1), Ok(()));
    assert_eq!(outbox.acknowledge(1), Ok(()), "the same again says nothing new");
    assert_eq!(outbox.acknowledge(0), Err(ImpossibleAck), "it forgets");
    assert_eq!(outbox.acknowledge(u64::MAX), Err(ImpossibleAck));
    assert_eq!((outbox.len(), outbox.write_next()), (1, Some(&"b")), "the refused ones changed nothing");
}

#[test]
fn resume_goes_on_after_what_was_received() {
    let mut outbox = Outbox::new(10, 100);
    ["a", "b", "c", "d"].into_iter().for_each(|frame| outbox.push(frame).unwrap());
    (0..3).for_each(|_| assert!(outbox.write_next().is_some()));
    assert_eq!(outbox.resume(4), Err(ImpossibleAck), "d was never written");
    assert_eq!(outbox.write_next(), Some(&"d"), "a refused resume changes nothing");
    assert_eq!(outbox.resume(1), Ok(()));
    assert_eq!(outbox.write_next(), Some(&"b"));
    assert_eq!(outbox.resume(0), Err(ImpossibleAck), "a is gone");
    assert_eq!(outbox.resume(1), Ok(()));
    let rest: Vec<_> = std::iter::from_fn(|| outbox.write_next().copied()).collect();
    assert_eq!(rest, ["b", "c", "d"]);
    assert!(!outbox.has_unwritten() && !outbox.is_empty());
}

#[test]
fn what_an_earlier_socket_was_given_can_have_been_received() {
    let mut outbox = Outbox::new(10, 100);
    ["a", "b", "c"].into_iter().for_each(|frame| outbox.push(frame).unwrap());
    (0..2).for_each(|_| assert!(outbox.write_next().is_some()));
    assert_eq!(outbox.resume(0), Ok(()), "a socket that was overtaken by the one before");
    assert_eq!(outbox.resume(3), Err(ImpossibleAck), "c was never written");
    assert_eq!(outbox.resume(2), Ok(()));
    assert_eq!(outbox.write_next(), Some(&"c"));
}
