//! Parses the files of a process in /proc: its user, its systemd unit, the path of its configuration.

use std::path::PathBuf;

/// The units that run a container runtime for a kubelet.
const UNITS: [&str; 10] = [
    "containerd.service",
    "crio.service",
    "cri-o.service",
    "k3s.service",
    "k3s-agent.service",
    "rke2-server.service",
    "rke2-agent.service",
    "k0scontroller.service",
    "k0sworker.service",
    "snap.microk8s.daemon-containerd.service",
];

/// A process with the name of a runtime. Any user can give that name to a program, so more is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its folder in /proc.
    pub process: PathBuf,
    /// Whether all of its user IDs are root's: it was not started by another user.
    pub runs_as_root: bool,
    /// The unit of the system manager that it belongs to.
    pub unit: Option<String>,
}

/// Chooses the process of the kubelet's runtime among those of its name: it runs as root, in a unit of the system manager.
/// Known units are preferred: Docker's containerd may run as well.
///
/// # Errors
/// When there is none, or several units remain.
pub fn choose_process(name: &str, candidates: &[Candidate]) -> Result<(PathBuf, String), String> {
    if candidates.is_empty() {
        return Err(format!("no process of it is called {name}"));
    }
    let of_root: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.runs_as_root).collect();
    if of_root.is_empty() {
        return Err(format!(
            "the processes of it that are called {name} are not root's: none of them is run"
        ));
    }
    let in_units: Vec<(&Candidate, &String)> = of_root
        .into_iter()
        .filter_map(|candidate| Some((candidate, candidate.unit.as_ref()?)))
        .collect();
    let known: Vec<_> = in_units
        .iter()
        .filter(|(_, unit)| UNITS.contains(&unit.as_str()))
        .copied()
        .collect();
    let preferred = if known.is_empty() { in_units } else { known };
    let mut units: Vec<&str> = preferred.iter().map(|(_, unit)| unit.as_str()).collect();
    units.sort_unstable();
    units.dedup();
    match (preferred.first(), units.len()) {
        (None, _) => Err(format!("{name} runs in no unit of systemd, which could restart it")),
        (Some((candidate, unit)), 1) => Ok((candidate.process.clone(), (*unit).clone())),
        _ => Err(format!(
            "{name} runs in several units, and it cannot be told which is the kubelet's: {}",
            units.join(", ")
        )),
    }
}

/// Whether a process runs as root, by the line `Uid:` of `/proc/PID/status`. All of its IDs must be 0: a setuid program has
/// the real ID of the user who started it.
pub fn runs_as_root(status: &str) -> bool {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    users.is_some_and(|users| users.split_whitespace().all(|user| user == "0"))
}

/// Whether only root can write to a file or folder, by its owner, its group and its mode.
pub fn is_writable_by_root_only(owner: u32, group: u32, mode: u32) -> bool {
    let (of_group, of_others) = (0o020, 0o002);
    // Folders that are writable by a system group are accepted: Debian has /usr/local like that, for the group staff.
    let is_folder = mode & 0o170_000 == 0o040_000;
    owner == 0 && mode & of_others == 0 && (group == 0 || is_folder || mode & of_group == 0)
}

/// The systemd unit of a process, by `/proc/PID/cgroup`: the innermost service. Units of user managers do not count:
/// `systemctl` would restart the unit of that name of the system manager instead.
pub fn parse_unit(cgroups: &str) -> Option<&str> {
    let paths = cgroups.lines().filter_map(|line| line.rsplit(':').next());
    let mut services = paths
        .filter(|path| {
            !path
                .split('/')
                .any(|folder| folder == "user.slice" || folder.starts_with("user@"))
        })
        .flat_map(|path| path.rsplit('/'))
        .filter(|folder| folder.ends_with(".service"));
    services.next()
}

/// The value of `--config FILE`, `--config=FILE` or `-c FILE` in `/proc/PID/cmdline`.
pub fn parse_config_flag(command_line: &str) -> Option<&str> {
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

/// The version in the output of `containerd --version` and `crio --version`: the first word of numbers and dots.
pub fn parse_version(printed: &str) -> Option<&str> {
    let words = printed.split_whitespace().map(|word| word.trim_start_matches('v'));
    let mut versions =
        words.filter(|word| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit()));
    versions.next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/containerd.service",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(parse_unit(cgroups), expected, "{cgroups}");
        }
    }

    #[test]
    fn only_roots_process_in_a_unit_of_the_system_is_the_runtime() {
        let candidate = |process: &str, runs_as_root, unit: Option<&str>| Candidate {
            process: process.into(),
            runs_as_root,
            unit: unit.map(str::to_owned),
        };
        let kubelets = candidate("/proc/900", true, Some("containerd.service"));
        let of_user = candidate("/proc/5", false, Some("containerd.service"));
        let without_unit = candidate("/proc/6", true, None);
        let of_docker = candidate("/proc/7", true, Some("docker.service"));
        let k3s = candidate("/proc/8", true, Some("k3s.service"));
        let chosen = Ok((PathBuf::from("/proc/900"), "containerd.service".to_owned()));
        let all = [
            of_user.clone(),
            without_unit.clone(),
            of_docker.clone(),
            kubelets.clone(),
        ];
        assert_eq!(choose_process("containerd", &all), chosen);
        // containerd's children have its name until they call exec.
        assert_eq!(
            choose_process("containerd", &[kubelets.clone(), kubelets.clone()]),
            chosen
        );
        for (candidates, reason) in [
            (vec![], "no process of it is called containerd"),
            (vec![of_user.clone()], "not root's"),
            (vec![without_unit], "no unit of systemd"),
            (vec![k3s, kubelets], "containerd.service, k3s.service"),
        ] {
            let refusal = choose_process("containerd", &candidates).unwrap_err();
            assert!(refusal.contains(reason), "{refusal}");
        }
        assert_eq!(
            choose_process("containerd", &[of_user, of_docker]).unwrap().1,
            "docker.service"
        );
    }

    #[test]
    fn a_program_that_became_root_is_not_roots() {
        for (status, expected) in [
            ("Name:\tcontainerd\nUid:\t0\t0\t0\t0\nGid:\t5\t5\t5\t5\n", true),
            ("Name:\tcontainerd\nUid:\t1000\t0\t0\t0\n", false),
            ("Name:\tcontainerd\nUid:\t65534\t65534\t65534\t65534\n", false),
            ("", false),
        ] {
            assert_eq!(runs_as_root(status), expected, "{status}");
        }
    }

    #[test]
    fn a_program_that_others_can_change_is_not_run() {
        for (owner, group, mode, expected) in [
            (0, 0, 0o100_755, true),
            (0, 50, 0o042_775, true),
            (0, 50, 0o100_775, false),
            (0, 0, 0o041_777, false),
            (1000, 0, 0o100_755, false),
            (65534, 65534, 0o100_755, false),
        ] {
            assert_eq!(
                is_writable_by_root_only(owner, group, mode),
                expected,
                "{owner} {group} {mode:o}"
            );
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
            assert_eq!(parse_config_flag(line), expected, "{line:?}");
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
            assert_eq!(parse_version(printed), expected, "{printed}");
        }
    }
}
