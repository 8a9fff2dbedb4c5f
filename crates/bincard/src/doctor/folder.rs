//! The folder of ledgers and the disk under it: may it be written, is there room, and how long does a sync take.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{statfs, statvfs};

use super::Finding;

/// Room for some segments of the journal, the views beside them, and time to react.
const FREE_WANTED_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Under this, the next segment may already be too much.
const FREE_NEEDED_BYTES: u64 = 256 * 1024 * 1024;
/// Every acknowledgement waits for a sync: one that takes longer is felt.
const SYNC_WANTED: Duration = Duration::from_millis(5);
/// How many syncs are timed.
const SYNCS: usize = 40;
/// The length of a small frame.
const WRITE_BYTES: usize = 4096;

/// File systems that do not keep what they say they keep, or do it slowly: magic number, name, what to know.
const DOUBTFUL: [(u64, &str, &str); 7] = [
    (0x0102_1994, "tmpfs", "it is gone after a restart of the machine"),
    (0x794c_7630, "overlayfs", "it is gone with its container, and slower; mount a volume"),
    (0x6969, "NFS", "locks and syncs depend on its server"),
    (0xff53_4d42, "CIFS", "locks and syncs depend on its server"),
    (0xfe53_4d42, "SMB", "locks and syncs depend on its server"),
    (0x0102_1997, "9p", "syncs depend on the host"),
    (0x6573_5546, "FUSE", "syncs depend on the program behind it"),
];

pub(super) fn examine(data: &Path, findings: &mut Vec<Finding>) {
    let Some(dir) = nearest_folder(data) else {
        findings.push(Finding::bad("folder", format!("{} cannot be read", data.display()), "check --data"));
        return;
    };
    findings.push(kind_of_file_system(&dir));
    findings.push(room(&dir));
    let timed = time_syncs(&dir);
    match timed {
        Ok(times) => {
            let found =
                if dir == data { "is there and may be written" } else { "is not there yet, and can be made" };
            findings.push(Finding::good("folder", format!("{} {found}", data.display())));
            findings.push(judge(times));
        }
        Err(error) => findings.push(Finding::bad(
            "folder",
            format!("{}: {error}", dir.display()),
            "give the service's user the right to write there, or choose another --data",
        )),
    }
}

/// The folder, or the nearest one above it that is there.
fn nearest_folder(data: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(data).ok()?;
    if data.is_dir() {
        return Some(data.to_owned());
    }
    whole.ancestors().find(|above| above.is_dir()).map(Path::to_owned)
}

fn kind_of_file_system(dir: &Path) -> Finding {
    // The type of the number differs between platforms; the magic numbers have 32 bits.
    let kind = match statfs(dir) {
        Ok(found) => u64::from(found.f_type as u32),
        Err(error) => {
            return Finding::note("file system", format!("{}: {error}", dir.display()), "check the mount");
        }
    };
    match DOUBTFUL.iter().find(|(magic, ..)| *magic == kind) {
        Some((_, name, why)) => Finding::note(
            "file system",
            format!("{} is on {name}: {why}", dir.display()),
            "keep the journal on a local disk (ext4, xfs) if it is to be the only copy",
        ),
        None => Finding::good("file system", "a local disk, as far as can be told"),
    }
}

fn room(dir: &Path) -> Finding {
    let free = match statvfs(dir) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return Finding::note("disk space", format!("{}: {error}", dir.display()), "check the mount");
        }
    };
    let found = format!("{} MiB are free", free / (1024 * 1024));
    if free < FREE_NEEDED_BYTES {
        Finding::bad("disk space", found, "free some: without room for the next segment commands are refused")
    } else if free < FREE_WANTED_BYTES {
        Finding::note("disk space", found, "free some before long: without room commands are refused")
    } else {
        Finding::good("disk space", found)
    }
}

/// Times of single syncs, in rising order.
fn time_syncs(dir: &Path) -> io::Result<Vec<Duration>> {
    let path = dir.join(format!(".bincard-doctor-{}", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let times = time_writes(&file);
    fs::remove_file(&path)?;
    times
}

fn time_writes(file: &File) -> io::Result<Vec<Duration>> {
    let block = [0x5a; WRITE_BYTES];
    // Like a segment: the space is there before it is needed.
    file.write_all_at(&vec![0; WRITE_BYTES * SYNCS], 0)?;
    file.sync_all()?;
    let mut times = Vec::with_capacity(SYNCS);
    for number in 0..SYNCS {
        let began = Instant::now();
        file.write_all_at(&block, (number * WRITE_BYTES) as u64)?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times)
}

fn judge(times: Vec<Duration>) -> Finding {
    let (half, most) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    let shown = |time: Duration| format!("{}.{:03} ms", time.as_micros() / 1000, time.as_micros() % 1000);
    let found = format!("a sync takes {}, 95 of 100 less than {}", shown(half), shown(most));
    if half > SYNC_WANTED {
        Finding::note(
            "sync time",
            found,
            "every acknowledgement waits for a sync: use a faster disk, or batches",
        )
    } else if half < Duration::from_micros(5) {
        Finding::bad("sync time", found, "no disk is so fast: it does not sync (a RAM disk, or eatmydata)")
    } else {
        Finding::good("sync time", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn times_are_judged_by_what_an_acknowledgement_waits_for() {
        let level = |micros: u64| judge(vec![Duration::from_micros(micros); SYNCS]).level;
        assert_eq!(
            [level(1), level(100), level(4_900), level(6_000)],
            [Level::Bad, Level::Good, Level::Good, Level::Note]
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_looked_for_above() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(nearest_folder(&folder.path().join("a/b")).unwrap(), folder.path());
        let mut findings = Vec::new();
        examine(&folder.path().join("a/b"), &mut findings);
        assert!(findings.iter().any(|finding| finding.found.contains("can be made")), "{findings:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays behind");
    }
}
