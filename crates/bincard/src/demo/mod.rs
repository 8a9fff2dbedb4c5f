//! The demo: a seeded month of a multi-channel retailer, generated, not recorded.
//!
//! The generator keeps a ledger of its own and lets it decide every command, so it knows what is on the shelf and what an
//! order waits for, and only what was accepted is in the month.

mod catalogue;
mod day;
mod retailer;
mod returns;
mod set_up;

pub use retailer::{Retailer, Step};

/// Days of the month.
pub const DAYS: u32 = 30;

/// The commands of the month, in order; the same for the same seed.
pub fn month(seed: u64) -> Vec<Step> {
    let mut retailer = Retailer::open(seed);
    set_up::define(&mut retailer);
    set_up::open_stock(&mut retailer);
    for day in 0..DAYS {
        day::pass(&mut retailer, day);
    }
    retailer.into_steps()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::LazyLock;

    static MONTH: LazyLock<Vec<Step>> = LazyLock::new(|| month(1));

    #[test]
    fn the_same_seed_gives_the_same_month_and_another_another() {
        assert_eq!(*MONTH, month(1));
        assert_ne!(*MONTH, month(2));
    }

    #[test]
    fn every_command_has_an_id_of_its_own_and_time_never_goes_back() {
        let steps = &*MONTH;
        let ids: BTreeSet<_> = steps.iter().map(|step| &step.command_id).collect();
        assert_eq!(ids.len(), steps.len());
        assert!(steps.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }

    #[test]
    fn the_month_shows_every_kind_of_business() {
        let mut counts = BTreeMap::new();
        let steps = &*MONTH;
        for step in steps {
            *counts.entry(step.name).or_insert(0) += 1;
        }
        for name in [
            "items.define",
            "locations.define",
            "channels.define",
            "customers.define",
            "stock.open",
            "stock.receive",
            "stock.adjust",
            "stock.change_status",
            "stock.write_off",
            "stock.reserve",
            "stock.unreserve",
            "orders.place",
            "orders.hold",
            "orders.clear_hold",
            "orders.release",
            "orders.cancel",
            "orders.allocate",
            "payments.capture",
            "payments.refund",
            "fulfilment.plan",
            "fulfilment.pick",
            "fulfilment.pack",
            "fulfilment.ship",
            "fulfilment.deliver",
            "returns.authorise",
            "returns.receive",
            "returns.inspect",
            "returns.disposition",
            "returns.refund",
            "finance.post_manual",
        ] {
            assert!(counts.contains_key(name), "the month has no {name}: {counts:?}");
        }
        assert_eq!(counts["items.define"], catalogue::ITEMS);
        assert!(counts["orders.place"] > 900, "{counts:?}");
        let outcomes: BTreeSet<_> = steps
            .iter()
            .filter(|step| step.name == "returns.disposition")
            .filter_map(|step| step.body["lines"][0]["outcome"].as_str())
            .collect();
        assert_eq!(outcomes.len(), 5, "returns of every disposition: {outcomes:?}");
    }
}
