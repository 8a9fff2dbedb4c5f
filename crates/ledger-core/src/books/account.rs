//! The default chart of accounts: code and name.

use crate::codes;

macro_rules! chart {
    ($($variant:ident = $tag:literal $code:literal $name:literal $kind:ident),+ $(,)?) => {
        codes! {
            /// An account of the default chart, by its code.
            pub enum Account { $(#[doc = $name] $variant = $tag $code),+ }
        }

        impl Account {
            /// The account's name.
            pub const fn name(self) -> &'static str {
                match self { $(Account::$variant => $name),+ }
            }

            /// Where the account stands in the statements.
            pub const fn kind(self) -> AccountKind {
                match self { $(Account::$variant => AccountKind::$kind),+ }
            }
        }
    };
}

codes! {
    /// Where an account stands in the statements.
    pub enum AccountKind {
        /// What we own.
        Asset = 1 "asset",
        /// What we owe.
        Liability = 2 "liability",
        /// What the owners put in.
        Equity = 3 "equity",
        /// What we earned.
        Income = 4 "income",
        /// What it cost.
        Expense = 5 "expense",
    }
}

chart! {
    Bank = 1 "1000" "Bank" Asset,
    Receivable = 2 "1100" "Receivable" Asset,
    ChannelClearing = 3 "1110" "Channel clearing" Asset,
    ChannelReserve = 4 "1120" "Channel reserve" Asset,
    Disputed = 5 "1130" "Disputed" Asset,
    DueFromCompany = 6 "1150" "Due from company" Asset,
    SettlementSuspense = 7 "1190" "Settlement suspense" Asset,
    InputTax = 8 "1200" "Input tax" Asset,
    SupplierPrepayments = 9 "1300" "Supplier prepayments" Asset,
    Inventory = 10 "1400" "Inventory" Asset,
    InventoryInTransit = 11 "1410" "Inventory in transit" Asset,
    GoodsInDelivery = 12 "1420" "Goods in delivery" Asset,
    SupplierClaims = 13 "1450" "Supplier claims" Asset,
    CarrierClaims = 14 "1460" "Carrier claims" Asset,
    Payable = 15 "2000" "Payable" Liability,
    DueToCompany = 16 "2050" "Due to company" Liability,
    GoodsReceivedNotInvoiced = 17 "2100" "Goods received, not invoiced" Liability,
    LandedCostClearing = 18 "2110" "Landed cost clearing" Liability,
    AccruedFreight = 19 "2120" "Accrued freight" Liability,
    AccruedFees = 20 "2130" "Accrued fees" Liability,
    OutputTax = 21 "2200" "Output tax" Liability,
    FacilitatorTax = 22 "2210" "Facilitator tax" Liability,
    CustomerDeposits = 23 "2300" "Customer deposits" Liability,
    RefundsPayable = 24 "2310" "Refunds payable" Liability,
    StoreCredit = 25 "2320" "Vouchers and store credit" Liability,
    OpeningEquity = 26 "3000" "Opening equity" Equity,
    Revenue = 27 "4000" "Revenue" Income,
    ChargeRevenue = 28 "4100" "Shipping and charge revenue" Income,
    Discounts = 29 "4200" "Discounts" Income,
    ReturnsAndAllowances = 30 "4300" "Returns and allowances" Income,
    RestockingFees = 31 "4400" "Restocking fees" Income,
    Reimbursements = 32 "4500" "Reimbursements" Income,
    Breakage = 33 "4600" "Breakage" Income,
    IntercompanyMargin = 34 "4700" "Intercompany margin" Income,
    CostOfGoodsSold = 35 "5000" "Cost of goods sold" Expense,
    WriteOffs = 36 "5100" "Write-offs" Expense,
    WriteDown = 37 "5110" "Write-down" Expense,
    LostInDelivery = 38 "5120" "Lost in delivery" Expense,
    Shrinkage = 39 "5200" "Shrinkage" Expense,
    PurchasePriceVariance = 40 "5300" "Purchase price variance" Expense,
    Revaluation = 41 "5310" "Revaluation" Expense,
    ChannelFees = 42 "5400" "Channel fees" Expense,
    FreightOut = 43 "5500" "Freight out" Expense,
    RefurbishmentAbsorbed = 44 "5600" "Refurbishment absorbed" Expense,
    ExchangeDifferences = 45 "5700" "Exchange differences" Expense,
    BadDebt = 46 "5800" "Bad debt" Expense,
    BankCharges = 47 "5810" "Bank charges" Expense,
}

impl Account {
    /// How many accounts there are.
    pub const COUNT: usize = Account::ALL.len();

    /// Its position in an array by account.
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}
