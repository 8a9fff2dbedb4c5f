//! What is asked of the ledger: a shop with so many items, and orders of two lines for them.

use command_api::auth::Caller;
use command_api::{Batch, Request};
use ledger_core::orders::{Place, PlaceLine};
use ledger_core::values::{NonNegativeAmount, PositiveQuantity, Price, Quantity, Text};
use ledger_core::{Submission, Submitted};

/// Commands of one batch.
pub(super) const BATCH: usize = 500;
/// The channel of every order: it refuses what it has not.
const CHANNEL: &str = "bench";
/// What the fields of an order take as JSON, about.
const BODY_BYTES: usize = 160;
/// Stock of each item: more than any run asks for.
const PLENTY: u64 = 100_000_000;

/// Which items orders ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mix {
    /// Two of all of them.
    Spread,
    /// The same one twice, every order.
    Hot,
}

/// The orders of a run: the number says which, and `run` keeps its ids apart from those of other runs.
#[derive(Debug, Clone)]
pub(super) struct Orders {
    /// In every id: two runs in one ledger never meet.
    pub(super) run: String,
    /// Items of the shop.
    pub(super) items: usize,
    /// Which of them are asked for.
    pub(super) mix: Mix,
}

impl Orders {
    /// The id of an order, and of the command that places it.
    pub(super) fn id(&self, number: usize) -> String {
        format!("{}-{number:08}", self.run)
    }

    /// The SKUs of an order's two lines.
    pub(super) fn skus(&self, number: usize) -> [String; 2] {
        let items = match self.mix {
            Mix::Spread => [number * 31 % self.items, (number * 7919 + 13) % self.items],
            Mix::Hot => [0, 0],
        };
        items.map(sku)
    }

    /// The fields of `orders.place`.
    pub(super) fn body(&self, number: usize) -> String {
        let [first, second] = self.skus(number);
        let line = |sku: &str| format!(r#"{{"sku":"{sku}","quantity":1,"price":"4.90"}}"#);
        format!(
            r#"{{"order":"{}","channel":"bench","lines":[{},{}]}}"#,
            self.id(number),
            line(&first),
            line(&second)
        )
    }

    /// The typed command under its id, as a program makes it that has the ledger in its own process.
    pub(super) fn request(&self, number: usize) -> Request {
        let one = Quantity::try_new(1).and_then(PositiveQuantity::try_new);
        let line = |sku: String| PlaceLine {
            line: None,
            sku: short(sku),
            quantity: one.expect("one is more than none"),
            price: Price::try_from_millionths(4_900_000).expect("a small price"),
            discount: NonNegativeAmount::default(),
            taxes: Vec::new(),
        };
        let place = Place {
            order: Some(short(self.id(number))),
            channel: short(CHANNEL),
            customer: None,
            destination: None,
            ship_by: None,
            deliver_by: None,
            priority: 5,
            lines: self.skus(number).map(line).into(),
            charges: Vec::new(),
        };
        let Caller { actor, roles, rights } = Caller::anonymous();
        let commands = vec![Submitted::new(short(self.id(number)), None, None, place)];
        let submission = Submission { actor, roles, correlation: None, commands };
        Request { submission, rights, dry_run: false, bytes: BODY_BYTES }
    }

    /// The orders from `first` on as batches of JSON, the way they travel.
    pub(super) fn batches(&self, numbers: std::ops::Range<usize>) -> Vec<Vec<u8>> {
        let ends = numbers.end;
        let batch = |first: usize| {
            let commands = (first..(first + BATCH).min(ends))
                .map(|number| item("orders.place", &self.id(number), &self.body(number)));
            joined(commands)
        };
        numbers.step_by(BATCH).map(batch).collect()
    }

    /// The same as typed commands, each batch made when it is its turn.
    pub(super) fn typed_batches(&self, numbers: std::ops::Range<usize>) -> impl Iterator<Item = Batch> {
        let ends = numbers.end;
        let batch = move |first: usize| {
            let numbers = first..(first + BATCH).min(ends);
            Batch::Each(numbers.map(|number| Ok(self.request(number))).collect())
        };
        numbers.step_by(BATCH).map(batch)
    }
}

/// What makes the shop, as batches of JSON: a location, a channel that refuses what it has not, and items with stock.
pub(super) fn shop(run: &str, items: usize, stock: Option<u64>) -> Vec<Vec<u8>> {
    let location = r#"{"location":"BENCH1","name":"Bench","kind":"warehouse"}"#;
    let channel = r#"{"channel":"bench","name":"Bench","kind":"b2b","settlement":"on_account","oversell":"refuse","partial_shipment":"allowed","locations":["BENCH1"]}"#;
    let mut commands = vec![
        item("locations.define", &format!("{run}-location"), location),
        item("channels.define", &format!("{run}-channel"), channel),
    ];
    let stock = stock.unwrap_or(PLENTY);
    for number in 0..items {
        let sku = sku(number);
        let define = format!(r#"{{"sku":"{sku}","name":"Item {number}"}}"#);
        let activate = format!(r#"{{"sku":"{sku}"}}"#);
        let receive =
            format!(r#"{{"sku":"{sku}","location":"BENCH1","quantity":{stock},"unit_cost":"2.50"}}"#);
        commands.push(item("items.define", &format!("{run}-d{number}"), &define));
        commands.push(item("items.activate", &format!("{run}-a{number}"), &activate));
        commands.push(item("stock.receive", &format!("{run}-r{number}"), &receive));
    }
    commands.chunks(3 * BATCH).map(|chunk| joined(chunk.iter().cloned())).collect()
}

/// A short plain text.
fn short<T: Text>(text: impl AsRef<str>) -> T {
    T::try_new(text).expect("a short plain text")
}

fn sku(number: usize) -> String {
    format!("BENCH-{number:06}")
}

/// The body is JSON already; ids and names need no escapes.
fn item(command: &str, id: &str, body: &str) -> String {
    format!(r#"{{"command":"{command}","id":"{id}","body":{body}}}"#)
}

fn joined(commands: impl Iterator<Item = String>) -> Vec<u8> {
    let mut json = String::from("[");
    for (at, command) in commands.enumerate() {
        if at > 0 {
            json.push(',');
        }
        json.push_str(&command);
    }
    json.push(']');
    json.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use command_api::Envelope;

    #[test]
    fn what_travels_is_what_the_ledger_reads() {
        let orders = Orders { run: "r".into(), items: 10, mix: Mix::Spread };
        let batches = orders.batches(0..BATCH + 1);
        assert_eq!(batches.len(), 2);
        let Batch::Each(requests) = Batch::read(&batches[1], &Envelope::default()).unwrap() else { panic!() };
        let [Ok(request)] = &requests[..] else { panic!("{requests:?}") };
        let (read, typed) = (&request.submission.commands[0], &orders.request(500).submission.commands[0]);
        assert_eq!((read.id.as_str(), &read.command), ("r-00000500", &typed.command));
        for batch in shop("r", 3, None) {
            let Batch::Each(requests) = Batch::read(&batch, &Envelope::default()).unwrap() else { panic!() };
            assert!(requests.iter().all(Result::is_ok), "{requests:?}");
        }
    }

    #[test]
    fn a_hot_order_asks_for_one_item() {
        let orders = Orders { run: "r".into(), items: 10, mix: Mix::Hot };
        assert_eq!(orders.skus(7), ["BENCH-000000", "BENCH-000000"]);
    }
}
