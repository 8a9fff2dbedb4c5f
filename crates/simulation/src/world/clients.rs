//! Clients and the network between them and the process: messages are lost, doubled, late and out of order.

use std::rc::Rc;

use fastrand::Rng;

use super::happenings::{ClientHappening, Happenings, Message};
use crate::ask::Ask;
use crate::model::Shop;
use crate::workload::{Named, Workload, set_up};

const ATTEMPTS_MAX: u32 = 12;

pub(crate) struct Client {
    /// What it waits for: the request's number, what it asked, and how often it sent it.
    waits_for: Option<(u64, Rc<Ask>, u32)>,
    /// What it asked last, to be repeated or contradicted under the same id.
    last: Option<Rc<Ask>>,
}

/// How the network of a seed behaves.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    lost_percent: u8,
    doubled_percent: u8,
    late_percent: u8,
}

pub(crate) struct Clients {
    pub(crate) network: Network,
    workload: Workload,
    all: Vec<Client>,
    /// What sets the shop up: the first client sends it.
    to_set_up: std::vec::IntoIter<Named>,
    /// The shop is set up: all clients trade.
    trading: bool,
    requests: u64,
    /// Commands yet to be sent.
    pub(crate) left: u64,
}

impl Network {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut percent = |often: &[u8]| often[rng.usize(..often.len())];
        Network {
            lost_percent: percent(&[0, 0, 3, 15]),
            doubled_percent: percent(&[0, 0, 3, 15]),
            late_percent: percent(&[0, 0, 5, 20]),
        }
    }

    /// When copies of a message sent now arrive: never, once, or more often.
    pub(crate) fn arrivals(&self, now: u64, rng: &mut Rng) -> Vec<u64> {
        let copies = self.copies(rng);
        let delay = |rng: &mut Rng| {
            let late = rng.u8(..100) < self.late_percent;
            if late { rng.u64(50_000..3_000_000) } else { rng.u64(100..8_000) }
        };
        (0..copies).map(|_| now + delay(rng)).collect()
    }

    /// The same on a way that keeps the order: at this moment, but for those that are late.
    pub(crate) fn arrivals_in_order(&self, moment: u64, rng: &mut Rng) -> Vec<u64> {
        let late = |rng: &mut Rng| rng.u8(..100) < self.late_percent / 2;
        let delay = |rng: &mut Rng| if late(rng) { rng.u64(50_000..3_000_000) } else { 0 };
        (0..self.copies(rng)).map(|_| moment + delay(rng)).collect()
    }

    fn copies(&self, rng: &mut Rng) -> usize {
        match rng.u8(..100) {
            roll if roll < self.lost_percent => 0,
            roll if roll < self.lost_percent + self.doubled_percent => 2,
            _ => 1,
        }
    }
}

impl Clients {
    pub(crate) fn new(rng: &mut Rng, commands: u64) -> Self {
        let all = (0..rng.usize(1..6)).map(|_| Client { waits_for: None, last: None }).collect();
        Clients {
            network: Network::new(rng),
            workload: Workload::new(rng),
            all,
            to_set_up: set_up(rng).into_iter(),
            trading: false,
            requests: 0,
            left: commands,
        }
    }

    pub(crate) fn are_done(&self) -> bool {
        self.left == 0 && self.all.iter().all(|client| client.waits_for.is_none())
    }

    pub(crate) fn begin<T: From<ClientHappening>>(&self, happenings: &mut Happenings<T>) {
        happenings.at(0, ClientHappening::Acts { client: 0 });
    }

    /// A client that waits for nothing sends its next command.
    pub(crate) fn act<T: From<ClientHappening>>(
        &mut self,
        client: usize,
        shop: &Shop,
        rng: &mut Rng,
        (now, wall): (u64, i64),
        happenings: &mut Happenings<T>,
    ) {
        if self.all[client].waits_for.is_some() || self.left == 0 {
            return;
        }
        let Some(ask) = self.next(client, shop, rng, wall) else { return };
        self.left -= 1;
        self.requests += 1;
        self.all[client].waits_for = Some((self.requests, Rc::new(ask), 0));
        self.send(client, rng, now, happenings);
    }

    fn next(&mut self, client: usize, shop: &Shop, rng: &mut Rng, wall: i64) -> Option<Ask> {
        let id = format!("c{}", self.requests + 1);
        if let Some(named) = self.to_set_up.next() {
            let mut command = self.workload.command(rng, id, named, wall);
            command.effective_at = None;
            return Some(Ask { commands: vec![command], dry_run: false });
        }
        let mut ask = self.workload.next(shop, rng, &id, wall);
        match (&self.all[client].last, rng.u8(..100)) {
            // The same again, long after it was answered.
            (Some(last), 0..4) => return Some(last.as_ref().clone()),
            // Another command under an id that is taken.
            (Some(last), 4..7) => ask.commands[0].id = last.commands[0].id.clone(),
            _ if rng.u8(..60) == 0 => {
                // One that is a timer's.
                ask.commands[0].id = shop.dues().first().map_or(id, |due| due.id());
            }
            _ => {}
        }
        Some(ask)
    }

    fn send<T: From<ClientHappening>>(
        &mut self,
        client: usize,
        rng: &mut Rng,
        now: u64,
        happenings: &mut Happenings<T>,
    ) {
        let Some((request, ask, attempts)) = &mut self.all[client].waits_for else { return };
        *attempts += 1;
        for moment in self.network.arrivals(now, rng) {
            let message = Message { client, request: *request, ask: Rc::clone(ask) };
            happenings.at(moment, ClientHappening::Arrives(message));
        }
        happenings.at(now + rng.u64(200_000..900_000), ClientHappening::Waited { client, request: *request });
    }

    /// No answer came in time: the same is sent again, under the same id, until the client gives up.
    pub(crate) fn waited<T: From<ClientHappening>>(
        &mut self,
        client: usize,
        request: u64,
        rng: &mut Rng,
        now: u64,
        happenings: &mut Happenings<T>,
    ) {
        match &self.all[client].waits_for {
            Some((number, ask, attempts)) if *number == request && *attempts >= ATTEMPTS_MAX => {
                let ask = Rc::clone(ask);
                self.settle(client, ask, rng, now, happenings);
            }
            Some((number, ..)) if *number == request => self.send(client, rng, now, happenings),
            Some(_) | None => {}
        }
    }

    /// An answer came; one that settles nothing is waited out and asked again.
    pub(crate) fn answered<T: From<ClientHappening>>(
        &mut self,
        client: usize,
        (request, settled): (u64, bool),
        rng: &mut Rng,
        now: u64,
        happenings: &mut Happenings<T>,
    ) {
        match &self.all[client].waits_for {
            Some((number, ask, _)) if *number == request && settled => {
                let ask = Rc::clone(ask);
                self.settle(client, ask, rng, now, happenings);
            }
            Some(_) | None => {}
        }
    }

    fn settle<T: From<ClientHappening>>(
        &mut self,
        client: usize,
        ask: Rc<Ask>,
        rng: &mut Rng,
        now: u64,
        happenings: &mut Happenings<T>,
    ) {
        self.all[client].waits_for = None;
        self.all[client].last = Some(ask);
        if self.to_set_up.len() == 0 && !self.trading {
            self.trading = true;
            for other in 1..self.all.len() {
                happenings.at(now + rng.u64(..5_000), ClientHappening::Acts { client: other });
            }
        }
        happenings.at(now + rng.u64(..20_000), ClientHappening::Acts { client });
    }
}
