//! A second valuation, kept from what moves where alone: what leaves a pool is costed here again, by the book of finance.

use std::collections::BTreeMap;

use ledger_core::items::Costing;
use ledger_core::values::Sku;
use ledger_core::{Event, Fact, Ledger, Place, StatusGroup};

/// Item, location and status group.
type PoolKey = (String, String, StatusGroup);

/// Units of one receipt and what they cost together, in minor units.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    received_at: i64,
    units: i64,
    value: i64,
}

/// Every cost pool: layers, oldest receipt first; of an averaged item, one.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    pools: BTreeMap<PoolKey, Vec<Layer>>,
}

impl Costs {
    /// Takes in what an event moves; what it says that issued units cost must be what they cost here.
    pub(crate) fn read(&mut self, event: &Event, ledger: &Ledger) -> Result<(), String> {
        let mut left: BTreeMap<PoolKey, (i64, i64)> = BTreeMap::new();
        let mut came: Vec<(PoolKey, Layer)> = Vec::new();
        event.movements(&mut |movement| {
            let (from, to) = (pool(movement.sku, &movement.from), pool(movement.sku, &movement.to));
            if from == to {
                return;
            }
            if let Some(from) = from {
                let issued = left.entry(from).or_default();
                issued.0 += movement.quantity.units();
                issued.1 += movement.value().minor_units();
            }
            if let Some(to) = to {
                came.extend(movement.parts.iter().map(|part| {
                    let (units, value) = (part.quantity.units(), part.value.minor_units());
                    (to.clone(), Layer { received_at: part.received_at.micros(), units, value })
                }));
            }
        });
        for (key, (units, said)) in left {
            let cost = self.issue(&key, units);
            if cost != said {
                return Err(format!(
                    "{}: {units} of {key:?} left for {said}, they cost {cost}",
                    event.name()
                ));
            }
        }
        for (key, layer) in came {
            self.put(&key, layer, is_averaged(ledger, &key.0));
        }
        Ok(())
    }

    /// Takes units out, the oldest first; a part of a layer takes its share, half away from zero.
    fn issue(&mut self, key: &PoolKey, units: i64) -> i64 {
        let layers = self.pools.entry(key.clone()).or_default();
        let (mut wanted, mut cost) = (units, 0);
        while wanted > 0 && !layers.is_empty() {
            let oldest = &mut layers[0];
            let taken = wanted.min(oldest.units);
            let share = (2 * oldest.value * taken + oldest.units) / (2 * oldest.units);
            oldest.units -= taken;
            oldest.value -= share;
            wanted -= taken;
            cost += share;
            if oldest.units == 0 {
                layers.remove(0);
            }
        }
        cost
    }

    fn put(&mut self, key: &PoolKey, layer: Layer, averaged: bool) {
        let layers = self.pools.entry(key.clone()).or_default();
        if let (true, Some(all)) = (averaged, layers.first_mut()) {
            all.units += layer.units;
            all.value += layer.value;
            return;
        }
        let place = layers.iter().position(|there| there.received_at > layer.received_at);
        layers.insert(place.unwrap_or(layers.len()), layer);
    }

    /// Whether the ledger's pools are worth the same, layer by layer.
    pub(crate) fn agrees_with(&self, ledger: &Ledger) -> Result<(), String> {
        for (item, location, cell) in ledger.stock().cells() {
            let (sku, at) = (ledger.items().sku(item), ledger.locations().id(location));
            for group in StatusGroup::ALL.iter().copied() {
                let key = (sku.to_string(), at.to_string(), group);
                let here = self.pools.get(&key).map_or(&[][..], Vec::as_slice);
                let value: i64 = here.iter().map(|layer| layer.value).sum();
                let there = cell.group_value(group).minor_units();
                if value != there {
                    return Err(format!("{key:?}: the ledger says {there}, it is worth {value}"));
                }
                let layers: Vec<_> = ledger
                    .stock()
                    .layers(item, location, group)
                    .map(|part| Layer {
                        received_at: part.received_at.micros(),
                        units: part.quantity.units(),
                        value: part.value.minor_units(),
                    })
                    .collect();
                if !is_averaged(ledger, &key.0) && layers != here {
                    return Err(format!("{key:?}: the ledger has layers {layers:?}, here are {here:?}"));
                }
            }
        }
        Ok(())
    }
}

fn pool(sku: &Sku, place: &Place<'_>) -> Option<PoolKey> {
    let (location, status) = place.location().zip(place.status())?;
    Some((sku.to_string(), location.to_string(), status.group()))
}

fn is_averaged(ledger: &Ledger, sku: &str) -> bool {
    let item = ledger.items().iter().find(|(_, known, _)| known.to_string() == sku);
    item.is_some_and(|(_, _, item)| item.costing == Costing::MovingAverage)
}
