//! A new place where stock can be.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Location, LocationKind, Refusal};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{CountryCode, LocationId, Name};

/// Adds a location.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// The business's own key.
    pub location: LocationId,
    /// Display name.
    pub name: Name,
    /// Warehouse, store, 3PL or drop-ship.
    pub kind: LocationKind,
    /// The region it serves from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<CountryCode>,
}

/// A location is there.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Defined {
    /// The business's own key.
    pub location: LocationId,
    /// Display name.
    pub name: Name,
    /// Warehouse, store, 3PL or drop-ship.
    pub kind: LocationKind,
    /// The region it serves from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<CountryCode>,
}

impl Action for Define {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        if draft.ledger().locations.row(&self.location).is_some() {
            return Err(Refusal::LocationExists { location: self.location.clone() }.into());
        }
        let Define { location, name, kind, region } = self.clone();
        draft.record(Defined { location, name, kind, region });
        Ok(())
    }
}

impl Fact for Defined {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Defined { location, name, kind, region } = self.clone();
        ledger.locations.table.insert(location, Location { name, kind, region });
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::given_nothing;
    use serde_json::json;

    #[test]
    fn a_location_is_defined_once() {
        let ams = json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"});
        given_nothing()
            .when("locations.define", ams.clone())
            .then(json!([{"type": "locations.defined", "location": "AMS1", "name": "Amsterdam", "kind": "warehouse"}]))
            .when("locations.define", ams)
            .refused("location_exists");
    }
}
