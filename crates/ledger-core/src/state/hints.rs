//! Where to look first: rows that may be the right ones, and are checked by whoever looks.

use bincode::Encode;
use bincode::enc::Encoder;
use bincode::error::EncodeError;

use super::{Blocks, Row, Stored, Undo};
use crate::codec::CodecFault;

/// A row for a row of another table. A wrong or a missing one only costs a search: so there is nothing in it to take
/// back, to store or to compare.
#[derive(Debug, Clone, Default)]
pub struct Hints(Vec<Option<Row>>);

impl Hints {
    /// The row to try.
    pub fn of(&self, row: Row) -> Option<Row> {
        *self.0.get(row.index())?
    }

    /// The row to try from here on.
    pub fn set(&mut self, row: Row, hint: Row) {
        if self.0.len() <= row.index() {
            self.0.resize(row.index() + 1, None);
        }
        if self.0[row.index()] != Some(hint) {
            self.0[row.index()] = Some(hint);
        }
    }
}

impl PartialEq for Hints {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Undo for Hints {
    fn record(&mut self, _: bool) {}
    fn commit(&mut self) {}
    fn roll_back(&mut self) {}
}

impl Encode for Hints {
    fn encode<E: Encoder>(&self, _: &mut E) -> Result<(), EncodeError> {
        Ok(())
    }
}

impl Stored for Hints {
    fn begin_copy(&mut self) {}

    fn copy_some(&mut self, _: &mut Vec<u8>, _: usize) -> bool {
        true
    }

    fn end_copy(&mut self) {}

    fn restore(&mut self, _: &mut Blocks<'_>) -> Result<(), CodecFault> {
        self.0.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_set_last_is_tried_first() {
        let [item, other, cell] = [3, 9, 7].map(|number| Row::numbered(number).unwrap());
        let mut hints = Hints::default();
        assert_eq!(hints.of(item), None);
        hints.set(item, other);
        hints.set(item, cell);
        assert_eq!((hints.of(item), hints.of(other)), (Some(cell), None));
    }
}
