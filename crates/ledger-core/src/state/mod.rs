//! How the ledger holds its state: dense rows that can take back what one entry changed.

mod few;
mod hints;
mod index;
mod ordered;
mod ordered_copy;
mod packed;
mod slab;
mod slab_copy;
mod stored;
mod table;
mod tracked;

pub use few::Few;
pub use hints::Hints;
pub use index::{Index, KeyHash};
pub use ordered::Ordered;
pub use packed::{PackedTable, Reading, Rests};
pub use slab::{Row, Slab};
pub use stored::{Blocks, NextBlock, Stored};
pub use table::Table;
pub use tracked::Tracked;

/// State that can be returned to where it was before the entry that is being built.
///
/// There is no call that opens an entry: it opens where the one before was committed or rolled back, so that an entry
/// costs nothing in the parts that it does not touch.
pub trait Undo {
    /// Whether changes from here on can be taken back: a writer's can, those of a fold of the log never are.
    fn record(&mut self, recording: bool);
    /// What the entry changed stands.
    fn commit(&mut self);
    /// What the entry changed never was: rows, order of free rows and interned ids alike.
    fn roll_back(&mut self);
}

/// Declares a module's state as a struct of parts that can each take back what one entry changed.
#[macro_export]
macro_rules! state {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$fmeta:meta])* $fvis:vis $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default)]
        $vis struct $name { $($(#[$fmeta])* $fvis $field: $type),+ }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
                $(self.$field.encode(encoder)?;)+
                Ok(())
            }
        }

        impl $crate::state::Undo for $name {
            fn record(&mut self, recording: bool) { $(self.$field.record(recording);)+ }
            fn commit(&mut self) { $(self.$field.commit();)+ }
            fn roll_back(&mut self) { $(self.$field.roll_back();)+ }
        }

        impl $crate::state::Stored for $name {
            fn begin_copy(&mut self) { $($crate::state::Stored::begin_copy(&mut self.$field);)+ }
            fn copy_some(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
                $($crate::state::Stored::copy_some(&mut self.$field, out, enough))&&+
            }
            fn end_copy(&mut self) { $($crate::state::Stored::end_copy(&mut self.$field);)+ }
            fn restore(&mut self, blocks: &mut $crate::state::Blocks<'_>) -> Result<(), $crate::codec::CodecFault> {
                $($crate::state::Stored::restore(&mut self.$field, blocks)?;)+
                Ok(())
            }
        }
    };
}
