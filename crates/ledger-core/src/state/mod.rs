//! How the ledger holds its state: dense rows that can take back what one entry changed.

mod few;
mod index;
mod ordered;
mod ordered_copy;
mod slab;
mod slab_copy;
mod stored;
mod table;
mod tracked;

pub use few::Few;
pub use index::{Index, KeyHash};
pub use ordered::Ordered;
pub use slab::{Row, Slab};
pub use stored::{Blocks, NextBlock, Stored};
pub use table::Table;
pub use tracked::Tracked;

/// State that can be returned to where it was when an entry was opened.
pub trait Undo {
    /// From here on, changes can be taken back.
    fn begin(&mut self);
    /// What was changed since `begin` stands.
    fn commit(&mut self);
    /// What was changed since `begin` never was: rows, order of free rows and interned ids alike.
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
            fn begin(&mut self) { $(self.$field.begin();)+ }
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
