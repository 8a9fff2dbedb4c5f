//! Where the views keep what they keep: `projections`, and after a rebuild `projections-2`, `projections-3` and so on.
//!
//! While one is being built, `projections-2.unfinished` stands beside it. The folder in use is the last one that is
//! finished; what others are there a start takes away, for nothing in any of them is the only copy of anything.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const FIRST: &str = "projections";
const UNFINISHED: &str = "unfinished";

/// A folder that is being built.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) dir: PathBuf,
    marker: PathBuf,
    finished: bool,
}

/// What nobody finishes is not left behind; where it cannot be taken away, the next start tries again.
impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_dir_all(&self.dir).and_then(|()| fs::remove_file(&self.marker));
        }
    }
}

/// The folder in use, and nothing else is left of others. To be asked before any of them is opened.
pub(super) fn in_use(ledger: &Path) -> io::Result<PathBuf> {
    let (finished, unfinished): (Vec<u32>, Vec<u32>) =
        numbers(ledger)?.into_iter().partition(|number| !marker(ledger, *number).exists());
    let last = finished.iter().copied().max().unwrap_or(1);
    for number in unfinished.into_iter().chain(finished.into_iter().filter(|number| *number != last)) {
        remove(ledger, number)?;
    }
    Ok(folder(ledger, last))
}

/// A new folder behind all that are there.
pub(super) fn next(ledger: &Path) -> io::Result<Unfinished> {
    let number = numbers(ledger)?.into_iter().max().unwrap_or(1) + 1;
    let unfinished =
        Unfinished { dir: folder(ledger, number), marker: marker(ledger, number), finished: false };
    fs::write(&unfinished.marker, b"")?;
    Ok(unfinished)
}

impl Unfinished {
    /// From here on it is the one in use.
    pub(super) fn finish(mut self) -> io::Result<()> {
        fs::remove_file(&self.marker)?;
        self.finished = true;
        Ok(())
    }
}

fn numbers(ledger: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(ledger)? {
        let name = entry?.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(FIRST)) else { continue };
        match rest.strip_prefix('-') {
            None if rest.is_empty() => numbers.push(1),
            None => {}
            Some(number) => numbers.extend(number.parse::<u32>()),
        }
    }
    Ok(numbers)
}

fn folder(ledger: &Path, number: u32) -> PathBuf {
    if number == 1 { ledger.join(FIRST) } else { ledger.join(format!("{FIRST}-{number}")) }
}

fn marker(ledger: &Path, number: u32) -> PathBuf {
    folder(ledger, number).with_extension(UNFINISHED)
}

fn remove(ledger: &Path, number: u32) -> io::Result<()> {
    fs::remove_dir_all(folder(ledger, number))?;
    match fs::remove_file(marker(ledger, number)) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_finished_folder_is_in_use_and_the_others_go() {
        let ledger = tempfile::tempdir().unwrap();
        let at = |name: &str| ledger.path().join(name);
        assert_eq!(in_use(ledger.path()).unwrap(), at("projections"), "of a new ledger");
        fs::create_dir(at("projections")).unwrap();

        let given_up = next(ledger.path()).unwrap();
        fs::create_dir(&given_up.dir).unwrap();
        assert_eq!(in_use(ledger.path()).unwrap(), at("projections"));
        assert!(!given_up.dir.exists() && !given_up.marker.exists());

        let unwanted = next(ledger.path()).unwrap();
        fs::create_dir(&unwanted.dir).unwrap();
        let (dir, marker) = (unwanted.dir.clone(), unwanted.marker.clone());
        drop(unwanted);
        assert!(!dir.exists() && !marker.exists(), "what nobody finishes is not left behind");

        let second = next(ledger.path()).unwrap();
        fs::create_dir(&second.dir).unwrap();
        second.finish().unwrap();
        assert_eq!(in_use(ledger.path()).unwrap(), at("projections-2"));
        assert!(!at("projections").exists());
        assert_eq!(next(ledger.path()).unwrap().dir, at("projections-3"));
    }
}
