//! The installer on nodes whose configuration is none of kind's: it works, or says beforehand by name why it does not.

use e2e::node_image;

use crate::machine::{CONFIGURATION, Machine, comes_and_goes};

const DROP_IN: &str = "/etc/containerd/conf.d/50-wasm-engine.toml";

#[test]
#[ignore = "starts nodes, see main.rs"]
fn every_kind_of_configuration_is_taken_and_left_as_it_was() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let with = |change: &str| {
        machine.on(&format!("cd /etc/containerd && {change}")).success();
        machine.on("systemctl restart containerd").success();
    };
    // A link stays one, and what it leads to is as before.
    with("mkdir /etc/real && mv config.toml /etc/real/config.toml && ln -s ../real/config.toml config.toml");
    let real = "sha256sum /etc/real/*";
    let before = machine.on(real).success().stdout;
    comes_and_goes(&machine, "/etc/real/config.toml");
    assert_eq!(machine.on(real).success().stdout, before);
    machine.on("test -L /etc/containerd/config.toml").success();

    // A folder that is imported by a path that begins here.
    with(
        "rm config.toml && mkdir other && (echo 'imports = [\"other/*.toml\"]'; cat /etc/real/config.toml) >config.toml",
    );
    comes_and_goes(&machine, "/etc/containerd/other/50-wasm-engine.toml");

    // One file that is imported is no place for ours.
    with("echo 'version = 2' >other/one.toml && sed -i 's:other/[*]:/etc/containerd/other/one:' config.toml");
    comes_and_goes(&machine, CONFIGURATION);

    // As containerd 2.2 and later write it; the folder is not there.
    with("rm -r other && containerd config default >config.toml");
    comes_and_goes(&machine, DROP_IN);

    // None at all, as packages leave it.
    with("rm config.toml");
    comes_and_goes(&machine, CONFIGURATION);

    // What cannot be done is said before anything is done.
    let refused = |code: u16, part: &str| {
        let before = machine.traces();
        for verb in ["check", "install"] {
            let line = machine.installer(verb);
            assert_eq!(line["code"], code, "{verb}");
            assert!(line.to_string().contains(part), "{verb}: {line}");
        }
        assert_eq!(machine.traces(), before);
    };
    machine.on("ln -s nowhere /etc/containerd/config.toml").success();
    refused(901, "leads nowhere");
    machine.on("rm /etc/containerd/config.toml").success();
    machine.on("mount -t tmpfs -o noexec none /opt").success();
    refused(901, "noexec");
    machine
        .on("umount /opt && mount -t tmpfs -o ro none /srv && mv /opt /opt.real && ln -s /srv /opt")
        .success();
    refused(901, "read-only");
    machine.on("ln -sfn /srv/nothing /opt").success();
    refused(901, "/opt is a link that leads nowhere");
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn an_import_that_replaces_the_plugin_is_named() {
    let machine = Machine::start("localhost/wasm-node-older-containerd:trixie");
    let import = "printf 'version = 2\\n[plugins.\"io.containerd.grpc.v1.cri\"]\\nsandbox_image = \"x\"\\n' \
        >/etc/containerd/cri.toml && sed -i '1i imports = [\"/etc/containerd/cri.toml\"]' /etc/containerd/config.toml";
    machine.on(import).success();
    let before = machine.traces();
    for verb in ["check", "install"] {
        let line = machine.installer(verb);
        assert_eq!(line["code"], 903, "{verb}");
        assert!(line.to_string().contains("imports"), "{verb}: {line}");
    }
    assert_eq!(machine.traces(), before);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn what_others_call_containerd_is_not_run() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    // It has the lower process number after the runtime was started again.
    let fake = "cp /bin/sleep /tmp/containerd && chmod 755 /tmp/containerd && systemd-run --uid=65534 --unit=fake \
        /tmp/containerd 9999 && systemctl restart containerd";
    machine.on(fake).success();
    machine
        .on("(cd /tmp && exec -a containerd ./containerd 9999 </dev/null >/dev/null 2>&1 &)")
        .success();
    comes_and_goes(&machine, CONFIGURATION);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn an_entry_is_taken_from_where_it_was_put() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let before = machine.traces();
    machine.installer("install");
    // An administrator has gone on working with the file: today, there would be another place.
    machine
        .on(&format!(
            "sed -i '1i imports = [\"/etc/containerd/conf.d/*.toml\"]' {CONFIGURATION}"
        ))
        .success();
    assert_eq!(machine.installer("status")["state"], "unchanged");
    assert_eq!(machine.installer("install")["state"], "unchanged");
    assert_eq!(machine.installer("remove")["state"], "changed");
    machine.on(&format!("sed -i 1d {CONFIGURATION}")).success();
    assert_eq!(machine.traces(), before);
}

#[test]
#[ignore = "starts nodes, see main.rs"]
fn a_guest_runs_in_a_user_namespace_as_in_the_nodes_own() {
    let machine = Machine::start(&node_image("wasm-node-plain"));
    let engine = machine.installer("install")["version"].as_str().unwrap().to_owned();
    // A module that ends at once: one type, one function, one memory, both exported. Nothing else could execute it.
    let module = "\\x00asm\\x01\\x00\\x00\\x00\\x01\\x04\\x01\\x60\\x00\\x00\\x03\\x02\\x01\\x00\\x05\\x03\\x01\\x00\\x01\\x07\\x13\\x02\\x06memory\\x02\\x00\\x06_start\\x00\\x00\\x0a\\x04\\x01\\x02\\x00\\x0b";
    let users = ["", "--uidmap 0:100000:65536 --gidmap 0:100000:65536"];
    for (number, namespace) in users.iter().enumerate() {
        let root = format!("/var/guest{number}");
        let script = format!(
            "mkdir {root} && printf '{module}' >{root}/m.wasm && chown -R {}:0 {root} && chmod -R 755 {root} && ctr run --rm \
             --runc-binary /opt/wasm-engine/{engine}/bin/crun --annotation module.wasm.image/variant=compat-smart {namespace} \
             --rootfs {root} guest{number} /m.wasm",
            number * 100_000
        );
        machine.on(&script).success();
    }
}
