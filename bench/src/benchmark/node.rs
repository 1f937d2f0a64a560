//! What is run on a node, and what it prints.

use super::Machine;

/// Arguments: runtime, image, program, how often.
pub const START: &str = include_str!("start.sh");
/// Argument: a container's id.
pub const ACCOUNT: &str = include_str!("account.sh");
/// Arguments: runtimes.
pub const MACHINE: &str = include_str!("machine.sh");
/// Argument: an image.
pub const PULL: &str = include_str!("pull.sh");

/// A start of the runtime alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// Milliseconds until the first answer.
    pub answer_ms: f64,
    /// Milliseconds that processors have worked for it, until its end.
    pub processor_ms: f64,
}

/// Reads what [`START`] prints; none when an answer is not what it should be.
pub fn starts(text: &str) -> Option<Vec<Start>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut before_ms = 0.0;
    let start = |lines: &[&str]| {
        let [line, _shell, children] = lines else { return None };
        let (times, answer) = line.strip_prefix("start ")?.split_once(" HTTP/1.")?;
        if answer.get(1..5)? != " 200" {
            return None;
        }
        // Of all children so far: this one's is the difference.
        let (user, system) = children.split_once(' ')?;
        let after_ms = minutes_ms(user)? + minutes_ms(system)?;
        let processor_ms = after_ms - before_ms;
        before_ms = after_ms;
        Some(Start {
            answer_ms: between_ms(times)?,
            processor_ms,
        })
    };
    lines.chunks(3).map(start).collect()
}

/// Reads what [`PULL`] prints: milliseconds.
pub fn pull_ms(text: &str) -> Option<f64> {
    between_ms(text.trim().strip_prefix("pull ")?)
}

/// Between two times of the shell: `1700000000.000000 1700000000.250000`.
fn between_ms(text: &str) -> Option<f64> {
    let (start, end) = text.split_once(' ')?;
    let microseconds = |time: &str| time.replace(['.', ','], "").parse::<i64>().ok();
    let elapsed = u32::try_from(microseconds(end)? - microseconds(start)?).ok()?;
    Some(f64::from(elapsed) / 1e3)
}

/// A time of the shell: `0m0.123s`.
fn minutes_ms(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    let (minutes, seconds): (f64, f64) = (minutes.parse().ok()?, seconds.replace(',', ".").parse().ok()?);
    Some((minutes * 60.0 + seconds) * 1e3)
}

/// What the kernel counts for a container.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Account {
    /// Microseconds that processors have worked in it.
    pub processor_us: f64,
    /// What Kubernetes evicts by: all memory but files that were not used lately.
    /// <https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#memory-signals>
    pub memory_mb: f64,
}

/// Reads what [`ACCOUNT`] prints.
pub fn account(text: &str) -> Option<Account> {
    let find = |name: &str| -> Option<f64> {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    let version_2 = find("cpu.stat usage_usec ");
    let (processor_us, memory, inactive) = match version_2 {
        Some(processor) => (processor, find("memory.current ")?, find("memory.stat inactive_file ")?),
        None => (
            find("cpuacct.usage ")? / 1e3,
            find("memory.usage_in_bytes ")?,
            find("memory.stat total_inactive_file ")?,
        ),
    };
    Some(Account {
        processor_us,
        memory_mb: (memory - inactive) / 1e6,
    })
}

/// Reads what [`MACHINE`] prints.
pub fn machine(text: &str) -> Machine {
    let all = |name: &str| -> Vec<String> {
        let values = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.map(str::to_owned).collect()
    };
    let first = |name: &str| all(name).into_iter().next().unwrap_or_default();
    Machine {
        processor: first("processor"),
        cores: first("cores").parse().unwrap_or_default(),
        memory_bytes: first("memory").parse::<u64>().unwrap_or_default() << 10,
        cgroup_version: first("cgroup").parse().unwrap_or_default(),
        load_before: first("load"),
        runtimes: all("runtime"),
        ..Machine::default()
    }
}

/// The program that a node's containerd runs for a handler: a name or a path, of `containerd config dump`.
pub fn runtime(configuration: &str, handler: &str) -> Option<String> {
    let table = format!(".runtimes.{handler}.options]");
    let mut lines = configuration.lines().map(str::trim);
    lines.find(|line| line.starts_with('[') && line.replace(['"', '\''], "").ends_with(&table))?;
    let mut own = lines.take_while(|line| !line.starts_with('['));
    let value = own.find_map(|line| line.strip_prefix("BinaryName")?.trim().strip_prefix('='))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_told_one_by_one() {
        let text = "start 100.900000 101.000500 HTTP/1.1 200 OK\n0m0.900s 0m0.100s\n0m0.030s 0m0.010s\n\
                    start 102.000000 102.050000 HTTP/1.1 200 OK\n0m0.900s 0m0.100s\n0m0.050s 0m0.025s\n";
        let found = starts(text).unwrap();
        let rounded: Vec<_> = found
            .iter()
            .map(|start| (start.answer_ms, start.processor_ms.round()))
            .collect();
        assert_eq!(rounded, [(100.5, 40.0), (50.0, 35.0)]);
        assert_eq!(starts(&text.replace("200", "503")), None);
        assert_eq!(starts("start 1.0 2.0 \n"), None);
    }

    #[test]
    fn both_versions_of_cgroups_are_read() {
        let version_1 = "memory.usage_in_bytes 9000000\nmemory.stat inactive_file 5\nmemory.stat total_inactive_file 1000000\n\
                   cpu.stat nr_periods 0\ncpuacct.usage 2500000\n";
        let version_2 = "memory.current 9000000\nmemory.stat inactive_file 1000000\ncpu.stat usage_usec 2500\n";
        let expected = Account {
            processor_us: 2_500.0,
            memory_mb: 8.0,
        };
        assert_eq!([version_1, version_2].map(account), [Some(expected); 2]);
        assert_eq!(account(""), None);
    }

    #[test]
    fn a_machine_is_described() {
        let text =
            "processor Some CPU @ 3 GHz\ncores 2\nmemory 1024\nload 0.50\ncgroup 1\nruntime crun: crun version 1.21\n";
        let machine = machine(text);
        assert_eq!((machine.cores, machine.memory_bytes), (2, 1 << 20));
        assert_eq!(machine.runtimes, ["crun: crun version 1.21"]);
    }

    #[test]
    fn the_runtime_of_a_handler_is_found_in_either_form() {
        let text = "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]\n  runtime_type = 'x'\n\
            [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun.options]\n  BinaryName = '/opt/crun'\n\
            [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n  BinaryName = \"\"\n";
        assert_eq!(runtime(text, "crun"), Some("/opt/crun".to_owned()));
        assert_eq!(runtime(text, "runc"), None);
        assert_eq!(runtime(text, "other"), None);
    }

    #[test]
    fn time_of_a_pull() {
        assert_eq!(pull_ms("pull 1.000000 3.500000\n"), Some(2_500.0));
    }
}
