//! What a process of the runtime tells of itself: its unit, its configuration.

/// The systemd unit that a process is of, by `/proc/PID/cgroup`: the innermost folder that is a service.
pub fn unit(cgroups: &str) -> Option<&str> {
    let paths = cgroups.lines().filter_map(|line| line.rsplit(':').next());
    let mut services = paths
        .flat_map(|path| path.rsplit('/'))
        .filter(|folder| folder.ends_with(".service"));
    services.next()
}

/// The value of `--config FILE`, `--config=FILE` or `-c FILE` in `/proc/PID/cmdline`.
pub fn configuration(command_line: &str) -> Option<&str> {
    let mut words = command_line.split('\0');
    while let Some(word) = words.next() {
        if matches!(word, "--config" | "-c") {
            return words.next();
        }
        if let Some(path) = word.strip_prefix("--config=") {
            return Some(path);
        }
    }
    None
}

/// The version in what `containerd --version` and `crio --version` print: the first word of numbers and dots.
pub fn version(printed: &str) -> Option<&str> {
    let words = printed.split_whitespace().map(|word| word.trim_start_matches('v'));
    let mut versions =
        words.filter(|word| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit()));
    versions.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_found_in_both_versions_of_cgroups() {
        for (cgroups, expected) in [
            ("0::/system.slice/containerd.service\n", Some("containerd.service")),
            ("0::/../../../system.slice/k3s-agent.service", Some("k3s-agent.service")),
            (
                "12:pids:/docker/ab/system.slice/containerd.service\n1:name=systemd:/system.slice/containerd.service",
                Some("containerd.service"),
            ),
            ("0::/user.slice/session-1.scope", None),
            ("", None),
        ] {
            assert_eq!(unit(cgroups), expected, "{cgroups}");
        }
    }

    #[test]
    fn the_configuration_is_the_one_that_was_named() {
        for (line, expected) in [
            ("/usr/bin/containerd\0", None),
            ("containerd\0-c\0/a.toml\0-a\0/run/x", Some("/a.toml")),
            ("containerd\0--config\0/b.toml", Some("/b.toml")),
            ("containerd\0--config=/c.toml\0", Some("/c.toml")),
        ] {
            assert_eq!(configuration(line), expected, "{line:?}");
        }
    }

    #[test]
    fn the_version_is_found_in_what_programs_print_of_themselves() {
        for (printed, expected) in [
            ("containerd github.com/containerd/containerd/v2 v2.3.7 ", Some("2.3.7")),
            (
                "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6",
                Some("1.7.24~ds1"),
            ),
            (
                "containerd github.com/k3s-io/containerd v1.7.23-k3s2 abc",
                Some("1.7.23-k3s2"),
            ),
            ("crio version 1.30.4\nVersion: 1.30.4", Some("1.30.4")),
            ("nothing", None),
        ] {
            assert_eq!(version(printed), expected, "{printed}");
        }
    }
}
