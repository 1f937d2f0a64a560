//! What the kernel says of this process, in files that every container has.

use std::fs::read_to_string;

/// The first process of the container is this one: crun itself becomes the engine.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
const PROCESS: &str = "/proc/1/stat";
/// Clock ticks a second, which are the same on all architectures that Kubernetes runs on.
const TICKS: f64 = 100.0;
/// The most memory that the container has taken so far, with cgroup v2 and with v1.
const MEMORY: [&str; 2] = [
    "/sys/fs/cgroup/memory.peak",
    "/sys/fs/cgroup/memory/memory.max_usage_in_bytes",
];

/// How long ago the container's process began, to ten milliseconds.
pub fn milliseconds_since_start() -> Option<u64> {
    let uptime = read_to_string("/proc/uptime").ok()?;
    between(&read_to_string(PROCESS).ok()?, &uptime)
}

/// From when the process began to now; both count from the start of the machine.
fn between(process: &str, uptime: &str) -> Option<u64> {
    // The name of the program, in parentheses, may hold spaces. `starttime` is field 22, and the state after it is field 3.
    let (_, fields) = process.rsplit_once(')')?;
    let began: f64 = fields.split_whitespace().nth(22 - 3)?.parse().ok()?;
    let now: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let seconds = now - began / TICKS;
    (seconds >= 0.0).then_some((seconds * 1000.0).round() as u64)
}

/// The most memory that the container has taken so far.
pub fn memory() -> Option<u64> {
    let text = MEMORY.iter().find_map(|path| read_to_string(path).ok())?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_field_22() {
        let process = "1 (a) b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 99 88";
        assert_eq!(between(process, "123.55 400.00\n"), Some(100));
        assert_eq!(between(process, "123.00 400.00\n"), None);
        assert_eq!(between("", ""), None);
    }
}
