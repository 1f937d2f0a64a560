//! The two engines of our nodes, `crun run` by `crun run`: each patch of the tuned one beside what Debian's does.

use std::process::{Child, Command, Stdio};

use e2e::{Machine, eventually, node_image, pinned};
use serde_json::{Value, json};

use crate::BUILDER;

/// Debian's crun.
pub const STOCK: &str = "/usr/bin/crun";

/// A node's system with both engines, and no Kubernetes.
pub struct Node(Machine);

impl Node {
    /// Starts one.
    pub fn start() -> Self {
        Self(Machine::start(&node_image("wasm-node-both")))
    }

    /// Starts one with systemd.
    fn booted() -> Self {
        Self(Machine::booted(&node_image("wasm-node-both")))
    }

    /// The crun with our patches.
    pub fn tuned(&self) -> String {
        self.0.run("ls /opt/wasm-engine/*/bin/crun").trim().to_owned()
    }

    /// A container that is not yet running: its name is that of its bundle's folder.
    fn bundle(&self, name: &str, text: &str, environment: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, bytes: &[u8]| std::fs::write(folder.path().join(file), bytes).unwrap();
        let made = self.0.run(&format!(
            "mkdir -p /{name}/rootfs && cd /{name} && rm -f config.json && crun spec && cat config.json"
        ));
        let mut specification: Value = serde_json::from_str(&made).unwrap();
        specification["process"]["terminal"] = json!(false);
        specification["root"]["readonly"] = json!(false);
        specification["process"]["args"] = json!(["/app.wasm"]);
        specification["process"]["env"] = json!(environment);
        specification["annotations"] = json!({"module.wasm.image/variant": "compat-smart"});
        write("config.json", specification.to_string().as_bytes());
        write("app.wasm", &wat::parse_str(text).unwrap());
        self.0
            .copy(&folder.path().join("config.json"), &format!("/{name}/config.json"));
        self.0
            .copy(&folder.path().join("app.wasm"), &format!("/{name}/rootfs/app.wasm"));
    }

    /// Runs a guest to its end: exit code, and what was printed.
    pub fn run(&self, crun: &str, text: &str) -> (i32, String) {
        self.bundle("guest", text, &[]);
        let said = self.0.try_run(&format!("{crun} run --bundle /guest guest 2>&1"));
        (said.code, said.stdout)
    }

    /// Starts a guest that makes the folder `begun` and stays, and waits until it has made it.
    pub fn started(&self, crun: &str, text: &str, environment: &[&str]) -> Running<'_> {
        self.bundle("guest", text, environment);
        let running = Command::new("docker")
            .args(["exec", &self.0.0, crun, "run", "--bundle", "/guest", "guest"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Running {
            node: self,
            crun: crun.to_owned(),
            process: running,
            pid: 0,
        };
        running.pid = eventually("the guest runs", || {
            let state: Value = serde_json::from_str(&running.said("state guest")).ok()?;
            let pid = state["pid"].as_u64()?;
            // The guest's own code has made the folder: the module is loaded, and the handlers of signals are in place.
            (self.0.try_run("test -d /guest/rootfs/begun").code == 0).then_some(pid)
        });
        running
    }
}

/// A guest that runs, and its crun.
pub struct Running<'a> {
    node: &'a Node,
    crun: String,
    process: Child,
    pid: u64,
}

impl Running<'_> {
    fn said(&self, command: &str) -> String {
        self.node.0.try_run(&format!("{} {command}", self.crun)).stdout
    }

    fn signal(&self, name: &str) {
        self.node.0.run(&format!("{} kill guest {name}", self.crun));
    }

    /// A file that the kernel has of its process.
    pub fn of_process(&self, file: &str) -> String {
        self.node.0.run(&format!("cat /proc/{}/{file}", self.pid))
    }

    /// What its process has open.
    pub fn descriptors(&self) -> String {
        self.node.0.run(&format!("ls -l /proc/{}/fd", self.pid))
    }

    fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// The exit code after a signal.
    fn ended_by(mut self, name: &str) -> i32 {
        self.signal(name);
        let code = eventually("the guest ends", || self.process.try_wait().unwrap());
        code.code().unwrap()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.said("delete --force guest");
        self.node.0.try_run("rm -rf /guest");
        let _ = self.process.wait();
    }
}

/// Makes the folder `begun`, and goes round in a circle: only a signal ends it.
const STAYS: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_create_directory" (func $create (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "begun")
    (func (export "_start")
        (drop (call $create (i32.const 3) (i32.const 0) (i32.const 5)))
        (loop $forever (br $forever))))"#;

fn exits(code: u32) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const {code}))))"#
    )
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn the_exit_code_of_a_guest_is_the_containers_in_the_tuned_engine() {
    let node = Node::start();
    let tuned = node.tuned();
    // What a guest does, the tuned engine's exit code, and the stock one's.
    let trap = "(module (memory (export \"memory\") 1) (func (export \"_start\") unreachable))".to_owned();
    let returns = "(module (memory (export \"memory\") 1) (func (export \"_start\")))".to_owned();
    let nothing = "(module)".to_owned();
    for (what, text, by_tuned, by_stock) in [
        ("returns", returns, 0, 0),
        ("exits with 0", exits(0), 0, 0),
        ("exits with 7", exits(7), 7, 0),
        ("exits with 255", exits(255), 255, 0),
        ("exits with 256", exits(256), 1, 0),
        ("traps", trap, 1, 1),
        ("has no _start", nothing, 1, 1),
    ] {
        assert_eq!(node.run(&tuned, &text).0, by_tuned, "tuned: a guest that {what}");
        assert_eq!(node.run(STOCK, &text).0, by_stock, "stock: a guest that {what}");
    }
    node.bundle("guest", "(module)", &[]);
    node.0.run("echo no module >/guest/rootfs/app.wasm");
    let said = node.0.try_run(&format!("{tuned} run --bundle /guest guest 2>&1"));
    assert_eq!(
        (said.code, said.stdout.contains("magic header")),
        (1, true),
        "{}",
        said.stdout
    );
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn signals_that_ask_for_the_end_end_a_guest_and_no_others_in_the_tuned_engine() {
    let node = Node::start();
    let tuned = node.tuned();
    let mut running = node.started(&tuned, STAYS, &[]);
    running.signal("PIPE");
    assert!(running.runs());
    assert_eq!(running.ended_by("TERM"), 143);
    assert_eq!(node.started(&tuned, STAYS, &[]).ended_by("INT"), 130);
    // Debian's hears neither: the guest is process 1, whose signals do nothing unless it asks for them.
    let mut running = node.started(STOCK, STAYS, &[]);
    let caught = running.of_process("status");
    assert!(
        caught.lines().any(|line| line == "SigCgt:\t0000000000000000"),
        "{caught}"
    );
    running.signal("TERM");
    running.signal("INT");
    assert!(running.runs());
    assert_eq!(running.ended_by("KILL"), 137);
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn the_tuned_engine_mounts_plugins_read_only_and_takes_all_libraries_from_its_own_folder() {
    let node = Node::start();
    let tuned = node.tuned();
    node.0
        .run("mkdir -p /usr/lib/wasmedge && touch /usr/lib/wasmedge/a-plugin");
    let asks = "WASMEDGE_PLUGIN_PATH=/usr/lib/wasmedge";
    let running = node.started(&tuned, STAYS, &[asks]);
    let mounts = running.of_process("mountinfo");
    let plugins = mounts
        .lines()
        .find(|line| line.contains(" /usr/lib/wasmedge "))
        .expect("it is mounted");
    // The fields are: id, parent, device, root, mount point, options.
    let options: Vec<&str> = plugins.split(' ').nth(5).unwrap().split(',').collect();
    assert!(
        ["ro", "nosuid", "nodev"].iter().all(|option| options.contains(option)),
        "{plugins}"
    );
    drop(running);
    // Only who asks for plugins gets the folder.
    let running = node.started(&tuned, STAYS, &[]);
    assert!(!running.of_process("mountinfo").contains("wasmedge"));

    // What is mapped from files: crun itself is a mount of its own, called `/`, and the module is gone, as it is loaded.
    let maps = running.of_process("maps");
    let mapped: Vec<&str> = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .filter(|file| file.starts_with('/'))
        .collect();
    let folder = tuned.trim_end_matches("bin/crun");
    assert!(mapped.iter().any(|file| file.ends_with("libwasmedge.so.0")), "{maps}");
    assert!(
        mapped.iter().all(|file| file.starts_with(folder) || *file == "/"),
        "{maps}"
    );
    drop(running);
    let running = node.started(STOCK, STAYS, &[asks]);
    assert!(
        !running.of_process("mountinfo").contains("wasmedge"),
        "Debian's crun mounts plugins now: see 0003"
    );
    assert!(
        running.of_process("maps").contains("/app.wasm"),
        "Debian's crun lets go of the module now: see 0005"
    );
}

/// No release of Debian's asks for it: a library that has the function of later ones stands before the real one.
#[test]
#[ignore = "needs Docker and the images of the tests"]
fn the_tuned_engine_asks_for_native_code_where_wasmedge_has_to_be_asked() {
    let node = Node::start();
    let tuned = node.tuned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("later.c"),
        "#include <stdio.h>\nvoid WasmEdge_ConfigureSetRunMode(void *configure, int mode)\n\
         { (void) configure; fprintf(stderr, \"run mode %d\\n\", mode); }\n",
    )
    .unwrap();
    // Its one need is the real library under another file name.
    let script = "gcc -shared -o real.so -Wl,-soname,real.so -x c /dev/null && \
        gcc -shared -fPIC -o libwasmedge.so.0 -Wl,-soname,later.so,--no-as-needed later.c real.so";
    let volume = format!("{}:/work", folder.path().display());
    crate::docker(&[
        "run",
        "--rm",
        "--network=none",
        "--security-opt=label=disable",
        "--volume",
        &volume,
        "--workdir=/work",
        BUILDER,
        "sh",
        "-c",
        script,
    ]);
    let libraries = tuned.replace("bin/crun", "lib");
    node.0
        .run(&format!("mv {libraries}/libwasmedge.so.0 {libraries}/real.so"));
    node.0.copy(
        &folder.path().join("libwasmedge.so.0"),
        &format!("{libraries}/libwasmedge.so.0"),
    );
    let (code, printed) = node.run(&tuned, &exits(7));
    // WasmEdge_RunMode_AOT of WasmEdge 0.17's headers.
    assert_eq!((code, printed.trim()), (7, "run mode 2"));
}

/// The compiler of the builder with the tuned engine's libraries: it says what is missing, and ends.
#[test]
#[ignore = "needs Docker and the images of the tests"]
fn whoever_asks_the_stand_in_for_llvm_to_compile_is_told_that_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Machine::start(&node_image("wasm-node-both"));
    let libraries = engine.run("ls -d /opt/wasm-engine/*/lib");
    let from = format!("{}:{}/libLLVM.so.19.1", engine.0, libraries.trim());
    crate::docker(&["cp", &from, &folder.path().display().to_string()]);
    std::fs::write(folder.path().join("in.wasm"), wat::parse_str(exits(7)).unwrap()).unwrap();
    let volume = format!("{}:/work", folder.path().display());
    let with = ["run", "--rm", "--network=none", "--security-opt=label=disable"];
    let with = [&with[..], &["--volume", &volume, "--workdir=/work"]].concat();
    let run = |arguments: &[&str]| {
        let stand_in = ["--env=LD_LIBRARY_PATH=/work", "--env=LD_PRELOAD=", BUILDER, "wasmedge"];
        let output = Command::new("docker")
            .args(&with)
            .args(stand_in)
            .args(arguments)
            .output();
        e2e::CommandOutput::from(output.unwrap())
    };
    let compiled = run(&["compile", "in.wasm", "out.wasm"]);
    assert!(
        compiled.code != 0 && compiled.stderr.contains("this WasmEdge has no compiler"),
        "{} {}",
        compiled.code,
        compiled.stderr
    );
    assert!(!folder.path().join("out.wasm").exists());
    // Whatever needs no compiler goes on.
    assert_eq!(run(&["in.wasm"]).code, 7);
}

/// systemd has the cgroups, as the kubelet wants it. kind's nodes have systemd and no D-Bus daemon.
#[test]
#[ignore = "needs Docker and the images of the tests"]
fn the_tuned_engine_asks_systemd_for_cgroups_with_and_without_a_system_bus() {
    let node = Node::booted();
    let (tuned, stock) = (systemd(&node.tuned()), systemd(STOCK));
    node.0.run("systemctl is-active dbus.socket");
    for (crun, code) in [(&tuned, 7), (&stock, 0)] {
        assert_eq!(node.run(crun, &exits(7)), (code, String::new()), "{crun} with a bus");
    }
    a_scope_comes_changes_and_goes(&node, &tuned, "with");

    // A socket at which nobody listens, and none.
    node.0
        .run("systemctl stop dbus.socket dbus.service && test -S /run/dbus/system_bus_socket");
    for (why, script) in [
        ("Connection refused", "true"),
        ("No such file or directory", "rm /run/dbus/system_bus_socket"),
    ] {
        node.0.run(script);
        let (code, said) = node.run(&stock, &exits(7));
        assert!(
            code == 1 && said.contains(&format!("cannot open sd-bus: {why}")),
            "Debian's crun asks systemd itself now: see 0007: {code} {said}"
        );
        assert_eq!(node.run(&tuned, &exits(7)), (7, String::new()), "{why}");
    }
    a_scope_comes_changes_and_goes(&node, &tuned, "without");

    // Without systemd's own socket, it says what Debian's says.
    node.0.run("mv /run/systemd/private /run/systemd/other");
    let (code, said) = node.run(&tuned, &exits(7));
    assert!(
        code == 1 && said.contains("cannot open sd-bus: No such file or directory"),
        "{code} {said}"
    );
}

fn systemd(crun: &str) -> String {
    format!("{crun} --systemd-cgroup")
}

/// What systemd is asked for in a container's life: its start, its change and its end, also that of one that ran out of memory.
/// systemd keeps the name of a scope that was changed over the bus, so each has a name of its own.
fn a_scope_comes_changes_and_goes(node: &Node, crun: &str, name: &str) {
    let mebibytes = |count: u32| (count << 20).to_string();
    let bundle_with_limit = |text: &str| {
        node.bundle("guest", text, &[]);
        let limit = format!(".linux.resources.memory.limit = {}", mebibytes(64));
        node.0.run(&format!(
            "cd /guest && jq '{limit}' config.json >new && mv new config.json"
        ));
    };
    let scope = |property: &str| {
        let said = node.0.run(&format!(
            "systemctl show --value --property={property} crun-{name}.scope"
        ));
        said.trim().to_owned()
    };

    bundle_with_limit(STAYS);
    let run = format!("{crun} run --detach --bundle /guest {name} </dev/null >/dev/null 2>&1");
    node.0.run(&run);
    assert_eq!(
        (scope("ActiveState"), scope("MemoryMax")),
        ("active".to_owned(), mebibytes(64))
    );
    node.0.run(&format!("{crun} update --memory={} {name}", mebibytes(32)));
    assert_eq!(scope("MemoryMax"), mebibytes(32));
    node.0.run(&format!("{crun} delete --force {name}"));
    assert_eq!(scope("ActiveState"), "inactive");

    // A scope that has failed would never be forgotten.
    bundle_with_limit(GROWS);
    let said = node.0.try_run(&format!("{crun} run --bundle /guest {name}-grows 2>&1"));
    assert_eq!((said.code, said.stdout.as_str()), (137, ""));
    eventually("the scope is forgotten", || {
        let state = format!("systemctl show --value --property=LoadState crun-{name}-grows.scope");
        (node.0.run(&state).trim() == "not-found").then_some(())
    });
}

/// Takes memory until the kernel ends it.
const GROWS: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "_start")
        (loop $more
            (memory.fill (i32.shl (memory.grow (i32.const 16)) (i32.const 16)) (i32.const 1) (i32.const 1048576))
            (br $more))))"#;

/// The folder's name says which releases are in it: it changes with them.
#[test]
fn the_engines_name_is_that_of_its_parts() {
    let (crun, engine) = (pinned("crun_version"), pinned("engine"));
    let parts = format!(
        "crun-{}-wasmedge-{}-r",
        crun.split('-').next().unwrap(),
        pinned("wasmedge_version")
    );
    assert!(engine.starts_with(&parts), "{engine} is not {parts}N");
}
