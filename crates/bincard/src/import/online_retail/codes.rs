//! The one list of Online Retail's stock codes that are not stock, and what each of them is.

/// What a line with this code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Goods that are counted.
    Stock,
    /// Money that a customer pays beside goods or, on a credit note, gets back.
    Charge(ChargeKind),
    /// A gift voucher. It is charged like a service: the voucher as a liability of its own comes with the actions
    /// that sell and redeem one.
    Voucher,
    /// What a marketplace or bank takes from us, or gives back.
    Fee(FeeAccount),
    /// A receivable given up.
    BadDebt,
}

/// The kinds of charge that an order knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeKind {
    /// Postage and carriage.
    Shipping,
    /// Corrections of what was charged before.
    Fee,
    /// Anything else that is sold and not stocked.
    Service,
}

/// The expense account that a fee belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeAccount {
    /// 5400 channel fees.
    Channel,
    /// 5810 bank charges.
    Bank,
}

/// Exact codes. They are compared byte for byte, so both spellings of manual entries are listed.
const CODES: [(&str, Role); 17] = [
    ("POST", Role::Charge(ChargeKind::Shipping)),   // postage
    ("DOT", Role::Charge(ChargeKind::Shipping)),    // postage of the web shop
    ("C2", Role::Charge(ChargeKind::Shipping)),     // carriage
    ("C3", Role::Charge(ChargeKind::Shipping)),     // carriage; seen once, at no price
    ("M", Role::Charge(ChargeKind::Service)),       // entered by hand, nothing said
    ("m", Role::Charge(ChargeKind::Service)),       // the same
    ("S", Role::Charge(ChargeKind::Service)),       // samples
    ("TEST001", Role::Charge(ChargeKind::Service)), // "This is a test product.": billed, but no goods
    ("TEST002", Role::Charge(ChargeKind::Service)), // the same
    ("D", Role::Charge(ChargeKind::Fee)),           // discount granted, or taken back
    ("ADJUST", Role::Charge(ChargeKind::Fee)),      // adjustment of an account by a clerk
    ("ADJUST2", Role::Charge(ChargeKind::Fee)),     // the same
    ("GIFT", Role::Voucher),                        // seen once, at no price
    ("AMAZONFEE", Role::Fee(FeeAccount::Channel)),  // the marketplace's monthly bill
    ("CRUK", Role::Fee(FeeAccount::Channel)),       // commission of a charity's campaign
    ("BANK CHARGES", Role::Fee(FeeAccount::Bank)),  // charged by the bank, or passed on to a customer
    ("B", Role::BadDebt),                           // "Adjust bad debt"
];

/// Gift vouchers: `gift_0001_10` is one of 10 pounds.
const VOUCHER_PREFIX: &str = "gift_";

/// What lines with this code are about. Everything that is not listed is stock: `PADS` are cushion pads, `DCGS…` and
/// `SP1002` are goods of other ranges.
pub fn role(code: &str) -> Role {
    if code.starts_with(VOUCHER_PREFIX) {
        return Role::Voucher;
    }
    CODES.iter().find(|(listed, _)| *listed == code).map_or(Role::Stock, |(_, role)| *role)
}

impl ChargeKind {
    /// As the command wants it.
    pub fn as_str(self) -> &'static str {
        match self {
            ChargeKind::Shipping => "shipping",
            ChargeKind::Fee => "fee",
            ChargeKind::Service => "service",
        }
    }
}

impl FeeAccount {
    /// The account's code.
    pub fn as_str(self) -> &'static str {
        match self {
            FeeAccount::Channel => "5400",
            FeeAccount::Bank => "5810",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postage_is_a_charge_and_a_fee_is_not() {
        assert_eq!(role("POST"), Role::Charge(ChargeKind::Shipping));
        assert_eq!(role("AMAZONFEE"), Role::Fee(FeeAccount::Channel));
        assert_eq!(role("BANK CHARGES"), Role::Fee(FeeAccount::Bank));
        assert_eq!(role("gift_0001_10"), Role::Voucher);
        assert_eq!(role("B"), Role::BadDebt);
    }

    #[test]
    fn codes_are_compared_byte_for_byte() {
        for sku in ["85123A", "85123a", "47503J ", "post", "POST ", "PADS", "DCGS0058", "SP1002", "gift"] {
            assert_eq!(role(sku), Role::Stock, "{sku:?}");
        }
    }
}
