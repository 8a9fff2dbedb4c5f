//! What falls due, by example.

use super::*;

/// Stock of which many claims can be made.
fn stocked() -> World {
    let location = json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"});
    let receipt = json!({"sku": "A", "location": "AMS1", "quantity": 1000, "unit_cost": "1"});
    World::serving()
        .sends(1, define("A"))
        .sends(2, request("activate", "items.activate", &json!({"sku": "A"})))
        .sends(3, request("place", "locations.define", &location))
        .sends(4, request("receive", "stock.receive", &receipt))
        .durable()
        .durable()
        .answered(&[(1, "accepted"), (2, "accepted"), (3, "accepted"), (4, "accepted")])
}

fn claim(id: &str) -> Request {
    let body = json!({"reservation": id, "sku": "A", "location": "AMS1", "quantity": 1,
        "until": "2026-01-01T00:10:00Z"});
    request(id, "stock.reserve", &body)
}

fn entries(frame: &Frame) -> Vec<Entry> {
    frame.entries().map(|(_, _, bytes)| Entry::decode(bytes).unwrap()).collect()
}

#[test]
fn what_falls_due_is_decided_when_its_time_comes_by_the_timer() {
    let world = stocked().sends(5, claim("cart-1")).durable().later(599 * SECOND).step(Input::Tick);
    let frames = world.frames.len();
    let world = world.later(SECOND).step(Input::Tick);
    let [entry] = entries(&world.frames[frames]).try_into().unwrap();
    assert_eq!((entry.actor.id.as_str(), entry.actor.kind.as_str()), ("timer", "timer"));
    assert_eq!(entry.commands[0].submitted.id.as_str(), "timer/reservation/cart-1/1767226200000000");
    assert_eq!(entry.events().next().unwrap().name(), "stock.reservation_expired");
    let world = world.durable().later(HOUR / 2).step(Input::Tick);
    assert_eq!(world.frames.len(), frames + 1, "it happens once");
}

#[test]
fn a_writer_that_was_away_does_what_fell_due_meanwhile_and_only_that() {
    let mut world = stocked().sends(5, claim("cart-1")).durable();
    for frames in [2, 1] {
        let mut ledger = Ledger::new();
        for frame in &world.frames {
            let at = Timestamp::from_micros(frame.header().log_time_us);
            entries(frame).iter().for_each(|entry| ledger.apply(entry, at).unwrap());
        }
        let (head, before) = (Head::after(world.frames.last().unwrap()), world.frames.len());
        let settings = Settings::named(Name::try_new("main").unwrap());
        let program = Name::try_new("bincard test").unwrap();
        let mut out = Vec::new();
        world = world.later(HOUR);
        world.writer = Writer::start(ledger, head, settings, program, world.now, &mut out);
        world.keep(out);
        world = world.durable().step(Input::Tick);
        assert_eq!(world.frames.len() - before, frames, "the epoch, and the timer only the first time");
        if frames == 2 {
            world = world.durable();
        }
    }
}

#[test]
fn many_timers_leave_room_for_commands_and_wait_for_a_clock_that_can_be_believed() {
    let mut world = stocked();
    for number in 0..150 {
        world = world.sends(9, claim(&format!("cart-{number}")));
    }
    let world = world.durable().durable();
    let frames = world.frames.len();
    let mut world = world.later(2 * HOUR).step(Input::Tick).step(Input::Tick);
    assert_eq!(world.frames.len(), frames, "the clock leapt");
    world.replies.clear();
    let world = world.step(Input::ClockConfirmed).sends(10, define("B"));
    assert_eq!(entries(&world.frames[frames]).len(), 64);
    let mut world = world.durable().answered(&[]);
    while world.writer.ledger().next_due().is_some() || !world.writer.is_settled() {
        world = world.durable();
    }
    let holds: Vec<usize> = world.frames[frames..].iter().map(|frame| entries(frame).len()).collect();
    assert_eq!(holds.iter().sum::<usize>(), 151);
    world.answered(&[(10, "accepted")]);
}

#[test]
fn a_caller_who_took_the_timers_id_does_not_hold_it_up() {
    let taken = request(
        "timer/reservation/cart-1/1767226200000000",
        "items.define",
        &json!({"sku": "B", "name": "B"}),
    );
    let world = stocked().sends(5, claim("cart-1")).sends(6, taken).durable().durable();
    let frames = world.frames.len();
    let world = world.later(600 * SECOND).step(Input::Tick);
    let [entry] = entries(&world.frames[frames]).try_into().unwrap();
    assert_eq!(entry.events().next().unwrap().name(), "stock.reservation_expired");
}

#[test]
fn what_is_due_and_refused_is_told_once_and_again_after_it_was_decided() {
    let mut world = stocked().sends(5, claim("cart-1")).durable();
    let due = world.writer.ledger().next_due().unwrap();
    let refused = world.writer.ledger.decide(define("A").submission, world.now).map(|_| ()).unwrap_err();
    let told = |world: &mut World| world.writer.note_refused(due.id.clone(), due.at, &refused);
    assert_eq!((told(&mut world), told(&mut world)), (true, false));
    let mut world = world.later(600 * SECOND);
    assert_eq!(world.writer.ledger().due_count(world.now, 10), 1);
    world = world.step(Input::Tick);
    assert_eq!(world.writer.ledger().due_count(world.now, 10), 0);
    assert!(told(&mut world), "nothing was refused any more");
}

#[test]
fn every_command_of_a_durable_frame_is_told_once_whoever_sent_it() {
    let named = |world: &World| -> Vec<&'static str> {
        let kinds = world.writer.recorded().iter();
        kinds.map(|kind| Command::KINDS.iter().find(|known| known.number == *kind).unwrap().name).collect()
    };
    let world = World::just_started();
    assert_eq!(named(&world), Vec::<&str>::new());
    let world = world.durable();
    assert_eq!(named(&world), ["ledger.create", "ledger.activate_rules", "ledger.start_epoch"]);
    let world = stocked().sends(5, claim("cart-1")).durable();
    assert_eq!(named(&world), ["stock.reserve"]);
    let world = world.later(600 * SECOND).step(Input::Tick);
    assert_eq!(named(&world), ["stock.reserve"], "it is not durable yet");
    assert_eq!(named(&world.durable()), ["stock.expire_reservation"]);
}
