//! The machine and the program a figure belongs to: without them it says nothing.

use std::fmt;
use std::path::Path;

use serde::Serialize;

/// Where, and of what, something was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The kernel's release.
    pub kernel: String,
    /// File system and device under the measured folder.
    pub disk: String,
    /// The load average when the measurement began: over about 0.5, others were at work.
    pub load: String,
    /// This program's version.
    pub version: &'static str,
    /// The commit it was built from, where the build was told (`BINCARD_COMMIT`).
    pub commit: &'static str,
}

impl Machine {
    /// This machine, and the disk under a folder. What the system does not tell is empty.
    pub(super) fn here(dir: &Path) -> Machine {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (cpus, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let memory_kib = field(&memory, "MemTotal").and_then(|found| found.split(' ').next()?.parse().ok());
        Machine {
            cpu: field(&cpus, "model name").unwrap_or_default().to_owned(),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_mib: memory_kib.unwrap_or(0_u64) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            disk: disk_under(dir, &read("/proc/mounts")),
            load: read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("BINCARD_COMMIT").unwrap_or(""),
        }
    }
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// The mount with the longest path that holds the folder.
fn disk_under(dir: &Path, mounts: &str) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, path, kind) = (words.next()?, words.next()?, words.next()?);
        dir.starts_with(path).then(|| (path.len(), format!("{kind} on {device}")))
    });
    mounts.max_by_key(|(length, _)| *length).map(|(_, disk)| disk).unwrap_or_default()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cpu, cores, memory_mib, kernel, disk, load, version, commit } = self;
        write!(
            f,
            "{cpu}, {cores} cores, {memory_mib} MiB, Linux {kernel}, {disk}, load {load}; bincard {version}"
        )?;
        if commit.is_empty() { Ok(()) } else { write!(f, " ({commit})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_the_innermost_mount() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /proc tmpfs rw 0 0\n/dev/b /usr xfs rw 0 0\n";
        assert_eq!(disk_under(Path::new("/usr"), mounts), "xfs on /dev/b");
        assert_eq!(disk_under(Path::new("/nowhere/at/all"), mounts), "ext4 on /dev/a");
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        assert_eq!(field("MemTotal:  24 kB\nMemFree: 3 kB", "MemFree"), Some("3 kB"));
    }
}
