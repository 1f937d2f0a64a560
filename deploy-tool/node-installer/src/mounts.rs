//! Whether a folder can be written to, by what the kernel says of mounts.

/// Whether the mount that a path is on is read-only, in the words of `/proc/self/mountinfo`.
/// <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>
pub fn is_read_only(mounts: &str, path: &str) -> bool {
    let covers = |point: &str| point == "/" || path == point || path.starts_with(&format!("{point}/"));
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let on_it = fields.filter(|fields| fields.get(4).is_some_and(|point| covers(point)));
    // Of two mounts at one place, the later one covers the earlier.
    let nearest = on_it.max_by_key(|fields| fields[4].len());
    let is_only_read = |options: Option<&&str>| options.is_some_and(|all| all.split(',').any(|one| one == "ro"));
    nearest.is_some_and(|fields| is_only_read(fields.get(5)) || is_only_read(fields.last()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_decides_by_its_own_options_and_those_of_its_file_system() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n\
             23 22 0:5 / /opt ro,nosuid - tmpfs tmpfs rw\n\
             24 22 0:6 / /opt/cni rw - tmpfs tmpfs rw\n\
             25 22 0:7 / /usr rw - erofs /dev/x ro";
        for (path, expected) in [
            ("/etc/containerd", false),
            ("/opt", true),
            ("/opt/wasm-engine", true),
            ("/opt/cni/bin", false),
            ("/optional", false),
            ("/usr/bin", true),
        ] {
            assert_eq!(is_read_only(mounts, path), expected, "{path}");
        }
        let twice = "22 1 8:1 / /opt rw - ext4 /dev/root rw\n23 22 0:5 / /opt ro - tmpfs tmpfs rw";
        assert!(is_read_only(twice, "/opt"));
    }
}
