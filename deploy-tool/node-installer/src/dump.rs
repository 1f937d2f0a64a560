//! What `containerd config dump` prints: the configuration as containerd understands it, defaults and imports included.

use serde_json::Value;

/// The plugins that have runtimes, in one version of the configuration or another.
const PLUGINS: [&str; 2] = ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"];

/// A configuration as containerd understands it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dump(Value);

impl Dump {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn read(text: &str) -> Result<Self, String> {
        toml_edit::de::from_str(text)
            .map(Self)
            .map_err(|error| format!("containerd has dumped no TOML: {error}"))
    }

    fn containerd(&self) -> Option<&Value> {
        PLUGINS
            .iter()
            .find_map(|plugin| self.0["plugins"].get(plugin)?.get("containerd"))
    }

    /// Whether it has a runtime of that name.
    pub fn has(&self, handler: &str) -> bool {
        self.containerd()
            .is_some_and(|containerd| containerd["runtimes"].get(handler).is_some())
    }

    /// The program of a runtime.
    pub fn program(&self, handler: &str) -> Option<&str> {
        self.containerd()?["runtimes"][handler]["options"]["BinaryName"].as_str()
    }

    /// Whether the default runtime leaves cgroups to systemd: all runtimes of a node must agree with the kubelet.
    /// <https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers>
    pub fn systemd_cgroup(&self) -> bool {
        let default = || {
            let containerd = self.containerd()?;
            let name = containerd["default_runtime_name"].as_str().unwrap_or("runc");
            containerd["runtimes"][name]["options"]["SystemdCgroup"].as_bool()
        };
        default().unwrap_or_default()
    }

    /// Where the runtime listens.
    pub fn socket(&self) -> Option<&str> {
        let grpc = self.0["grpc"]["address"].as_str();
        // From version 4 of the configuration on, the server is a plugin as well.
        let server = self.0["plugins"]["io.containerd.server.v1.grpc"]["address"].as_str();
        [grpc, server].into_iter().flatten().find(|address| !address.is_empty())
    }

    /// Whether another dump says the same but for the runtime of one name, and where it comes from.
    pub fn differs_by_runtime_only(&self, other: &Self, handler: &str) -> bool {
        self.rest(handler) == other.rest(handler)
    }

    fn rest(&self, handler: &str) -> Value {
        let mut rest = self.0.clone();
        for plugin in PLUGINS {
            let runtimes = rest.pointer_mut(&format!("/plugins/{plugin}/containerd/runtimes"));
            if let Some(runtimes) = runtimes.and_then(Value::as_object_mut) {
                runtimes.remove(handler);
            }
        }
        if let Some(all) = rest.as_object_mut() {
            all.remove("imports");
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BEFORE: &str = "version = 3\nimports = []\n[grpc]\naddress = '/run/containerd/containerd.sock'\n\
        [plugins.'io.containerd.cri.v1.runtime']\nx = 1\n\
        [plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'runc'\n\
        [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = true\n";

    #[test]
    fn a_new_runtime_may_change_nothing_else() {
        let before = Dump::read(BEFORE).unwrap();
        let entry =
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun.options]\nBinaryName = '/x/crun'\n";
        let after = Dump::read(&format!(
            "{}{entry}",
            BEFORE.replace("imports = []", "imports = ['/x']")
        ))
        .unwrap();
        assert!(before.differs_by_runtime_only(&after, "crun"));
        assert_eq!((before.has("crun"), after.program("crun")), (false, Some("/x/crun")));
        // As containerd 1.7 does with imports: the whole plugin is another one.
        let replaced = Dump::read(&format!(
            "version = 3\n[grpc]\naddress = '/run/containerd/containerd.sock'\n{entry}"
        ))
        .unwrap();
        assert!(!before.differs_by_runtime_only(&replaced, "crun"));
    }

    #[test]
    fn the_cgroup_driver_is_that_of_the_default_runtime() {
        assert!(Dump::read(BEFORE).unwrap().systemd_cgroup());
        assert!(!Dump::read(&BEFORE.replace("true", "false")).unwrap().systemd_cgroup());
        assert!(!Dump::read("version = 2").unwrap().systemd_cgroup());
        let older = BEFORE.replace("cri.v1.runtime", "grpc.v1.cri");
        assert!(Dump::read(&older).unwrap().systemd_cgroup());
    }

    #[test]
    fn the_socket_is_where_the_version_says_it() {
        assert_eq!(
            Dump::read(BEFORE).unwrap().socket(),
            Some("/run/containerd/containerd.sock")
        );
        let newer = "version = 4\n[plugins.'io.containerd.server.v1.grpc']\naddress = '/run/x.sock'\n";
        assert_eq!(Dump::read(newer).unwrap().socket(), Some("/run/x.sock"));
    }
}
