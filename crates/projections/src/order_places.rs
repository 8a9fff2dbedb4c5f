//! Where orders stand on the order board.

use ledger_core::Ledger;
use ledger_core::orders::{Order, OrderState};
use ledger_core::state::Row;
use smallvec::SmallVec;

use crate::board::{Board, Place};
use crate::named::Named;

/// Keys of the order board: placed at, ship by, value.
pub(crate) const ORDER_SORTS: usize = 3;
/// Buckets of the order board: every state, held or not.
pub(crate) const ORDER_BUCKETS: usize = OrderState::ALL.len() * 2;

/// Every order, by state and whether it is held.
pub(crate) type OrderBoard = Board<ORDER_SORTS, ORDER_BUCKETS>;
/// Orders that an entry names, and where they stood before it.
pub(crate) type OrdersBefore = SmallVec<[(Row, Place<ORDER_SORTS>); 2]>;

/// The bucket of a state.
pub(crate) fn bucket(state: OrderState, is_held: bool) -> usize {
    (state as usize - 1) * 2 + usize::from(is_held)
}

fn place(order: &Order) -> Place<ORDER_SORTS> {
    // An order without a date is behind all that have one.
    let ship_by = order.ship_by.map_or(i64::MAX, |ship_by| ship_by.micros());
    Place {
        bucket: bucket(order.state, !order.holds.is_empty()),
        keys: [order.placed_at.micros(), ship_by, order.total().minor_units()],
    }
}

/// The board of a ledger.
pub(crate) fn board_of(ledger: &Ledger) -> OrderBoard {
    Board::of(ledger.orders().iter().map(|(row, _, order)| (row, place(&order))))
}

/// The orders that an entry names, as they stand.
pub(crate) fn named_by(named: &Named, ledger: &Ledger) -> OrdersBefore {
    let rows = named.orders.iter().filter_map(|id| ledger.orders().row(id));
    rows.map(|row| (row, place(&ledger.orders().get(row)))).collect()
}

/// Moves the orders that an entry named to where they now stand; those that it archived are gone.
pub(crate) fn follow(board: &mut OrderBoard, before: &OrdersBefore, named: &Named, ledger: &Ledger) {
    let now = named_by(named, ledger);
    for (row, place) in before.iter().filter(|(row, _)| !now.iter().any(|(known, _)| known == row)) {
        board.remove(*row, *place);
    }
    for (row, now) in now {
        let before = before.iter().find(|(known, _)| *known == row).map(|(_, place)| *place);
        board.put(row, before, now);
    }
}
