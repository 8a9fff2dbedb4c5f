//! Shipments go their way, a step at a time.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Named, Workload, money, one_of};
use crate::model::{OrderState, Shipment, Shop, Stage};

impl Workload {
    pub(super) fn fulfil(&mut self, shop: &Shop, rng: &mut Rng) -> Named {
        let underway: Vec<_> = shop
            .shipments
            .iter()
            .filter(|(_, shipment)| !matches!(shipment.stage, Stage::Delivered | Stage::Void))
            .collect();
        let Some((id, shipment)) = one_of(&underway, rng).filter(|_| rng.u8(..5) != 0) else {
            return self.plan(shop, rng);
        };
        let mut body = json!({"shipment": id});
        match shipment.stage {
            Stage::Planned => {
                if rng.u8(..3) == 0 {
                    body["lines"] = picked(shipment, rng).into();
                }
                ("fulfilment.pick", body)
            }
            Stage::Picked => ("fulfilment.pack", body),
            Stage::Packed => {
                if rng.bool() {
                    body["freight"] = money(rng.i64(0..800));
                }
                ("fulfilment.ship", body)
            }
            Stage::Shipped | Stage::Delivered | Stage::Void => ("fulfilment.deliver", body),
        }
    }

    fn plan(&mut self, shop: &Shop, rng: &mut Rng) -> Named {
        let ready: Vec<_> = shop
            .orders
            .iter()
            .filter(|(_, order)| matches!(order.state, OrderState::Released | OrderState::InFulfilment))
            .collect();
        let Some((id, order)) = one_of(&ready, rng) else { return self.pay(shop, rng) };
        let mut body = json!({"order": id});
        if let (Some(line), 0) = (one_of(&order.lines, rng), rng.u8(..3)) {
            let wanted = rng.i64(1..=line.ordered);
            body["lines"] = json!([{"line": line.number, "quantity": wanted}]);
            if let Some((location, _)) = line.at.first() {
                body["location"] = location.clone().into();
            }
        }
        self.document(rng, "shipment", "s", &mut body);
        ("fulfilment.plan", body)
    }
}

/// Some lines come up short, which is explained or not.
fn picked(shipment: &Shipment, rng: &mut Rng) -> Vec<Value> {
    let mut lines = Vec::new();
    for (line, planned, _) in &shipment.lines {
        if rng.bool() {
            let too_many = i64::from(rng.u8(..20) == 0);
            let mut picked = json!({"line": line, "quantity": rng.i64(0..=planned + too_many)});
            if rng.u8(..8) != 0 {
                picked["short"] = ["adjust", "quarantine"][rng.usize(..2)].into();
            }
            lines.push(picked);
        }
    }
    lines
}
