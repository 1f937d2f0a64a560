//! The installer on a node without a cluster, started as a Job starts it but for Kubernetes: what is hard to provoke there.

use std::process::Command;

use e2e::{CommandOutput, container_label, eventually, node_image};
use serde_json::Value;

const INSTALLER: &str = "localhost/wasm-node-installer:trixie";
/// Another image of the installer, such as one of a program that is being worked on.
fn installer_image() -> String {
    std::env::var("TEST_INSTALLER_IMAGE").unwrap_or_else(|_| INSTALLER.to_owned())
}

/// Where the node has the installer's own files: not on an overlay, in which no folder can be mounted into itself.
const FOLDER: &str = "/var/installer";
pub const CONFIGURATION: &str = "/etc/containerd/config.toml";
pub const IMPORTS: &str = "mkdir -p /etc/containerd/conf.d && sed -i '1i imports = [\"/etc/containerd/conf.d/*.toml\"]' \
    /etc/containerd/config.toml && systemctl restart containerd";

fn docker(arguments: &[&str]) -> CommandOutput {
    CommandOutput::from(Command::new("docker").args(arguments).output().unwrap())
}

/// What starts the installer as a Job does: with its own root folder, and the node's in it, read-only for who only looks.
pub fn as_job(verb: &str, handler: &str) -> String {
    let protect = match verb {
        "check" | "status" => format!("mount --options remount,bind,ro=recursive {FOLDER}/host && "),
        _ => String::new(),
    };
    format!(
        "unshare --mount sh -c 'mount --rbind / {FOLDER}/host && {protect}exec chroot {FOLDER} /node-installer {verb} --runtime \
         containerd --handler {handler}'"
    )
}

/// A node's container; its end deletes it.
pub struct Machine {
    name: String,
}

impl Machine {
    /// Starts one.
    pub fn start(image: &str) -> Self {
        let label = container_label();
        let options = [
            label.as_str(),
            "--privileged",
            "--cgroupns=private",
            "--tmpfs=/run",
            "--tmpfs=/tmp",
            "--volume=/var",
            "--security-opt=seccomp=unconfined",
        ];
        let run = docker(&[&["run", "--detach"], &options[..], &[image]].concat()).success();
        let name = run.stdout.trim().to_owned();
        let machine = Self { name };
        let name = &machine.name;
        eventually("containerd runs", || {
            (machine.on("systemctl is-active containerd").code == 0).then_some(())
        });
        let id = docker(&["create", &installer_image()]).success().stdout;
        let copy = format!(
            "docker export {} | docker exec --interactive {name} sh -c 'mkdir -p {FOLDER}/host && tar -x -C {FOLDER}'",
            id.trim()
        );
        CommandOutput::from(Command::new("bash").args(["-ec", &copy]).output().unwrap()).success();
        docker(&["rm", id.trim()]).success();
        machine
    }

    /// Runs a script on it.
    pub fn on(&self, script: &str) -> CommandOutput {
        docker(&["exec", &self.name, "bash", "-ec", script])
    }

    /// Runs the installer. Returns the last line of what it says.
    pub fn installer(&self, verb: &str) -> Value {
        self.installer_of(verb, "crun")
    }

    /// The same by another handler.
    pub fn installer_of(&self, verb: &str, handler: &str) -> Value {
        let output = self.on(&as_job(verb, handler));
        println!("{verb}:\n{}{}", output.stdout, output.stderr);
        let last: Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(output.code == 0, last["state"] != "failed", "{last}");
        last
    }

    /// Gives the installer's engine another version.
    pub fn next_version(&self, version: &str) {
        self.on(&format!(
            "cd {FOLDER}/opt/wasm-engine && mv * {version} && echo {version} >{version}/new"
        ))
        .success();
    }

    /// The checksums of everything that an installation could leave.
    pub fn traces(&self) -> String {
        self.on("find /opt /etc/containerd -type f -exec sha256sum {} + -o -type d -print | sort")
            .success()
            .stdout
    }

    /// Whether containerd's configuration has the entry of a version.
    pub fn has_entry(&self, engine: &str) -> bool {
        let dump = self.on("containerd config dump").success().stdout;
        dump.contains(&format!("/opt/wasm-engine/{engine}/bin/crun"))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.name]);
    }
}

/// Installed, again, and away: nothing else is in the way, and nothing is left.
pub fn comes_and_goes(machine: &Machine, way: &str) {
    let before = machine.traces();
    let check = machine.installer("check");
    assert!(
        check["state"] == "changed" && check["sentence"].as_str().unwrap().contains(way),
        "{check}"
    );
    assert_eq!(machine.traces(), before);
    let version = machine.installer("install")["version"].as_str().unwrap().to_owned();
    assert!(machine.has_entry(&version));
    for verb in ["check", "install", "status"] {
        let line = machine.installer(verb);
        assert_eq!(
            (&line["state"], line["version"].as_str()),
            (&Value::from("unchanged"), Some(&*version)),
            "{verb}"
        );
    }
    assert_eq!(machine.installer("remove")["state"], "changed");
    assert_eq!(machine.traces(), before);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn containerd_1_7_gets_an_edit_also_where_it_has_imports() {
    let machine = Machine::start("localhost/wasm-node-older-containerd:trixie");
    comes_and_goes(&machine, CONFIGURATION);
    // It would replace the whole plugin by what it imports.
    machine.on(IMPORTS).success();
    comes_and_goes(&machine, CONFIGURATION);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn a_newer_engine_takes_the_place_of_an_older_one_or_gives_it_back() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    machine.on(IMPORTS).success();
    comes_and_goes(&machine, "/etc/containerd/conf.d/50-wasm-engine.toml");
    let before = machine.traces();
    let older = machine.installer("install")["version"].as_str().unwrap().to_owned();
    let with_older = machine.traces();

    // The older one stays for the pods that were started with it, and takes its place again.
    machine.next_version("crun-next");
    assert_eq!(machine.installer("install")["version"], "crun-next");
    assert!(machine.has_entry("crun-next") && machine.on(&format!("ls /opt/wasm-engine/{older}/bin/crun")).code == 0);
    assert_eq!(machine.installer("undo")["version"], Value::from(&*older));
    assert!(machine.has_entry(&older));
    assert_eq!(machine.traces(), with_older);

    // Damaged files are reported, and repaired.
    machine.on(&format!("rm /opt/wasm-engine/{older}/bin/crun")).success();
    assert_eq!(machine.installer("status")["code"], 910);
    assert_eq!(machine.installer("install")["version"], "crun-next");

    // A runtime that does not start by any configuration is told of, and gone on with once it does.
    machine.next_version("crun-third");
    let script = "mkdir -p /etc/systemd/system/containerd.service.d && printf '[Service]\\nExecStartPre=/bin/false\\n' \
        >/etc/systemd/system/containerd.service.d/test.conf && systemctl daemon-reload";
    machine.on(script).success();
    assert_eq!(machine.installer("install")["code"], 906);
    machine
        .on("rm /etc/systemd/system/containerd.service.d/test.conf && systemctl daemon-reload")
        .success();
    machine.on("systemctl restart containerd").success();
    assert_eq!(machine.installer("status")["code"], 910);
    assert_eq!(machine.installer("install")["version"], "crun-third");
    assert!(machine.has_entry("crun-third"));

    assert_eq!(machine.installer("remove")["state"], "changed");
    assert_eq!(machine.traces(), before);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn an_engine_of_the_nodes_own_image_is_left_alone() {
    let machine = Machine::start(&node_image("wasm-node"));
    let before = machine.traces();
    for (verb, code) in [
        ("check", Value::from(902)),
        ("install", Value::from(902)),
        ("remove", Value::Null),
    ] {
        assert_eq!(machine.installer(verb)["code"], code, "{verb}");
    }
    assert_eq!(machine.traces(), before);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn a_node_on_which_the_engine_cannot_ask_systemd_is_left_alone() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    // As on kind's own: the engine has systemd's socket alone.
    machine.on("! test -e /run/dbus/system_bus_socket").success();
    let before = machine.traces();
    machine.on("mv /run/systemd/private /run/systemd/elsewhere").success();
    for verb in ["check", "install"] {
        let line = machine.installer(verb);
        let output = line.to_string();
        assert_eq!(line["code"], 901, "{verb}");
        for part in [
            "SystemdCgroup",
            "/run/dbus/system_bus_socket: No such file",
            "/run/systemd/private: No such file",
            "systemctl start dbus.socket",
        ] {
            assert!(output.contains(part), "{verb}: {part}: {output}");
        }
    }
    assert_eq!(machine.traces(), before);
    machine.on("mv /run/systemd/elsewhere /run/systemd/private").success();
    assert_eq!(machine.installer("check")["state"], "changed");
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn a_run_that_is_killed_is_gone_on_with() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let before = machine.traces();
    // The runtime does not come back before it is let.
    let gate = "mkdir -p /etc/systemd/system/containerd.service.d && printf \"[Service]\\nExecStartPre=/bin/sh -c 'until test -e \
        /run/gate; do sleep 0.1; done'\\n\" >/etc/systemd/system/containerd.service.d/test.conf && systemctl daemon-reload";
    machine.on(gate).success();
    std::thread::scope(|scope| {
        let killed = scope.spawn(|| machine.on(&as_job("install", "crun")));
        eventually("the runtime is being started again", || {
            let state = machine
                .on("systemctl show --property=SubState --value containerd")
                .stdout;
            (state.trim() == "start-pre").then_some(())
        });
        machine.on("kill -KILL $(pidof node-installer)").success();
        assert_ne!(killed.join().unwrap().code, 0);
    });
    machine.on("touch /run/gate").success();
    assert_eq!(machine.installer("status")["code"], 910);
    let version = machine.installer("install")["version"].as_str().unwrap().to_owned();
    assert!(machine.has_entry(&version));
    assert_eq!(machine.installer("remove")["state"], "changed");
    assert_eq!(machine.traces(), before);
}
