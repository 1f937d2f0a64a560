//! Pure: the `config.json` of a bundle.
//!
//! <https://github.com/opencontainers/runtime-spec/blob/main/config.md>

use serde_json::{Value, json};

use super::ROOTFS;
use super::user::User;
use crate::image::VARIANT_ANNOTATION;

/// What a container is to be.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// The command line.
    pub arguments: Vec<String>,
    /// `NAME=VALUE`, the later one of two with one name.
    pub environment: Vec<String>,
    /// Where it starts.
    pub working_directory: String,
    /// As whom.
    pub user: User,
    /// Its name for itself.
    pub hostname: String,
    /// The value of the annotation by which crun takes it for Wasm.
    pub variant: Option<String>,
    /// The user and group who run it without root; they are the only ones in it.
    pub rootless: Option<(u32, u32)>,
    /// Files of the host that it sees, read-only, at the same place.
    pub host_files: Vec<String>,
}

/// What an ordinary container may do as root: what Docker gives it.
/// <https://github.com/moby/moby/blob/master/daemon/pkg/oci/caps/defaults.go>
const CAPABILITIES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// Paths in `/proc` and `/sys` that expose or change the host.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Makes the config.json. The container uses the host's network, as there is no CNI; all else of the host is isolated.
pub fn specification(container: &Container) -> Value {
    let is_wasm = container.variant.is_some();
    // A guest makes no system call that would need one.
    let capabilities: &[&str] = if is_wasm { &[] } else { CAPABILITIES };
    let user = match container.rootless {
        Some(_) => User::default(),
        None => container.user.clone(),
    };
    // A user other than root has no effective capabilities.
    let held: &[&str] = if user.uid == 0 { capabilities } else { &[] };
    let mut namespaces = vec!["pid", "ipc", "uts", "mount"];
    if container.rootless.is_some() {
        namespaces.push("user");
    }
    let namespaces: Vec<Value> = namespaces.iter().map(|kind| json!({"type": kind})).collect();
    let mut document = json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": {"uid": user.uid, "gid": user.gid},
            "args": container.arguments,
            "env": container.environment,
            "cwd": container.working_directory,
            "capabilities": {"bounding": capabilities, "effective": held, "permitted": held},
            "noNewPrivileges": true,
        },
        "root": {"path": ROOTFS, "readonly": is_wasm},
        "hostname": container.hostname,
        "mounts": mounts(container),
        "annotations": {},
        "linux": {
            "namespaces": namespaces,
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
        },
    });
    if !user.additional_gids.is_empty() {
        document["process"]["user"]["additionalGids"] = json!(user.additional_gids);
    }
    if let Some(variant) = &container.variant {
        document["annotations"][VARIANT_ANNOTATION] = json!(variant);
    }
    match container.rootless {
        Some((uid, gid)) => {
            let only = |id: u32| json!([{"containerID": 0, "hostID": id, "size": 1}]);
            document["linux"]["uidMappings"] = only(uid);
            document["linux"]["gidMappings"] = only(gid);
        }
        None => document["linux"]["resources"] = json!({"devices": [{"allow": false, "access": "rwm"}]}),
    }
    document
}

fn mounts(container: &Container) -> Vec<Value> {
    let mount = |destination: &str, kind: &str, source: &str, options: &[&str]| json!({"destination": destination, "type": kind, "source": source, "options": options});
    let is_rootless = container.rootless.is_some();
    // The group tty is not mapped in a rootless container.
    let terminals: &[&str] = if is_rootless {
        &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    } else {
        &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
    };
    let quiet = &["nosuid", "noexec", "nodev"];
    let mut mounts = vec![
        mount("/proc", "proc", "proc", &[]),
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        mount("/dev/pts", "devpts", "devpts", terminals),
        mount(
            "/dev/shm",
            "tmpfs",
            "shm",
            &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        ),
        mount("/dev/mqueue", "mqueue", "mqueue", quiet),
        // Only who owns the network may mount a new one.
        if is_rootless {
            mount("/sys", "none", "/sys", &["rbind", "nosuid", "noexec", "nodev", "ro"])
        } else {
            mount("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"])
        },
    ];
    let files = container.host_files.iter();
    mounts.extend(files.map(|file| mount(file, "none", file, &["bind", "nosuid", "noexec", "nodev", "ro"])));
    mounts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Container> {
        let linux = Container {
            arguments: vec!["/bin/sh".into(), "-c".into(), "true".into()],
            environment: vec!["PATH=/bin".into()],
            working_directory: "/".into(),
            hostname: "linux".into(),
            host_files: vec!["/etc/hosts".into()],
            ..Container::default()
        };
        let wasm = Container {
            arguments: vec!["/app.wasm".into()],
            user: User {
                uid: 65532,
                gid: 7,
                additional_gids: vec![8],
            },
            variant: Some("compat-smart".into()),
            ..linux.clone()
        };
        let rootless = Container {
            rootless: Some((1000, 100)),
            ..wasm.clone()
        };
        vec![linux, wasm, rootless]
    }

    /// The types of the specification know each field: nothing is lost when they read and write it.
    #[test]
    fn the_types_of_the_specification_hold_all_of_it() {
        // Of capabilities, the types keep a set.
        fn without_empty(value: Value) -> Value {
            match value {
                Value::Object(fields) => {
                    let fields = fields.into_iter().map(|(name, value)| (name, without_empty(value)));
                    let is_something =
                        |value: &Value| !matches!(value, Value::Null) && *value != json!({}) && *value != json!([]);
                    Value::Object(fields.filter(|(_, value)| is_something(value)).collect())
                }
                Value::Array(values) => {
                    let mut values: Vec<Value> = values.into_iter().map(without_empty).collect();
                    values.sort_by_key(ToString::to_string);
                    Value::Array(values)
                }
                other => other,
            }
        }
        for container in all() {
            let document = specification(&container);
            let typed: oci_spec::runtime::Spec = serde_json::from_value(document.clone()).unwrap();
            let back = serde_json::to_value(&typed).unwrap();
            assert_eq!(without_empty(back), without_empty(document));
        }
    }

    #[test]
    fn a_guest_can_do_less_than_a_program_and_somebody_without_root_is_alone() {
        let documents: Vec<Value> = all().iter().map(specification).collect();
        let [linux, wasm, rootless] = documents.as_slice() else {
            panic!("three")
        };
        assert_eq!(linux["annotations"], json!({}));
        assert_eq!(
            linux["process"]["capabilities"]["effective"].as_array().unwrap().len(),
            14
        );
        assert_eq!(wasm["annotations"][VARIANT_ANNOTATION], "compat-smart");
        assert_eq!(wasm["process"]["capabilities"]["bounding"], json!([]));
        assert_eq!(
            wasm["process"]["user"],
            json!({"uid": 65532, "gid": 7, "additionalGids": [8]})
        );
        assert_eq!(
            (&wasm["root"]["readonly"], &linux["root"]["readonly"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(rootless["process"]["user"], json!({"uid": 0, "gid": 0}));
        assert_eq!(
            rootless["linux"]["gidMappings"],
            json!([{"containerID": 0, "hostID": 100, "size": 1}])
        );
        assert!(rootless["linux"]["resources"].is_null());
    }
}
