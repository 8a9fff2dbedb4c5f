//! One value that can be returned to what it was: a counter, a total.

use std::ops::{Deref, DerefMut};

use bincode::{Decode, Encode};

use super::{Blocks, Stored, Undo};
use crate::codec::{self, CodecFault};

/// A single value with its before-image. A mutable borrow counts as a change.
#[derive(Debug, Clone, Default)]
pub struct Tracked<T> {
    value: T,
    before: Option<T>,
    recording: bool,
    /// What it was at the moment of a copy that is being taken, until that is written.
    copy: Option<Box<T>>,
}

impl<T> Deref for Tracked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Clone> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        if self.recording && self.before.is_none() {
            self.before = Some(self.value.clone());
        }
        &mut self.value
    }
}

impl<T: Clone> Undo for Tracked<T> {
    fn record(&mut self, recording: bool) {
        self.recording = recording;
        self.before = None;
    }

    fn commit(&mut self) {
        if self.before.is_some() {
            self.before = None;
        }
    }

    fn roll_back(&mut self) {
        if let Some(before) = self.before.take() {
            self.value = before;
        }
    }
}

impl<T: PartialEq> PartialEq for Tracked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Encode> Encode for Tracked<T> {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        self.value.encode(encoder)
    }
}

impl<T: Clone + Encode + Decode<()>> Stored for Tracked<T> {
    fn begin_copy(&mut self) {
        self.copy = Some(Box::new(self.value.clone()));
    }

    fn copy_some(&mut self, out: &mut Vec<u8>, _enough: usize) -> bool {
        if let Some(value) = self.copy.take() {
            codec::encode_into(&*value, out);
        }
        true
    }

    fn end_copy(&mut self) {
        self.copy = None;
    }

    fn restore(&mut self, blocks: &mut Blocks<'_>) -> Result<(), CodecFault> {
        *self = Tracked { value: blocks.take("a value")?, before: None, recording: false, copy: None };
        Ok(())
    }
}
