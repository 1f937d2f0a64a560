//! Whether programs can be put into a folder and run there, by what the kernel says of mounts.

/// What keeps the mount that a path is on from being used, in the words of `/proc/self/mountinfo`: one of some options.
/// <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>
pub fn option_of<'o>(mounts: &str, path: &str, options: &[&'o str]) -> Option<&'o str> {
    let covers = |point: &str| point == "/" || path == point || path.starts_with(&format!("{point}/"));
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let on_it = fields.filter(|fields| fields.get(4).is_some_and(|point| covers(&unescape(point))));
    // Of two mounts at one place, the later one covers the earlier.
    let nearest = on_it.max_by_key(|fields| fields[4].len())?;
    let of_mount = [nearest.get(5), nearest.last()].into_iter().flatten();
    let found: Vec<&str> = of_mount.flat_map(|all| all.split(',')).collect();
    options.iter().copied().find(|option| found.contains(option))
}

/// Blanks are written as numbers: they separate the fields.
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
            assert_eq!(option_of(mounts, path, &["ro", "noexec"]), expected, "{path}");
        }
        assert_eq!(option_of(mounts, "/var/opt", &["ro"]), None);
        let twice = "22 1 8:1 / /opt rw - ext4 /dev/root rw\n23 22 0:5 / /opt ro - tmpfs tmpfs rw";
        assert_eq!(option_of(twice, "/opt", &["ro"]), Some("ro"));
    }
}
