//! Finds the mount options that apply to a path, in the text of `/proc/PID/mountinfo`.

/// The first of `options` that the mount of a path, or its file system, has.
/// <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>
pub fn find_option<'o>(mounts: &str, path: &str, options: &[&'o str]) -> Option<&'o str> {
    let covers = |point: &str| point == "/" || path == point || path.starts_with(&format!("{point}/"));
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let covering = fields.filter(|fields| fields.get(4).is_some_and(|point| covers(&unescape(point))));
    // Of two mounts at the same mount point, the later one hides the earlier; `max_by_key` returns the last maximum.
    let nearest = covering.max_by_key(|fields| fields[4].len())?;
    let fields_with_options = [nearest.get(5), nearest.last()].into_iter().flatten();
    let found: Vec<&str> = fields_with_options.flat_map(|all| all.split(',')).collect();
    options.iter().copied().find(|option| found.contains(option))
}

/// Spaces in a mount point are octal escapes, as a space separates the fields.
fn unescape(point: &str) -> String {
    point
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_decides_by_its_own_options_and_those_of_its_file_system() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n\
             23 22 0:5 / /opt ro,nosuid,noexec - tmpfs tmpfs rw\n\
             24 22 0:6 / /opt/cni rw - tmpfs tmpfs rw\n\
             25 22 0:7 / /usr rw - erofs /dev/x ro\n\
             26 22 0:8 / /var rw,noexec - ext4 /dev/y rw\n\
             27 22 0:9 / /a\\040b ro - ext4 /dev/z rw";
        for (path, expected) in [
            ("/etc/containerd", None),
            ("/opt", Some("ro")),
            ("/opt/wasm-engine", Some("ro")),
            ("/opt/cni/bin", None),
            ("/optional", None),
            ("/usr/bin", Some("ro")),
            ("/var/opt/wasm-engine", Some("noexec")),
            ("/a b/c", Some("ro")),
        ] {
            assert_eq!(find_option(mounts, path, &["ro", "noexec"]), expected, "{path}");
        }
        assert_eq!(find_option(mounts, "/var/opt", &["ro"]), None);
        let twice = "22 1 8:1 / /opt rw - ext4 /dev/root rw\n23 22 0:5 / /opt ro - tmpfs tmpfs rw";
        assert_eq!(find_option(twice, "/opt", &["ro"]), Some("ro"));
    }
}
