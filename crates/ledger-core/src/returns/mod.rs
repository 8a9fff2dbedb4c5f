//! Returns.

use crate::state::Tracked;
use crate::{refusals, state};

state! {
    /// Returns.
    pub struct Returns {
        pub(crate) placeholder: Tracked<u8>,
    }
}

refusals! {
    /// Why it is refused.
    pub enum Refusal {
        /// Nothing.
        #[error("nothing")]
        Nothing {},
    }
}
