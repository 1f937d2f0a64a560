//! Parses the output of `containerd config dump`: the loaded configuration, with defaults and imports.

use std::path::Path;

use serde_json::Value;

/// The CRI plugins that have a table of runtimes: from version 3 of the configuration on, and in version 2.
const PLUGINS: [&str; 2] = ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"];

/// The configuration that containerd has loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Dump(Value);

impl Dump {
    /// Parses the output.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml_edit::de::from_str(text)
            .map(Self)
            .map_err(|error| format!("containerd has dumped no TOML: {error}"))
    }

    fn containerd(&self) -> Option<&Value> {
        PLUGINS
            .iter()
            .find_map(|plugin| self.0["plugins"].get(plugin)?.get("containerd"))
    }

    /// Whether it has a runtime of this name.
    pub fn has_handler(&self, handler: &str) -> bool {
        self.containerd()
            .is_some_and(|containerd| containerd["runtimes"].get(handler).is_some())
    }

    /// The `BinaryName` of a runtime.
    pub fn program(&self, handler: &str) -> Option<&str> {
        self.containerd()?["runtimes"][handler]["options"]["BinaryName"].as_str()
    }

    /// The runtimes whose program is below a folder.
    pub fn handlers_with_program_in(&self, folder: &str) -> Vec<String> {
        let runtimes = self
            .containerd()
            .and_then(|containerd| containerd["runtimes"].as_object());
        let names = runtimes.into_iter().flat_map(|runtimes| runtimes.keys());
        let is_in_folder = |handler: &&String| {
            self.program(handler)
                .is_some_and(|program| Path::new(program).starts_with(folder))
        };
        names.filter(is_in_folder).cloned().collect()
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

    /// The path of the gRPC socket.
    pub fn socket(&self) -> Option<&str> {
        let grpc = self.0["grpc"]["address"].as_str();
        // From version 4 of the configuration on, the gRPC server is a plugin.
        let server = self.0["plugins"]["io.containerd.server.v1.grpc"]["address"].as_str();
        [grpc, server].into_iter().flatten().find(|address| !address.is_empty())
    }

    /// The folder with the state of running containers.
    pub fn state(&self) -> Option<&str> {
        self.0["state"].as_str()
    }

    /// Whether two dumps are equal except for the runtimes of these names, and the list of imported files.
    pub fn differs_by_runtimes_only(&self, after: &Self, handlers: &[String]) -> bool {
        self.without_handlers(handlers) == after.without_handlers(handlers)
    }

    fn without_handlers(&self, handlers: &[String]) -> Value {
        let mut remaining = self.0.clone();
        for plugin in PLUGINS {
            let runtimes = remaining.pointer_mut(&format!("/plugins/{plugin}/containerd/runtimes"));
            if let Some(runtimes) = runtimes.and_then(Value::as_object_mut) {
                runtimes.retain(|name, _| !handlers.contains(name));
            }
        }
        if let Some(all) = remaining.as_object_mut() {
            all.remove("imports");
        }
        remaining
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
        let before = Dump::parse(BEFORE).unwrap();
        let entry =
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun.options]\nBinaryName = '/x/crun'\n";
        let after = Dump::parse(&format!(
            "{}{entry}",
            BEFORE.replace("imports = []", "imports = ['/x']")
        ))
        .unwrap();
        assert!(before.differs_by_runtimes_only(&after, &["crun".to_owned()]));
        assert_eq!(
            (before.has_handler("crun"), after.program("crun")),
            (false, Some("/x/crun"))
        );
        assert_eq!(
            (
                after.handlers_with_program_in("/x"),
                before.handlers_with_program_in("/x")
            ),
            (vec!["crun".to_owned()], vec![])
        );
        assert!(after.handlers_with_program_in("/x/cr").is_empty());
        // As containerd 1.7 does with imports: the whole plugin is another one.
        let replaced = Dump::parse(&format!(
            "version = 3\n[grpc]\naddress = '/run/containerd/containerd.sock'\n{entry}"
        ))
        .unwrap();
        assert!(!before.differs_by_runtimes_only(&replaced, &["crun".to_owned()]));
    }

    #[test]
    fn the_cgroup_driver_is_that_of_the_default_runtime() {
        assert!(Dump::parse(BEFORE).unwrap().systemd_cgroup());
        assert!(!Dump::parse(&BEFORE.replace("true", "false")).unwrap().systemd_cgroup());
        assert!(!Dump::parse("version = 2").unwrap().systemd_cgroup());
        let older = BEFORE.replace("cri.v1.runtime", "grpc.v1.cri");
        assert!(Dump::parse(&older).unwrap().systemd_cgroup());
    }

    #[test]
    fn the_socket_is_where_the_version_says_it() {
        assert_eq!(
            Dump::parse(BEFORE).unwrap().socket(),
            Some("/run/containerd/containerd.sock")
        );
        let newer = "version = 4\n[plugins.'io.containerd.server.v1.grpc']\naddress = '/run/x.sock'\n";
        assert_eq!(Dump::parse(newer).unwrap().socket(), Some("/run/x.sock"));
    }
}
