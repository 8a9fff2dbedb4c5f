//! What the ledger that is imported into knows already, asked through the door before anything is sent.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::online_retail::opening::{self, Recall, Recorded};
use super::online_retail::{Plan, plan::LOCATION};
use super::planned::{Planned, Repeat};
use crate::door::{Answer, Batch, Door, DoorFault, Item, Outcome};

/// Answers collected from the ledger for one plan.
#[derive(Debug, Default)]
pub struct Known {
    commands: HashMap<String, Recall>,
    /// Adjustments that the bin cards have although their ids are forgotten.
    forgotten: HashSet<String>,
    on_hand: HashMap<String, i64>,
    moved: HashSet<String>,
}

impl Recorded for Known {
    fn on_hand(&self, sku: &str) -> i64 {
        self.on_hand.get(sku).copied().unwrap_or_default()
    }

    fn has_moved(&self, sku: &str) -> bool {
        self.moved.contains(sku)
    }

    fn recall(&self, planned: &Planned) -> Recall {
        self.commands.get(&planned.command_id).copied().unwrap_or(Recall::Unknown)
    }
}

impl Known {
    /// Asks about everything that decides how much stock the plan needs to begin with. A ledger that has never seen
    /// the import's location is asked one question only.
    pub async fn ask(door: &Door, plan: &Plan) -> Result<Known, DoorFault> {
        let mut known = Known::default();
        let location = plan.definitions().next().expect("the location is defined first");
        match door.send(&item(&location), true).await?.outcome {
            Outcome::Accepted => return Ok(known),
            // It was the import's first command: what came after it is remembered too.
            Outcome::Duplicate => known.recall_commands(door, plan, probe).await?,
            Outcome::Exists | Outcome::IdReused | Outcome::Refused | Outcome::Again => {
                known.recall_commands(door, plan, item).await?;
                known.recall_adjustments(door, plan).await?;
            }
        }
        known.read_stock(door).await?;
        for sku in opening::least(plan, &known).keys() {
            let query = json!({"filter": {"sku": **sku, "location": LOCATION}, "limit": 1});
            if !door.query("bin_card", &query).await?.rows.is_empty() {
                known.moved.insert(sku.to_string());
            }
        }
        Ok(known)
    }

    /// A dry run of a known command is answered from memory: as a duplicate, or as a conflict if it is another one.
    /// Once its id is forgotten, the document that it made still tells.
    async fn recall_commands(
        &mut self,
        door: &Door,
        plan: &Plan,
        asked_as: fn(&Planned) -> Item,
    ) -> Result<(), DoorFault> {
        let mut batch = Batch::default();
        let mut asked: Vec<(String, bool)> = Vec::new();
        for document in plan.trading() {
            for (number, planned) in document.iter().enumerate() {
                let speaks_for_all = number == 0 && planned.repeat == Repeat::Invoice;
                if planned.moves.is_empty() && !speaks_for_all {
                    continue;
                }
                let item = if speaks_for_all { item(planned) } else { asked_as(planned) };
                let encoded = serde_json::to_vec(&item).expect("an item is text and JSON");
                if !batch.has_room_for(&encoded) {
                    self.note(&mut asked, door.send_batch(std::mem::take(&mut batch), true).await?)?;
                }
                batch.push(&encoded);
                asked.push((planned.command_id.clone(), speaks_for_all));
            }
        }
        if batch.count() > 0 {
            self.note(&mut asked, door.send_batch(batch, true).await?)?;
        }
        Ok(())
    }

    /// An adjustment leaves no document behind: when its id is forgotten, the bin card has it.
    async fn recall_adjustments(&mut self, door: &Door, plan: &Plan) -> Result<(), DoorFault> {
        let mut skus: HashSet<String> = HashSet::new();
        for planned in plan.trading().flatten().filter(|planned| planned.name == "stock.adjust") {
            if self.recall(&planned) == Recall::Unknown {
                skus.extend(planned.moves.iter().map(|moved| moved.sku.to_string()));
            }
        }
        for sku in skus {
            let query = json!({"filter": {"sku": sku, "location": LOCATION}, "limit": 1000});
            let mut found = Vec::new();
            door.query_all("bin_card", &query, |rows| found.extend(rows)).await?;
            for row in found.iter().filter(|row| row["command"] == "stock.adjust") {
                if let Some(id) = row["command_id"].as_str() {
                    self.commands.insert(id.to_owned(), Recall::Same);
                    self.forgotten.insert(id.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Whether a command is in the ledger though its id is forgotten: it must not be sent.
    pub fn is_done(&self, planned: &Planned) -> bool {
        self.forgotten.contains(&planned.command_id)
    }

    fn note(&mut self, asked: &mut Vec<(String, bool)>, answers: Vec<Answer>) -> Result<(), DoorFault> {
        for ((id, speaks_for_all), answer) in asked.drain(..).zip(answers) {
            let recall = match answer.outcome {
                Outcome::Exists if speaks_for_all => Recall::Other,
                Outcome::Duplicate | Outcome::Exists => Recall::Same,
                Outcome::IdReused => Recall::Other,
                Outcome::Accepted | Outcome::Refused => continue,
                Outcome::Again => {
                    let (tried, why) = ("the ledger".to_owned(), answer.message);
                    return Err(DoorFault::NoAnswer { tried, why });
                }
            };
            self.commands.insert(id, recall);
        }
        Ok(())
    }

    async fn read_stock(&mut self, door: &Door) -> Result<(), DoorFault> {
        let query = json!({"filter": {"location": LOCATION, "status": "available"}, "limit": 1000});
        let on_hand = &mut self.on_hand;
        let each = |rows: Vec<Value>| {
            for row in rows {
                if let (Some(sku), Some(units)) = (row["sku"].as_str(), row["quantity"].as_i64()) {
                    *on_hand.entry(sku.to_owned()).or_default() += units;
                }
            }
        };
        door.query_all("stock_position", &query, each).await.map(drop)
    }
}

/// A small command under the id of a planned one: a conflict tells that the id is known, at a fraction of the cost of
/// deciding an order that is not.
fn probe(planned: &Planned) -> Item {
    let sku = planned.moves.first().map_or("", |moved| &*moved.sku);
    let id = Some(planned.command_id.clone());
    Item { command: "items.activate".to_owned(), id, effective_at: None, body: json!({"sku": sku}) }
}

/// A planned command as it travels.
pub fn item(planned: &Planned) -> Item {
    Item {
        command: planned.name.to_owned(),
        id: Some(planned.command_id.clone()),
        effective_at: planned.effective_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        body: planned.body.clone(),
    }
}
