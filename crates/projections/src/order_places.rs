//! Where orders stand on the order board.

use ledger_core::Ledger;
use ledger_core::orders::{Order, OrderState};

use crate::board::{Board, Place, Standing};
use crate::named::Named;

/// Keys of the order board: placed at, ship by, value.
pub(crate) const ORDER_SORTS: usize = 3;
/// Buckets of the order board: every state, held or not.
pub(crate) const ORDER_BUCKETS: usize = OrderState::ALL.len() * 2;

/// Every order, by state and whether it is held.
pub(crate) type OrderBoard = Board<ORDER_SORTS, ORDER_BUCKETS>;

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
pub(crate) fn named_by(named: &Named, ledger: &Ledger) -> Standing<ORDER_SORTS> {
    let rows = named.orders.iter().filter_map(|id| ledger.orders().row(id));
    rows.map(|row| (row, place(&ledger.orders().get(row)))).collect()
}
