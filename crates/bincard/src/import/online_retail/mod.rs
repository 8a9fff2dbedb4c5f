//! A real shop's invoices (the Online Retail II data set) as commands: orders, returns, adjustments, fees, bad debt.
//!
//! | phase | module | gives |
//! |---|---|---|
//! | 1 read | `read` | lines with exact prices, from CSV or gzip in either column layout |
//! | 2 group | `invoice` | invoices in order, each line under what it means, by the one list in `codes` |
//! | 3 plan | `plan`, `sale`, `credit`, `matching` | the commands of each invoice, the same every time |
//! | 4 open | `opening` | the least stock to begin with, over that very list of commands |
//!
//! # Importing twice, and files that overlap
//!
//! A command's id names its invoice and step, so what a ledger has once it does not take again. For that, a command
//! must say the same from whatever file it comes. Everything that an invoice alone decides does. What hangs on other
//! invoices is marked with [`Repeat`]:
//!
//! - a SKU's name and its cost before the first sale are set once and never compared ([`Repeat::Keep`]);
//! - what a returned line is matched against depends on how far back the file goes, down to the number of commands.
//!   The first command of such an invoice carries a digest of them all, so its answer speaks for the invoice
//!   ([`Repeat::Invoice`]): a duplicate means that the same plan is being resumed, a conflict means that the invoice
//!   was imported from a file with another history, and then none of its other commands is sent.
//!
//! Asking the ledger what it knows of each purchase instead was rejected: it would make the plan depend on when it is
//! made, and a resumed import could then contradict its own first half.

pub mod codes;
mod credit;
pub mod invoice;
pub mod matching;
pub mod opening;
pub mod plan;
pub mod read;
mod sale;

pub use opening::{Opening, OpeningMode, Recall, Recorded, Shortfall};
pub use plan::{Assumptions, Plan, Planned, Repeat};
