//! A balanced posting by hand, for what no other action says: fees, bank charges, bad debt, corrections.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::books::{Account, Fact, Posting, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Amount, ChannelId, CountryCode, Note, PositiveAmount, PostingId, ReasonCode, Sku};

/// The most lines of one posting.
pub const POSTING_LINES_MAX: usize = 1_000;

/// Posts two or more lines whose debits equal their credits.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostManual {
    /// The posting's own id; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posting: Option<PostingId>,
    /// Two lines or more, at most 1,000.
    pub lines: Vec<ManualLine>,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// One line of a posting by hand: a debit or a credit.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualLine {
    /// The account, by its code; not one of the inventory control accounts 1400, 1410 and 1420.
    pub account: Account,
    /// What is debited; absent on a credit line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debit: Option<PositiveAmount>,
    /// What is credited; absent on a debit line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<PositiveAmount>,
    /// The sales channel it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The country it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// The item it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Sku>,
}

/// A posting was made by hand.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct PostedManually {
    /// The posting's own id.
    pub posting: PostingId,
    /// Its lines.
    pub lines: Vec<ManualLine>,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl ManualLine {
    /// A debit is positive, a credit negative.
    pub fn amount(&self) -> Amount {
        let side = |amount: Option<PositiveAmount>| amount.map_or(Amount::ZERO, PositiveAmount::get);
        side(self.debit) - side(self.credit)
    }
}

impl Action for PostManual {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let posting = draft.id_or_assigned(self.posting.as_ref());
        let ledger = draft.ledger();
        if ledger.finance.postings.row(&posting).is_some() {
            return Err(Refusal::PostingExists { posting }.into());
        }
        if !(2..=POSTING_LINES_MAX).contains(&self.lines.len()) {
            let (found, lines_max) = (self.lines.len(), POSTING_LINES_MAX);
            return Err(Refusal::PostingLinesOutOfRange { found, lines_max }.into());
        }
        for (line, number) in self.lines.iter().zip(1..) {
            check_line(ledger, line, number)?;
        }
        let side = |of: fn(&ManualLine) -> Option<PositiveAmount>| {
            self.lines.iter().filter_map(of).map(PositiveAmount::get).sum::<Amount>()
        };
        let (debit, credit) = (side(|line| line.debit), side(|line| line.credit));
        if debit != credit {
            return Err(Refusal::PostingNotBalanced { debit, credit }.into());
        }
        let PostManual { lines, reason, note, .. } = self.clone();
        draft.record(PostedManually { posting, lines, reason, note });
        Ok(())
    }
}

fn check_line(ledger: &Ledger, line: &ManualLine, number: u16) -> Result<(), Refusal> {
    let account = line.account;
    if line.debit.is_some() == line.credit.is_some() {
        return Err(Refusal::PostingLineNotOneSided { line: number });
    }
    // What is in stock is worth what its cost layers say, and a posting by hand moves no layer.
    if matches!(account, Account::Inventory | Account::InventoryInTransit | Account::GoodsInDelivery) {
        return Err(Refusal::ControlAccount { line: number, account });
    }
    if let Some(channel) = line.channel.clone().filter(|channel| ledger.channels.find(channel).is_none()) {
        return Err(Refusal::UnknownChannelOnLine { line: number, channel });
    }
    if let Some(item) = line.item.clone().filter(|item| ledger.items.row(item).is_none()) {
        return Err(Refusal::UnknownItemOnLine { line: number, item });
    }
    Ok(())
}

impl Fact for PostedManually {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Posting, &self.posting));
        for line in &self.lines {
            if let Some(channel) = &line.channel {
                each(Subject::new(SubjectKind::Channel, channel));
            }
            if let Some(item) = &line.item {
                each(Subject::new(SubjectKind::Item, item));
            }
        }
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        for line in &self.lines {
            let posting = Posting::debit(line.account, line.amount());
            let posting = posting.sold(line.channel.as_ref(), None, line.country.as_ref());
            each(Posting { item: line.item.as_ref(), ..posting });
        }
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        ledger.finance.postings.insert(self.posting.clone(), ());
        for line in &self.lines {
            ledger.finance.post_manually(line.account, line.amount());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Account;
    use crate::scenario::given_a_shop;
    use serde_json::{Value, json};

    fn bank_charge(debit: &str, credit: &str) -> Value {
        json!({"posting": "P-1", "reason": "bank_charge", "lines": [
            {"account": "5810", "debit": debit, "channel": "web", "country": "NL", "item": "TEA-01"},
            {"account": "1110", "credit": credit}]})
    }

    #[test]
    fn debits_and_credits_reach_their_accounts_and_are_known_as_manual() {
        let posted = given_a_shop()
            .when("finance.post_manual", bank_charge("12.50", "12.5"))
            .then(json!([{"type": "finance.posted_manually", "posting": "P-1", "lines": [
                {"account": "5810", "debit": "12.50", "channel": "web", "country": "NL", "item": "TEA-01"},
                {"account": "1110", "credit": "12.50"}], "reason": "bank_charge"}]))
            .balance(Account::BankCharges, "12.50")
            .balance(Account::ChannelClearing, "-12.50");
        assert_eq!(posted.ledger.finance().manual(Account::ChannelClearing).to_string(), "-12.50");
    }

    #[test]
    fn a_posting_id_is_used_once_and_assigned_when_absent() {
        let mut nameless = bank_charge("1", "1");
        nameless.as_object_mut().unwrap().remove("posting");
        given_a_shop()
            .and("finance.post_manual", bank_charge("1", "1"))
            .when("finance.post_manual", bank_charge("2", "2"))
            .refused("posting_exists")
            .and("finance.post_manual", nameless.clone())
            .when("finance.post_manual", nameless)
            .refused_with(
                json!({"code": "posting_exists", "posting": "07070707-0707-0707-0707-070707070707"}),
            );
    }

    #[test]
    fn a_posting_balances() {
        given_a_shop()
            .when("finance.post_manual", bank_charge("12.50", "12.49"))
            .refused_with(json!({"code": "posting_not_balanced", "debit": "12.50", "credit": "12.49"}));
    }

    #[test]
    fn a_posting_has_two_to_a_thousand_lines() {
        let body = |lines: Vec<Value>| json!({"lines": lines, "reason": "correction"});
        let pair = [json!({"account": "5810", "debit": "1"}), json!({"account": "1000", "credit": "1"})];
        let pairs = |count| pair.iter().cloned().cycle().take(count).collect();
        given_a_shop().when("finance.post_manual", body(Vec::new())).refused("posting_lines_out_of_range");
        given_a_shop().when("finance.post_manual", body(pairs(1))).refused("posting_lines_out_of_range");
        given_a_shop().when("finance.post_manual", body(pairs(1002))).refused("posting_lines_out_of_range");
        given_a_shop().and("finance.post_manual", body(pairs(1000))).balance(Account::Bank, "-500.00");
    }

    #[test]
    fn a_line_is_a_debit_or_a_credit() {
        let second =
            |line: Value| json!({"lines": [{"account": "5810", "debit": "1"}, line], "reason": "correction"});
        for line in [json!({"account": "1000"}), json!({"account": "1000", "debit": "1", "credit": "1"})] {
            given_a_shop()
                .when("finance.post_manual", second(line))
                .refused_with(json!({"code": "posting_line_not_one_sided", "line": 2}));
        }
    }

    #[test]
    fn inventory_is_worth_what_its_layers_say() {
        for account in ["1400", "1410", "1420"] {
            let body = json!({"lines": [{"account": account, "debit": "1"}, {"account": "1000", "credit": "1"}],
                "reason": "correction"});
            given_a_shop()
                .when("finance.post_manual", body)
                .refused_with(json!({"code": "control_account", "line": 1, "account": account}));
        }
    }

    #[test]
    fn a_line_names_a_known_channel_and_item() {
        let mut channel = bank_charge("1", "1");
        channel["lines"][1]["channel"] = json!("nope");
        given_a_shop().when("finance.post_manual", channel).refused("unknown_channel_on_line");
        let mut item = bank_charge("1", "1");
        item["lines"][0]["item"] = json!("NOPE");
        given_a_shop().when("finance.post_manual", item).refused("unknown_item_on_line");
    }

    #[test]
    fn an_account_holds_only_so_much() {
        let mut most = bank_charge("10000000000000", "10000000000000");
        most["posting"] = json!("P-0");
        given_a_shop()
            .and("finance.post_manual", most)
            .when("finance.post_manual", bank_charge("0.01", "0.01"))
            .refused("books_would_break");
    }
}
