//! The installer on a node that has the engine: whatever happens, what runs goes on, and the next run finds its way.

use e2e::{eventually, node_image};
use serde_json::Value;

use crate::machine::{IMPORTS, Machine};

/// A container that was started by the crun of a version, as containerd's shim starts it for a pod.
fn container(machine: &Machine, engine: &str) {
    let script = format!(
        "mkdir -p /var/rootfs/{{usr,proc,sys,dev,tmp,etc}} && cd /var/rootfs && ln -sfn usr/bin bin && ln -sfn usr/lib lib && \
         ln -sfn usr/lib64 lib64 && ctr run --detach --runc-binary /opt/wasm-engine/{engine}/bin/crun --mount \
         type=bind,src=/usr,dst=/usr,options=rbind:ro --rootfs /var/rootfs guest /bin/sleep 9999"
    );
    machine.on(&script).success();
}

fn end_container(machine: &Machine) {
    machine.on("ctr task kill --signal KILL guest").success();
    eventually("the container has ended", || {
        (machine.on("ctr task delete guest && ctr container delete guest").code == 0).then_some(())
    });
}

fn version(line: &Value) -> String {
    line["version"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn a_repair_is_not_undone() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let before = machine.traces();
    let engine = version(&machine.installer("install"));
    let installed = machine.traces();
    for damage in [
        format!("rm -r /opt/wasm-engine/{engine}/share"),
        "cp /opt/wasm-engine/configuration.before /etc/containerd/config.toml".to_owned(),
    ] {
        machine.on(&damage).success();
        assert_eq!(machine.installer("install")["state"], "changed");
        assert!(machine.has_entry(&engine));
        let repaired = machine.traces();
        let undo = machine.installer("undo");
        assert_eq!(
            (&undo["state"], version(&undo)),
            (&Value::from("unchanged"), engine.clone())
        );
        assert_eq!(machine.traces(), repaired);
        // All but the record is as after the first installation.
        let files = |traces: &str| -> Vec<String> {
            traces
                .lines()
                .filter(|line| !line.ends_with(".json"))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(files(&repaired), files(&installed));
    }
    assert_eq!(machine.installer("remove")["state"], "changed");
    assert_eq!(machine.traces(), before);
    // What was new is taken away again.
    assert_eq!(version(&machine.installer("install")), engine);
    assert_eq!(machine.installer("undo")["version"], Value::Null);
    assert_eq!(machine.traces(), before);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn nothing_goes_that_a_container_needs() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let before = machine.traces();
    let first = version(&machine.installer("install"));
    container(&machine, &first);
    let installed = machine.traces();
    for verb in ["undo", "remove"] {
        let line = machine.installer(verb);
        assert_eq!(line["code"], 907, "{verb}");
        assert!(line.to_string().contains("/guest needs"), "{verb}: {line}");
        assert_eq!(machine.traces(), installed);
    }
    // It stays beyond two newer ones, and goes with the next after it is not needed any more.
    for newer in ["crun-2", "crun-3"] {
        machine.next_version(newer);
        assert_eq!(version(&machine.installer("install")), newer);
    }
    let there = |version: &str| machine.on(&format!("test -d /opt/wasm-engine/{version}")).code == 0;
    assert!(there(&first) && there("crun-2") && there("crun-3"));
    assert_eq!(machine.installer("remove")["code"], 907);
    end_container(&machine);
    machine.next_version("crun-4");
    assert_eq!(version(&machine.installer("install")), "crun-4");
    assert!(!there(&first) && !there("crun-2") && there("crun-3"));
    assert_eq!(machine.installer("remove")["state"], "changed");
    assert_eq!(machine.traces(), before);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn a_run_that_fails_late_goes_back_to_where_it_began() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let before = machine.traces();
    // The first installation cannot be written down: a folder is in the way.
    machine
        .on("mkdir -p /opt/wasm-engine/installed.json.wasm-engine")
        .success();
    let line = machine.installer("install");
    assert_eq!(line["code"], 909);
    assert!(
        line.to_string()
            .contains("what was there before is back, and the runtime answers"),
        "{line}"
    );
    assert_eq!(machine.traces(), before);

    // The same with one to go back to, which knows the configuration for a moment.
    machine.on(IMPORTS).success();
    let first = version(&machine.installer("install"));
    machine
        .on("mkdir /opt/wasm-engine/installed.json.wasm-engine")
        .success();
    let installed = machine.traces();
    machine.next_version("crun-2");
    assert_eq!(machine.installer("install")["code"], 909);
    assert!(machine.has_entry(&first));
    assert_eq!(machine.traces(), installed);
    machine
        .on("rmdir /opt/wasm-engine/installed.json.wasm-engine")
        .success();
    assert_eq!(machine.installer("status")["state"], "unchanged");
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn a_run_that_fails_after_one_that_was_killed_goes_back_to_where_that_began() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let before = machine.traces();
    machine.on("chmod 600 /etc/containerd/config.toml").success();
    killed_at_the_restart(&machine);
    // Copies of the configuration are for root alone.
    let modes = "stat -c '%a %n' /opt/wasm-engine/*.json /opt/wasm-engine/*.before /etc/containerd/config.toml";
    let modes = machine.on(modes).success().stdout;
    assert!(
        modes.lines().count() == 3 && modes.lines().all(|line| line.starts_with("600 ")),
        "{modes}"
    );
    let broken = "cd /var/installer/opt/wasm-engine/* && mv bin/crun bin/kept && cp /bin/false bin/crun";
    machine.on(broken).success();
    assert_eq!(machine.installer("install")["code"], 910);
    assert_eq!(machine.traces(), before);
    machine
        .on("cd /var/installer/opt/wasm-engine/* && mv bin/kept bin/crun")
        .success();
    // And with one to go back to.
    let first = version(&machine.installer("install"));
    let installed = machine.traces();
    machine.next_version("crun-2");
    killed_at_the_restart(&machine);
    machine.on(broken).success();
    assert_eq!(machine.installer("install")["code"], 910);
    assert!(machine.has_entry(&first));
    assert_eq!(machine.traces(), installed);
}

/// Kills the installer while it waits for the runtime, which comes back with what is in its configuration.
fn killed_at_the_restart(machine: &Machine) {
    let gate = "mkdir -p /etc/systemd/system/containerd.service.d && rm -f /run/gate && printf \"[Service]\\nExecStartPre=/bin/sh \
        -c 'until test -e /run/gate; do sleep 0.1; done'\\n\" >/etc/systemd/system/containerd.service.d/test.conf && \
        systemctl daemon-reload";
    machine.on(gate).success();
    std::thread::scope(|scope| {
        let killed = scope.spawn(|| machine.on(&crate::machine::as_job("install", "crun")));
        eventually("the runtime is being started again", || {
            let state = machine
                .on("systemctl show --property=SubState --value containerd")
                .stdout;
            (state.trim() == "start-pre").then_some(())
        });
        // The kubelet asks first, and is not heard before the work is done.
        machine.on("kill -TERM $(pidof node-installer)").success();
        machine.on("kill -KILL $(pidof node-installer)").success();
        assert_ne!(killed.join().unwrap().code, 0);
    });
    machine
        .on("touch /run/gate; rm -r /etc/systemd/system/containerd.service.d && systemctl daemon-reload")
        .success();
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn an_earlier_handler_is_kept_and_goes_with_the_engine() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    for imports in [false, true] {
        if imports {
            machine.on(IMPORTS).success();
        }
        let before = machine.traces();
        let engine = version(&machine.installer("install"));
        let with_one_handler = machine.traces();
        assert_eq!(version(&machine.installer_of("install", "other")), engine);
        let entries = || {
            let dump = machine.on("containerd config dump").success().stdout;
            let of = |handler: &str| dump.contains(&format!("runtimes.{handler}.options]"));
            (
                of("crun"),
                of("other"),
                dump.matches(&format!("{engine}/bin/crun")).count(),
            )
        };
        assert_eq!(entries(), (true, true, 2));
        for handler in ["crun", "other"] {
            assert_eq!(
                machine.installer_of("install", handler)["state"],
                "unchanged",
                "{handler}"
            );
        }
        assert!(machine.installer("status").to_string().contains("`other`, `crun`"));
        assert_eq!(version(&machine.installer("undo")), engine);
        assert_eq!(machine.traces(), with_one_handler);
        machine.installer_of("install", "other");
        assert_eq!(machine.installer("remove")["state"], "changed");
        assert_eq!(entries(), (false, false, 0));
        assert_eq!(machine.traces(), before);
    }
}
