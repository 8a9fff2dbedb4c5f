//! Examples of frames, and one frame's bytes that every release must read.

use super::*;
use crate::journal::Head;
use proptest::prelude::*;

/// A frame that follows `head`, one microsecond later.
pub(crate) fn frame_after(head: &Head, entries: &[(&[u8], u32)]) -> Frame {
    let (epoch, log_time_us) = match head.sequence {
        0 => (1, 1_700_000_000_000_000),
        _ => (head.epoch, head.log_time_us + 1),
    };
    let mut open =
        FrameBuilder::open(head.ledger, epoch, head.sequence + 1, head.event + 1, log_time_us, head.hash);
    for (entry, events) in entries {
        open.push(entry, *events);
    }
    open.seal()
}

fn example() -> Frame {
    let ledger = *b"bincard ledger 1";
    let mut open = FrameBuilder::open(ledger, 3, 41, 100, 1_767_225_600_000_000, chain_start(ledger));
    open.push(b"order.placed", 2);
    open.push(b"", 0);
    open.push(b"stock.received", 1);
    open.seal()
}

#[test]
fn a_frame_decodes_to_what_was_sealed() {
    let frame = example();
    let mut bytes = frame.bytes().to_vec();
    bytes.extend_from_slice(&[0; 50]);
    let (read, consumed) = Frame::decode(&bytes).unwrap();
    assert_eq!(consumed, frame.bytes().len());
    assert_eq!(read.header(), frame.header());
    assert_eq!((read.hash(), read.bytes()), (frame.hash(), frame.bytes()));
    let entries: Vec<_> = read.entries().collect();
    assert_eq!(entries, [(41, 100, &b"order.placed"[..]), (42, 102, b""), (43, 102, b"stock.received")]);
    assert_eq!(read.entry(43), Some((102, &b"stock.received"[..])));
    assert_eq!((read.entry(40), read.entry(44)), (None, None));
    assert_eq!((read.last_sequence(), read.last_event()), (43, 102));
}

/// The file was written by the first release of the format and is never written again.
#[test]
fn the_frame_of_the_first_release_still_reads() {
    let golden = include_bytes!("../../../../fixtures/frames/v1.frame");
    let (frame, consumed) = Frame::decode(golden).unwrap();
    assert_eq!(consumed, golden.len());
    assert_eq!(frame.header(), example().header());
    assert_eq!(frame.bytes(), example().bytes(), "sealing writes what it always wrote");
}

#[test]
fn zeros_are_no_frame() {
    assert!(matches!(Frame::decode(&[0; 4096]), Err(FrameFault::NoMagic { .. })));
    assert!(matches!(Frame::decode(&[]), Err(FrameFault::Short { .. })));
}

#[test]
fn every_flipped_bit_is_found() {
    let frame = example();
    for bit in 0..frame.bytes().len() * 8 {
        let mut bytes = frame.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Frame::decode(&bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn every_shortened_frame_is_short() {
    let frame = example();
    for len in 0..frame.bytes().len() {
        assert!(matches!(Frame::decode(&frame.bytes()[..len]), Err(FrameFault::Short { .. })), "{len}");
    }
}

#[test]
fn contents_that_contradict_the_header_are_refused_though_the_hash_is_right() {
    for (at, what) in [(48, "entries"), (52, "events"), (100, "length")] {
        let frame = example();
        let hashed = frame.bytes().len() - TRAILER_BYTES;
        let mut bytes = frame.bytes()[..hashed].to_vec();
        bytes[at] += 1;
        let hash = *blake3::hash(&bytes).as_bytes();
        let crc = checksum(&bytes, &hash);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(&hash);
        assert!(matches!(Frame::decode(&bytes), Err(FrameFault::Contents { .. })), "{what}");
    }
}

#[test]
fn the_longest_entry_fits_until_the_frame_is_full() {
    let mut open = FrameBuilder::open([1; 16], 1, 1, 1, 0, chain_start([1; 16]));
    assert!(open.is_empty() && open.fits(ENTRY_BYTES_MAX) && !open.fits(ENTRY_BYTES_MAX + 1));
    while !open.is_full() {
        assert!(open.fits(ENTRY_BYTES_MAX));
        open.push(&[5; 1000], 1);
    }
    open.push(&[5; ENTRY_BYTES_MAX], 1);
    assert!(!open.fits(ENTRY_BYTES_MAX));
    let frame = open.seal();
    assert!(frame.bytes().len() <= FRAME_BYTES_MAX);
    assert_eq!(Frame::decode(frame.bytes()).unwrap().0, frame);
}

#[test]
#[should_panic(expected = "no empty frames")]
fn an_empty_frame_cannot_be_sealed() {
    FrameBuilder::open([1; 16], 1, 1, 1, 0, [0; 32]).seal();
}

proptest! {
    #[test]
    fn any_entries_come_back(entries in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), 0u32..5), 1..40)) {
        let mut open = FrameBuilder::open([9; 16], 2, 10, 20, 30, [4; 32]);
        for (entry, events) in &entries {
            open.push(entry, *events);
        }
        let frame = open.seal();
        let (read, _) = Frame::decode(frame.bytes()).unwrap();
        let mut ordinal = 20;
        for ((index, (entry, events)), found) in entries.iter().enumerate().zip(read.entries()) {
            prop_assert_eq!(found, (10 + index as u64, ordinal, entry.as_slice()));
            ordinal += u64::from(*events);
        }
        prop_assert_eq!(read.last_event() + 1, ordinal);
    }

    #[test]
    fn any_bytes_decode_or_are_refused_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), magic in any::<bool>()) {
        if magic && bytes.len() > 8 {
            bytes[..6].copy_from_slice(&MAGIC);
            bytes[6..8].copy_from_slice(&[1, 0]);
        }
        let _ = Frame::decode(&bytes);
    }
}
