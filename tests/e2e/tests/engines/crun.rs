//! The two engines of our nodes, `crun run` by `crun run`: each patch of the tuned one beside what Debian's does.

use std::process::Command;

use e2e::{Machine, eventually, node_image, pinned};

use crate::BUILDER;
use crate::node::{Node, STAYS, STOCK, exits};

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
    let output = node.0.try_run(&format!("{tuned} run --bundle /guest guest 2>&1"));
    assert_eq!(
        (output.code, output.stdout.contains("magic header")),
        (1, true),
        "{}",
        output.stdout
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
        let (code, output) = node.run(&stock, &exits(7));
        assert!(
            code == 1 && output.contains(&format!("cannot open sd-bus: {why}")),
            "Debian's crun asks systemd itself now: see 0007: {code} {output}"
        );
        assert_eq!(node.run(&tuned, &exits(7)), (7, String::new()), "{why}");
    }
    a_scope_comes_changes_and_goes(&node, &tuned, "without");

    // Without systemd's own socket, it says what Debian's says.
    node.0.run("mv /run/systemd/private /run/systemd/other");
    let (code, output) = node.run(&tuned, &exits(7));
    assert!(
        code == 1 && output.contains("cannot open sd-bus: No such file or directory"),
        "{code} {output}"
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
        let output = node.0.run(&format!(
            "systemctl show --value --property={property} crun-{name}.scope"
        ));
        output.trim().to_owned()
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
    let output = node.0.try_run(&format!("{crun} run --bundle /guest {name}-grows 2>&1"));
    assert_eq!((output.code, output.stdout.as_str()), (137, ""));
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
