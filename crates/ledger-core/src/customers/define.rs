//! A new customer, by an id alone: names and addresses never enter the ledger.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Customer, Refusal};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{CountryCode, CustomerId, Name};

/// Adds a customer.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// The business's own key; no personal data.
    pub customer: CustomerId,
    /// The business's own grouping (retail, trade, gold …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
    /// Where the customer is at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
}

/// A customer is known.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Defined {
    /// The business's own key.
    pub customer: CustomerId,
    /// The business's own grouping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
    /// Where the customer is at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
}

impl Action for Define {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        if draft.ledger().customers.row(&self.customer).is_some() {
            return Err(Refusal::CustomerExists { customer: self.customer.clone() }.into());
        }
        let Define { customer, class, country } = self.clone();
        draft.record(Defined { customer, class, country });
        Ok(())
    }
}

impl Fact for Defined {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Customer, &self.customer));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Defined { customer, class, country } = self.clone();
        ledger.customers.table.insert(customer, Customer { class, country });
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::given_nothing;
    use serde_json::json;

    #[test]
    fn a_customer_is_defined_once() {
        let customer = json!({"customer": "12345", "class": "trade", "country": "NL"});
        given_nothing()
            .when("customers.define", customer.clone())
            .then(json!([{"type": "customers.defined", "customer": "12345", "class": "trade", "country": "NL"}]))
            .when("customers.define", customer)
            .refused("customer_exists");
    }

    #[test]
    fn an_id_is_all_that_a_customer_needs() {
        given_nothing()
            .when("customers.define", json!({"customer": "12345"}))
            .then(json!([{"type": "customers.defined", "customer": "12345"}]));
    }
}
