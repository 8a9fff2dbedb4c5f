//! What the shop says once and for all, and again another way: how long holds may stand, how long returns are awaited, when
//! orders are archived.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{CHANNELS, Named};

pub(super) const REASONS: [&str; 5] = ["payment", "stock", "fraud", "manual", "address"];

pub(super) fn policy(rng: &mut Rng) -> Named {
    let (name, mut body) = match rng.u8(..5) {
        3 | 4 => return ("orders.set_archiving", archiving(rng)),
        0 => ("returns.set_window", json!({"days": rng.u16(..3)})),
        _ => {
            let hours = if rng.u8(..20) == 0 { 87_841 } else { rng.u32(..5) };
            let action = ["unreserve", "cancel", "escalate"][rng.usize(..3)];
            let body =
                json!({"reason": REASONS[rng.usize(..REASONS.len())], "hours": hours, "action": action});
            ("orders.set_hold_limit", body)
        }
    };
    if rng.bool() {
        body["channel"] =
            if rng.u8(..20) == 0 { "nowhere" } else { CHANNELS[rng.usize(..CHANNELS.len())] }.into();
    }
    (name, body)
}

fn archiving(rng: &mut Rng) -> Value {
    if rng.u8(..6) == 0 { json!({}) } else { json!({"after_days": rng.u8(..8) / 4}) }
}
