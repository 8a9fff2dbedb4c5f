//! The one module that owns the stored encoding: bincode 2.0.1's derive, standard configuration, bounded decoding.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};
use thiserror::Error;

/// Nothing stored is longer: a longer length in the bytes is damage.
const DECODE_BYTES_MAX: usize = 1024 * 1024;

const CONFIG: Configuration<LittleEndian, Varint, Limit<DECODE_BYTES_MAX>> =
    bincode::config::standard().with_limit::<DECODE_BYTES_MAX>();

/// A row of the state gathers what many entries said, so it may be longer than any of them.
const ROW_BYTES_MAX: usize = 64 * 1024 * 1024;

const ROW_CONFIG: Configuration<LittleEndian, Varint, Limit<ROW_BYTES_MAX>> =
    bincode::config::standard().with_limit::<ROW_BYTES_MAX>();

/// Why stored bytes cannot be read.
#[derive(Debug, Error)]
pub enum CodecFault {
    /// A kind that this version does not know: written by a newer one. Never skipped.
    #[error("kind {kind} is not known to this version: a newer one wrote it")]
    UnknownKind {
        /// The number found.
        kind: u16,
    },
    /// Bytes that are not the shape they say they are.
    #[error("{what} cannot be decoded: {why}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What the decoder found.
        why: String,
    },
    /// More bytes than the shape has.
    #[error("{what} has {left} bytes too many")]
    TrailingBytes {
        /// What was read.
        what: &'static str,
        /// Bytes left over.
        left: usize,
    },
}

struct Appender<'b>(&'b mut Vec<u8>);

impl Writer for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

struct Hashing<'h>(&'h mut blake3::Hasher);

impl Writer for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.update(bytes);
        Ok(())
    }
}

/// Gathers bytes before they are hashed: a hasher that is fed a few at a time is many times slower.
struct Gathering {
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

const GATHERED_BYTES: usize = 64 * 1024;

impl Writer for Gathering {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= GATHERED_BYTES {
            self.hasher.update(&self.bytes);
            self.bytes.clear();
        }
        Ok(())
    }
}

/// Appends a value's bytes.
pub fn encode_into(value: &impl Encode, bytes: &mut Vec<u8>) {
    bincode::encode_into_writer(value, Appender(bytes), CONFIG)
        .expect("encoding into memory has nothing to fail on");
}

/// Feeds a small value's bytes to a hasher.
pub fn hash_into(value: &impl Encode, hasher: &mut blake3::Hasher) {
    bincode::encode_into_writer(value, Hashing(hasher), CONFIG).expect("hashing has nothing to fail on");
}

/// BLAKE3 of the bytes of a value, however large.
pub fn hash_of(value: &impl Encode) -> [u8; 32] {
    let mut gathering = Gathering { hasher: blake3::Hasher::new(), bytes: Vec::new() };
    bincode::encode_into_writer(value, &mut gathering, CONFIG).expect("hashing has nothing to fail on");
    gathering.hasher.update(&gathering.bytes).finalize().into()
}

/// Reads a value from the front of the bytes and moves past it.
pub fn decode_front<T: Decode<()>>(bytes: &mut &[u8], what: &'static str) -> Result<T, CodecFault> {
    let (value, read) = bincode::decode_from_slice(bytes, CONFIG)
        .map_err(|fault| CodecFault::Malformed { what, why: fault.to_string() })?;
    *bytes = &bytes[read..];
    Ok(value)
}

/// Reads a row of the state from the front of the bytes and moves past it.
pub fn decode_row<T: Decode<()>>(bytes: &mut &[u8], what: &'static str) -> Result<T, CodecFault> {
    let (value, read) = bincode::decode_from_slice(bytes, ROW_CONFIG)
        .map_err(|fault| CodecFault::Malformed { what, why: fault.to_string() })?;
    *bytes = &bytes[read..];
    Ok(value)
}

/// Reads a value that takes all of the bytes.
pub fn decode_all<T: Decode<()>>(mut bytes: &[u8], what: &'static str) -> Result<T, CodecFault> {
    let value = decode_front(&mut bytes, what)?;
    if bytes.is_empty() { Ok(value) } else { Err(CodecFault::TrailingBytes { what, left: bytes.len() }) }
}

/// Appends `kind: u16, length: u32, body`, little endian: how every stored command and event begins.
pub fn encode_kind(kind: u16, bytes: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    bytes.extend_from_slice(&kind.to_le_bytes());
    let length_at = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    body(bytes);
    let length = u32::try_from(bytes.len() - length_at - 4).expect("an entry is at most 512 KiB");
    bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
}

/// Reads what `encode_kind` wrote from the front of the bytes and moves past it.
pub fn decode_kind<'b>(bytes: &mut &'b [u8], what: &'static str) -> Result<(u16, &'b [u8]), CodecFault> {
    let cut = || CodecFault::Malformed { what, why: "it ends in the middle".to_owned() };
    let (head, rest) = bytes.split_at_checked(6).ok_or_else(cut)?;
    let kind = u16::from_le_bytes([head[0], head[1]]);
    let length = u32::from_le_bytes([head[2], head[3], head[4], head[5]]) as usize;
    let (body, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    *bytes = rest;
    Ok((kind, body))
}
