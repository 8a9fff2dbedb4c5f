//! A list that mostly holds one: that one is kept in place.

use std::ops::{Deref, DerefMut};

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use smallvec::SmallVec;

/// Mostly none or one, in order. Stored like any list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Few<T>(SmallVec<[T; 1]>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Few(SmallVec::new())
    }
}

impl<T> Few<T> {
    /// One.
    pub fn one(value: T) -> Self {
        Few(SmallVec::from_buf([value]))
    }
}

impl<T> Deref for Few<T> {
    type Target = SmallVec<[T; 1]>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Few(values.into_iter().collect())
    }
}

impl<T: Encode> Encode for Few<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.as_slice().encode(encoder)
    }
}

impl<C, T: Decode<C>> Decode<C> for Few<T> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let length = usize::try_from(u64::decode(decoder)?)
            .map_err(|_| DecodeError::OtherString("a list is longer than memory".to_owned()))?;
        decoder.claim_container_read::<T>(length)?;
        let mut values = SmallVec::with_capacity(length);
        for _ in 0..length {
            decoder.unclaim_bytes_read(size_of::<T>());
            values.push(T::decode(decoder)?);
        }
        Ok(Few(values))
    }
}

impl<'de, C, T: Decode<C>> bincode::BorrowDecode<'de, C> for Few<T> {
    fn borrow_decode<D: bincode::de::BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}
