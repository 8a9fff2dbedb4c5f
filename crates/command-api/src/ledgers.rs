//! The ledgers that one process runs; the first is the one that is meant where none is named.

use crate::service::Service;

/// One ledger or more, each with its own writer, journal and views.
#[derive(Clone)]
pub struct Ledgers(Vec<Service>);

impl Ledgers {
    /// These ledgers. `None` for no ledger at all.
    pub fn try_new(services: Vec<Service>) -> Option<Self> {
        (!services.is_empty()).then_some(Ledgers(services))
    }

    /// The ledger that is meant where none is named.
    pub fn default_ledger(&self) -> &Service {
        &self.0[0]
    }

    /// The ledger of this name.
    pub fn named(&self, name: &str) -> Option<&Service> {
        self.0.iter().find(|service| service.name() == name)
    }

    /// Every ledger.
    pub fn iter(&self) -> impl Iterator<Item = &Service> + Clone {
        self.0.iter()
    }

    /// Why a ledger takes no commands or shows no news; `None` while all is well.
    pub fn trouble(&self) -> Option<String> {
        self.0.iter().find_map(|service| Some(format!("{}: {}", service.name(), service.trouble()?)))
    }
}

impl From<Service> for Ledgers {
    fn from(service: Service) -> Self {
        Ledgers(vec![service])
    }
}
