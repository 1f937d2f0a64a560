//! What the kernel reports about this process, in /proc and the cgroup.

use std::fs::read_to_string;

/// Process 1 of the container is this one, because crun itself becomes the engine.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
const PROCESS_STAT: &str = "/proc/1/stat";
/// Clock ticks per second, the same on all architectures that Kubernetes supports.
const TICKS_PER_SECOND: f64 = 100.0;
/// The peak memory of the container, with cgroup v2 and v1.
const PEAK_MEMORY_FILES: [&str; 2] = [
    "/sys/fs/cgroup/memory.peak",
    "/sys/fs/cgroup/memory/memory.max_usage_in_bytes",
];

/// How long ago the container's process started, to ten milliseconds.
pub fn milliseconds_since_start() -> Option<u64> {
    let uptime = read_to_string("/proc/uptime").ok()?;
    elapsed_milliseconds(&read_to_string(PROCESS_STAT).ok()?, &uptime)
}

/// The time since the start of the process. Both values count from the boot of the machine.
fn elapsed_milliseconds(process: &str, uptime: &str) -> Option<u64> {
    // The name of the program, in parentheses, may hold spaces. `starttime` is field 22, and the state after it is
    // field 3.
    let (_, fields) = process.rsplit_once(')')?;
    let started_at: f64 = fields.split_whitespace().nth(22 - 3)?.parse().ok()?;
    let now: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let seconds = now - started_at / TICKS_PER_SECOND;
    (seconds >= 0.0).then_some((seconds * 1000.0).round() as u64)
}

/// The peak memory of the container.
pub fn peak_memory_bytes() -> Option<u64> {
    let text = PEAK_MEMORY_FILES.iter().find_map(|path| read_to_string(path).ok())?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_field_22() {
        let process = "1 (a) b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 99 88";
        assert_eq!(elapsed_milliseconds(process, "123.55 400.00\n"), Some(100));
        assert_eq!(elapsed_milliseconds(process, "123.00 400.00\n"), None);
        assert_eq!(elapsed_milliseconds("", ""), None);
    }
}
