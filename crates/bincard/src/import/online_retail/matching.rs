//! Whose goods come back: a returned line against what the same customer, in the same country, bought of the same SKU
//! at the same price.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::invoice::{Invoice, Line, to_the_penny};

/// Some customers buy in two countries; revenue and its reversal belong to the same one.
type Key = (Arc<str>, Arc<str>, Arc<str>, Decimal);

/// What may still come back, of everything bought so far.
///
/// The latest purchase is taken first. That makes overlapping files agree: of two files that are stretches of the
/// same history, the one that starts later finds the same purchases in the stretch that both hold, because returns
/// reach further back only when everything later is used up.
#[derive(Debug, Default)]
pub struct Purchases {
    /// Only what is ever returned is worth remembering: a fortieth of all purchases.
    returned_ever: HashSet<Key>,
    open: HashMap<Key, Vec<Purchase>>,
}

#[derive(Debug)]
struct Purchase {
    order: Arc<str>,
    line: u32,
    quantity: i64,
    amount: Decimal,
}

/// A part of a returned line that was found on an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The order.
    pub order: Arc<str>,
    /// Its line, from 1.
    pub line: u32,
    /// How many units of it come back.
    pub quantity: i64,
    /// What is given back for them.
    pub amount: Decimal,
}

impl Purchases {
    /// Ready for these invoices, of which none is processed yet.
    pub fn of(invoices: &[Invoice]) -> Purchases {
        let mut returned_ever = HashSet::new();
        for invoice in invoices {
            let returned = invoice.lines.iter().filter(|line| line.quantity < 0);
            returned_ever.extend(returned.filter_map(|line| key(invoice, line)));
        }
        Purchases { returned_ever, open: HashMap::new() }
    }

    /// A customer bought these lines; they stand in the order in this sequence.
    pub fn remember(&mut self, invoice: &Invoice, sold: &[&Line]) {
        for (line, number) in sold.iter().zip(1..) {
            if let Some(key) = key(invoice, line).filter(|key| self.returned_ever.contains(key)) {
                let order = Arc::clone(&invoice.number);
                let purchase =
                    Purchase { order, line: number, quantity: line.quantity, amount: line.amount() };
                self.open.entry(key).or_default().push(purchase);
            }
        }
    }

    /// Takes what a customer returns from what was bought; the second part is the quantity that no purchase explains
    /// and what is given back for it. The amounts add up to the returned line's.
    pub fn take(&mut self, invoice: &Invoice, returned: &Line) -> (Vec<Match>, (i64, Decimal)) {
        let mut wanted = -returned.quantity;
        let mut given_back = Decimal::ZERO;
        let mut matches = Vec::new();
        let purchases = key(invoice, returned).and_then(|key| self.open.get_mut(&key));
        for purchase in purchases.into_iter().flatten().rev() {
            if wanted == 0 {
                break;
            }
            let quantity = wanted.min(purchase.quantity);
            let so_far = -returned.quantity - wanted + quantity;
            let amount = to_the_penny(Decimal::from(so_far) * returned.price) - given_back;
            // Pennies may have been rounded in the customer's favour before: no line gives back more than was paid.
            if quantity == 0 || amount > purchase.amount {
                continue;
            }
            purchase.quantity -= quantity;
            purchase.amount -= amount;
            wanted -= quantity;
            given_back += amount;
            matches.push(Match { order: Arc::clone(&purchase.order), line: purchase.line, quantity, amount });
        }
        (matches, (wanted, -returned.amount() - given_back))
    }
}

/// None for nobody: whose goods they are cannot be said.
fn key(invoice: &Invoice, line: &Line) -> Option<Key> {
    let customer = invoice.customer.as_ref()?;
    Some((Arc::clone(customer), Arc::clone(&invoice.country), Arc::clone(&line.sku), line.price))
}

#[cfg(test)]
mod tests {
    use super::super::invoice::tests::invoices;
    use super::*;

    type Matched = (String, i64, String);
    type Rest = (i64, String);

    /// What the last invoice's lines are matched to, after the others: (order, quantity, amount), and the rest.
    fn matched(lines: &[&str]) -> (Vec<Matched>, Rest) {
        let invoices = invoices(lines);
        let mut purchases = Purchases::of(&invoices);
        let mut result = (Vec::new(), (0, Decimal::ZERO));
        for invoice in &invoices {
            let split = invoice.split();
            for returned in &split.returned {
                result = purchases.take(invoice, returned);
            }
            purchases.remember(invoice, &split.sold);
        }
        let (matches, (rest, amount)) = result;
        let matches =
            matches.iter().map(|m| (m.order.to_string(), m.quantity, format!("{:.2}", m.amount))).collect();
        (matches, (rest, format!("{amount:.2}")))
    }

    #[test]
    fn the_latest_purchase_is_taken_first_and_the_rest_stays_unexplained() {
        let found = matched(&[
            "1,A,x,3,2010-01-01 10:00:00,2.5,17,EIRE",
            "2,A,x,2,2010-01-02 10:00:00,2.50,17,EIRE",
            "C3,A,x,-6,2010-01-03 10:00:00,2.50,17,EIRE",
        ]);
        let expected = vec![("2".to_owned(), 2, "5.00".to_owned()), ("1".to_owned(), 3, "7.50".to_owned())];
        assert_eq!(found, (expected, (1, "2.50".to_owned())));
    }

    #[test]
    fn other_customers_countries_prices_skus_and_later_purchases_do_not_match() {
        let found = matched(&[
            "1,A,x,3,2010-01-01 10:00:00,2.5,18,EIRE",
            "2,A,x,3,2010-01-01 10:00:00,2.4,17,EIRE",
            "3,a,x,3,2010-01-01 10:00:00,2.5,17,EIRE",
            "5,A,x,3,2010-01-01 10:00:00,2.5,17,Spain",
            "4,A,x,3,2010-01-05 10:00:00,2.5,17,EIRE",
            "C3,A,x,-1,2010-01-03 10:00:00,2.50,17,EIRE",
        ]);
        assert_eq!(found, (vec![], (1, "2.50".to_owned())));
    }

    #[test]
    fn what_came_back_once_does_not_come_back_again() {
        let found = matched(&[
            "1,A,x,1,2010-01-01 10:00:00,2.5,17,EIRE",
            "C2,A,x,-1,2010-01-02 10:00:00,2.50,17,EIRE",
            "C3,A,x,-1,2010-01-03 10:00:00,2.50,17,EIRE",
        ]);
        assert_eq!(found, (vec![], (1, "2.50".to_owned())));
    }

    #[test]
    fn no_line_gives_back_more_pennies_than_were_paid_for_it() {
        let found = matched(&[
            "1,A,x,2,2010-01-01 10:00:00,0.125,17,EIRE",   // 0.25 paid
            "C2,A,x,-1,2010-01-02 10:00:00,0.125,17,EIRE", // 0.13 back
            "C3,A,x,-1,2010-01-03 10:00:00,0.125,17,EIRE", // 0.13 more would be 0.26
        ]);
        assert_eq!(found, (vec![], (1, "0.13".to_owned())));
    }

    #[test]
    fn a_return_spread_over_orders_adds_up_to_its_own_rounded_amount() {
        let found = matched(&[
            "1,A,x,1,2010-01-01 10:00:00,0.125,17,EIRE",
            "2,A,x,1,2010-01-02 10:00:00,0.125,17,EIRE",
            "C3,A,x,-2,2010-01-03 10:00:00,0.125,17,EIRE",
        ]);
        let expected = vec![("2".to_owned(), 1, "0.13".to_owned()), ("1".to_owned(), 1, "0.12".to_owned())];
        assert_eq!(found, (expected, (0, "0.00".to_owned())));
    }
}
