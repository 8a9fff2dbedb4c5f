//! Where returns stand on the return board.

use ledger_core::Ledger;
use ledger_core::returns::{Return, ReturnStage};

use crate::board::{Board, Place, Standing};
use crate::named::Named;

/// Keys of the return board: in its stage since, opened at, refunded amount.
pub(crate) const RETURN_SORTS: usize = 3;
/// Buckets of the return board: every stage.
pub(crate) const RETURN_BUCKETS: usize = ReturnStage::ALL.len();

/// Every return, by stage.
pub(crate) type ReturnBoard = Board<RETURN_SORTS, RETURN_BUCKETS>;

/// The bucket of a stage.
pub(crate) fn bucket(stage: ReturnStage) -> usize {
    stage as usize - 1
}

fn place(found: &Return) -> Place<RETURN_SORTS> {
    let opened_at = found.authorised_at.or(found.received_at).unwrap_or(found.stage_since);
    Place {
        bucket: bucket(found.stage()),
        keys: [found.stage_since.micros(), opened_at.micros(), found.refunded.minor_units()],
    }
}

/// The board of a ledger.
pub(crate) fn board_of(ledger: &Ledger) -> ReturnBoard {
    Board::of(ledger.returns().iter().map(|(row, _, found)| (row, place(found))))
}

/// The returns that an entry names, as they stand.
pub(crate) fn named_by(named: &Named, ledger: &Ledger) -> Standing<RETURN_SORTS> {
    let rows = named.returns.iter().filter_map(|id| ledger.returns().row(id));
    rows.map(|row| (row, place(ledger.returns().get(row)))).collect()
}
