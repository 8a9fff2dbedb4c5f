//! Every order with its state, holds, units and money, in the order in which somebody works on them.

use ledger_core::Ledger;
use ledger_core::orders::{HoldReason, Order, OrderState};
use ledger_core::values::{ChannelId, CustomerId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::View;
use super::order_parts::OrderHead;
use crate::board::{BoardKey, Sort};
use crate::order_places::bucket;
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::{Scan, Source};

/// Which orders.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// In this state.
    state: Option<OrderState>,
    /// Of this channel.
    channel: Option<ChannelId>,
    /// Of this customer.
    customer: Option<CustomerId>,
    /// Held for this reason.
    hold: Option<HoldReason>,
    /// Held for whatever reason (true), or not held (false).
    held: Option<bool>,
}

/// An order.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    #[serde(flatten)]
    head: OrderHead,
    /// Lines of goods.
    lines: usize,
    /// Shipments planned so far.
    shipments: usize,
}

pub(crate) struct OrderBoard;

impl View for OrderBoard {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = "order_board";
    const SUMMARY: &'static str = "Every order with its state, holds, units and money";
    const SORTS: &'static [&'static str] = &["placed_at", "-placed_at", "ship_by", "value", "-value"];

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        let sort = match rows.sort {
            "-placed_at" => Sort { key: 0, descending: true },
            "ship_by" => Sort { key: 1, descending: false },
            "value" => Sort { key: 2, descending: false },
            "-value" => Sort { key: 2, descending: true },
            _ => Sort { key: 0, descending: false },
        };
        let mut after = rows.after_on_board()?;
        source.scan(rows, |folded, rows, slice| {
            let ledger = &folded.ledger;
            for (key, row) in folded.order_board.behind(|bucket| filter.counts(bucket), sort, after) {
                if slice.is_over() {
                    return Ok(Scan::More);
                }
                after = Some(key);
                let order = ledger.orders().get(row);
                if !filter.includes(ledger, &order) {
                    continue;
                }
                let shown = Row {
                    head: OrderHead::of(ledger, row),
                    lines: order.lines.len(),
                    shipments: ledger.shipments().of_order(row).count(),
                };
                if rows.push_on_board(key, &shown) == Taken::PageIsFull {
                    break;
                }
            }
            Ok(Scan::Done)
        })
    }
}

impl Filter {
    fn counts(&self, of_bucket: usize) -> bool {
        let held = if self.hold.is_some() { Some(true) } else { self.held };
        let states = OrderState::ALL.iter().filter(|state| self.state.is_none_or(|wanted| wanted == **state));
        let mut buckets =
            states.flat_map(|state| [false, true].map(|is_held| (is_held, bucket(*state, is_held))));
        buckets.any(|(is_held, bucket)| bucket == of_bucket && held.is_none_or(|wanted| wanted == is_held))
    }

    fn includes(&self, ledger: &Ledger, order: &Order) -> bool {
        self.channel.as_ref().is_none_or(|channel| channel == ledger.channels().id(order.channel))
            && self.customer.as_ref().is_none_or(|customer| order.customer.as_ref() == Some(customer))
            && self.hold.is_none_or(|reason| order.holds.iter().any(|hold| hold.reason == reason))
    }
}

impl Rows {
    /// The key of the last row of the page before, on a board.
    pub(super) fn after_on_board(&self) -> Result<Option<BoardKey>, QueryFault> {
        let Some([key, row]) = self.after::<2>()? else { return Ok(None) };
        Ok(Some((self.parse(&key, |text| text.parse().ok())?, self.parse(&row, |text| text.parse().ok())?)))
    }

    /// Puts a board's row on the page.
    pub(super) fn push_on_board(&mut self, (key, row): BoardKey, shown: &impl Serialize) -> Taken {
        self.push(|| vec![key.to_string(), row.to_string()], shown)
    }
}
