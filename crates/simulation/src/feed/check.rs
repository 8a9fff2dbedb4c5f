//! In the end: the n-th message is the n-th event, and a consumer that applies nothing else comes to the same books.

use std::collections::BTreeMap;

use command_api::feed::Message;
use fastrand::Rng;
use journal::{Checked, FrameSource, Head, JournalRead};
use ledger_core::Entry;
use serde_json::Value;
use uuid::Uuid;

use super::{Feed, LEDGER};
use crate::Violation;
use crate::model::Shop;

/// Somebody who knows the ledger by its feed alone.
#[derive(Debug, Default)]
struct Consumer {
    /// The last event applied.
    last: u64,
    units: BTreeMap<(String, String, String), i64>,
    /// Debits less credits, in minor units.
    balances: BTreeMap<String, i64>,
}

impl Feed {
    /// Holds the stream against the journal, event by event, and a consumer of it against the naive shop.
    pub(crate) fn check(
        &self,
        journal: &dyn JournalRead,
        shop: &Shop,
        rng: &mut Rng,
    ) -> Result<(), Violation> {
        let ledger = Uuid::from_bytes(journal.head().ledger);
        let names = names_of(journal)?;
        if names.len() != self.stream.len() {
            return Err(format!("{} events, and {} in the feed", names.len(), self.stream.len()).into());
        }
        for ((ordinal, name), message) in (1u64..).zip(&names).zip(&self.stream) {
            let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
            let same = message.ordinal == ordinal
                && message.subject == format!("bincard.{LEDGER}.event.{name}")
                && header("ce-id") == Some(format!("{ledger}/{ordinal}"))
                && header("ce-type") == Some(format!("bincard.{name}"));
            if !same {
                return Err(format!("event {ordinal} is {name}, the feed has {message:?}").into());
            }
        }
        let mut consumer = Consumer::default();
        for at in 0..self.stream.len() {
            // What was delivered before is delivered again now and then.
            let again = if rng.u8(..10) == 0 { rng.usize(..4).min(at) } else { 0 };
            self.stream[at - again..=at].iter().try_for_each(|message| consumer.hear(message))?;
        }
        consumer.agrees_with(shop)
    }
}

/// The name of every event of the journal, in order.
fn names_of(journal: &dyn JournalRead) -> Result<Vec<&'static str>, Violation> {
    let fault = |fault: journal::Fault| Violation(fault.to_string());
    let mut frames =
        Checked::after(journal.frames_from(1).map_err(fault)?, Head::empty(journal.head().ledger));
    let mut names = Vec::new();
    while let Some(frame) = frames.next_frame().map_err(fault)? {
        for (_, _, bytes) in frame.entries() {
            let entry = Entry::decode(bytes).map_err(|fault| Violation(fault.to_string()))?;
            names.extend(entry.events().map(ledger_core::Event::name));
        }
    }
    Ok(names)
}

impl Consumer {
    fn hear(&mut self, message: &Message) -> Result<(), Violation> {
        if message.ordinal <= self.last {
            return Ok(());
        }
        self.last += 1;
        let body: Value =
            serde_json::from_slice(&message.body).map_err(|fault| Violation(fault.to_string()))?;
        for movement in list(&body, "movements") {
            let units = movement["quantity"].as_i64().unwrap_or_default();
            self.move_units(movement, "from", -units);
            self.move_units(movement, "to", units);
        }
        for posting in list(&body, "postings") {
            let amount = minor(&posting["debit"]) - minor(&posting["credit"]);
            *self.balances.entry(text(&posting["account"])).or_default() += amount;
        }
        Ok(())
    }

    fn move_units(&mut self, movement: &Value, end: &str, units: i64) {
        let end = &movement[end];
        if end["world"].is_null() {
            let cell = (text(&movement["sku"]), text(&end["location"]), text(&end["status"]));
            *self.units.entry(cell).or_default() += units;
        }
    }

    fn agrees_with(mut self, shop: &Shop) -> Result<(), Violation> {
        self.units.retain(|_, units| *units != 0);
        self.balances.retain(|_, balance| *balance != 0);
        let there = shop.stock.units.iter().filter(|(_, units)| **units != 0);
        let units = there.map(|((sku, location, status), units)| {
            ((sku.clone(), location.clone(), (*status).to_owned()), *units)
        });
        let balances = shop.money.balances.iter().filter(|(_, balance)| **balance != 0);
        let wanted = Consumer {
            last: self.last,
            units: units.collect(),
            balances: balances.map(|(account, balance)| (account.clone(), *balance)).collect(),
        };
        match self.units == wanted.units && self.balances == wanted.balances {
            true => Ok(()),
            false => Err(format!("by the feed: {self:?}\nwanted {wanted:?}").into()),
        }
    }
}

fn list<'v>(body: &'v Value, field: &str) -> &'v [Value] {
    body[field].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Minor units of an amount, nothing where there is none.
fn minor(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or("0.00");
    text.replace('.', "").parse().expect("an amount has two places")
}
