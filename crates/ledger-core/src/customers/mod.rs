//! The customers: who orders, as far as the books need to know. No personal data.

mod define;

pub use define::{Define, Defined};

use bincode::{Decode, Encode};

use crate::ledger::Ledger;
use crate::state::{Row, Table};
use crate::values::{CountryCode, CustomerId, Name};
use crate::{refusals, state};

/// A customer as the business defined it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Customer {
    /// The business's own grouping (retail, trade, gold …).
    pub class: Option<Name>,
    /// Where the customer is at home.
    pub country: Option<CountryCode>,
}

state! {
    /// Every customer ever defined.
    pub struct Customers {
        pub(crate) table: Table<CustomerId, Customer>,
    }
}

impl Customers {
    /// The customer under an id.
    pub fn find(&self, id: &CustomerId) -> Option<&Customer> {
        self.table.find(id)
    }

    /// The row of a customer.
    pub fn row(&self, id: &CustomerId) -> Option<Row> {
        self.table.row(id)
    }

    /// Every customer, in the order of definition.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &CustomerId, &Customer)> {
        self.table.iter()
    }
}

refusals! {
    /// Why a customer is refused.
    pub enum Refusal {
        /// A customer is defined once.
        #[error("customer {customer} is already defined")]
        CustomerExists {
            /// The customer.
            customer: CustomerId,
        },
        /// Nobody defined that customer.
        #[error("customer {customer} is not defined: define it with customers.define first")]
        UnknownCustomer {
            /// The customer.
            customer: CustomerId,
        },
    }
}

/// The customer, if it was ever defined.
pub fn known<'l>(ledger: &'l Ledger, customer: &CustomerId) -> Result<(Row, &'l Customer), Refusal> {
    let row = ledger
        .customers
        .table
        .row(customer)
        .ok_or_else(|| Refusal::UnknownCustomer { customer: customer.clone() })?;
    Ok((row, ledger.customers.table.get(row)))
}
