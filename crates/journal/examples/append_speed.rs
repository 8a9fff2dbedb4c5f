//! How long an append takes on this machine's disk: `cargo run --release -p journal --example append_speed [DIR]`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Instant;

use journal::{
    Checked, FileJournal, FrameBuilder, FrameSource, Head, Journal, JournalRead, JournalThread, Options,
    RealDisk,
};

const FRAMES: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    println!(
        "{:>8} {:>9} {:>9} {:>9} {:>9}  (write + sync of a sealed frame)",
        "bytes", "p50 µs", "p99 µs", "max µs", "seal µs"
    );
    through_the_thread(&dir.join(format!("append-speed-{}-thread", std::process::id())))?;
    for frame_bytes in [4 * 1024, 64 * 1024, 256 * 1024] {
        let ledger_dir = dir.join(format!("append-speed-{}-{frame_bytes}", std::process::id()));
        measure(&ledger_dir, frame_bytes)?;
        std::fs::remove_dir_all(&ledger_dir)?;
    }
    Ok(())
}

/// From `submit` to the wake-up of a caller that waits, one frame of 4 KiB in flight.
fn through_the_thread(ledger_dir: &Path) -> Result<(), Box<dyn Error>> {
    let journal = FileJournal::create(RealDisk, ledger_dir, [1; 16], Options::default())?;
    let mut head = journal.head();
    let (woken_in, woken) = channel();
    let mut thread = JournalThread::start(journal, Box::new(move || woken_in.send(()).unwrap_or_default()))?;
    let mut waits_us = Vec::new();
    for _ in 0..FRAMES {
        let mut open = FrameBuilder::open(head.ledger, 1, head.sequence + 1, head.event + 1, 0, head.hash);
        open.push(&[7; 4096 - 144], 2);
        let frame = open.seal();
        head = Head::after(&frame);
        let started = Instant::now();
        thread.submit(frame);
        woken.recv()?;
        waits_us.push(started.elapsed().as_secs_f64() * 1e6);
        thread.poll().ok_or("woken without an outcome")?;
    }
    thread.stop()?;
    waits_us.sort_by(f64::total_cmp);
    let at = |part: f64| waits_us[(part * (FRAMES - 1) as f64) as usize];
    println!(
        "{:>8} {:>9.0} {:>9.0} {:>9.0}  (4096 B through the journal's thread)",
        "thread",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(std::fs::remove_dir_all(ledger_dir)?)
}

fn measure(ledger_dir: &Path, frame_bytes: usize) -> Result<(), Box<dyn Error>> {
    let mut journal = FileJournal::create(RealDisk, ledger_dir, [1; 16], Options::default())?;
    let (mut appends_us, mut seals_us) = (Vec::new(), Vec::new());
    for _ in 0..FRAMES {
        let head = journal.head();
        let mut open = FrameBuilder::open(head.ledger, 1, head.sequence + 1, head.event + 1, 0, head.hash);
        for _ in 0..frame_bytes / 256 {
            open.push(&[7; 248], 2);
        }
        let started = Instant::now();
        let frame = open.seal();
        let sealed = Instant::now();
        journal.append(&frame)?;
        appends_us.push(sealed.elapsed().as_secs_f64() * 1e6);
        seals_us.push((sealed - started).as_secs_f64() * 1e6);
        journal.prepare_next();
    }
    appends_us.sort_by(f64::total_cmp);
    seals_us.sort_by(f64::total_cmp);
    let at = |part: f64| appends_us[(part * (FRAMES - 1) as f64) as usize];
    println!(
        "{frame_bytes:>8} {:>9.0} {:>9.0} {:>9.0} {:>9.0}",
        at(0.5),
        at(0.99),
        at(1.0),
        seals_us[FRAMES / 2]
    );

    let started = Instant::now();
    let reader = journal.reader();
    let mut frames = Checked::after(reader.frames_from(1)?, Head::empty([1; 16]));
    let (mut bytes, mut entries) = (0, 0);
    while let Some(frame) = frames.next_frame()? {
        bytes += frame.bytes().len();
        entries += frame.entries().count();
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{:>8} read and checked: {:.0} MB/s, {:.1} M entries/s",
        "",
        bytes as f64 / seconds / 1e6,
        entries as f64 / seconds / 1e6
    );
    let started = Instant::now();
    let last = reader.head().sequence;
    let lookups = 500;
    for step in 0..lookups {
        reader.frame_at(1 + step * 7919 % last)?;
    }
    println!(
        "{:>8} one entry's frame, uncached: {:.0} µs",
        "",
        started.elapsed().as_secs_f64() * 1e6 / lookups as f64
    );
    Ok(())
}
