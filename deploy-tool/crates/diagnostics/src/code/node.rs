//! 09xx: bringing the engine to the nodes of a cluster. The installer's own numbers are in the crate `node-protocol`.

use super::Code;

pub(super) const CODES: &[&Code] = &[
    &UNFIT,
    &HANDLER_TAKEN,
    &REFUSED,
    &SILENT,
    &PROBE,
    &NO_WAY_BACK,
    &WASM_PODS,
    &DRAIN,
    &INSTALLER,
    &ENGINE,
];

/// Said before anything is touched.
pub const UNFIT: Code = Code {
    number: 901,
    title: "node: a node cannot take the engine",
    meaning: "The engine is made for Linux on x86-64 with AVX2, under containerd (1.7 or newer, configuration version 2 or newer) \
        or CRI-O, which systemd runs; `/opt` and the runtime's configuration must be writable. Where containerd leaves cgroups \
        to systemd (`SystemdCgroup`), the engine must be able to ask it, over the system's D-Bus or at `/run/systemd/private`. \
        Operating systems with a read-only root take it only as part of their image. Nothing was touched.",
    mend: "mend what the message names, name other nodes, or make the engine part of the node's image, as `oci/node` does.",
};

/// Two of one name.
pub const HANDLER_TAKEN: Code = Code {
    number: 902,
    title: "node: a node has a runtime of that name already",
    meaning: "The handler's name leads to a runtime that `node install` has not made: k3s adds one for every crun that it finds, \
        CRI-O's packages bring one, and a node's image may have the engine. Nothing was touched.",
    mend: "choose another name with `--handler`, and let a RuntimeClass have that handler; or leave such a node as it is.",
};

/// A configuration that would not do.
pub const REFUSED: Code = Code {
    number: 903,
    title: "node: the runtime does not take the new configuration",
    meaning: "`containerd config dump` was asked for the configuration with the new entry, and refuses it, or would lose other \
        settings with it. The file is as it was; the runtime was not started again.",
    mend: "do what containerd says of its configuration; `containerd config dump` on the node must print it without the entry, too.",
};

/// It stays away.
pub const SILENT: Code = Code {
    number: 904,
    title: "node: the runtime has not come back with the new configuration",
    meaning: "systemd could not start the runtime again, or it has not answered the kubelet's question within a minute. The old \
        configuration is back, the runtime was started with it and answers; the engine's files are gone.",
    mend: "the message has the end of the unit's log. Mend what it names and run the same command again.",
};

/// It runs, and not as it should.
pub const PROBE: Code = Code {
    number: 905,
    title: "node: a probe does not run as it should on a node",
    meaning: "The engine was installed and the runtime came back, but the probe that `doctor` uses did not run, or was \
        interpreted. Where this run had installed the engine, it is taken away again. The nodes after it were left alone.",
    mend: "the message names the broken link; `deploy-tool explain` with its number says more.",
};

/// Somebody has to go there.
pub const NO_WAY_BACK: Code = Code {
    number: 906,
    title: "node: the runtime does not come back at all",
    meaning: "With the new configuration the runtime did not start, and with the old one, which is back in its place, neither. \
        Containers go on, but the kubelet cannot start any. The node stays cordoned.",
    mend: "look at the unit on the node: `systemctl status containerd`, `journalctl -u containerd`. Once it runs, the same \
        command goes on where this one stopped.",
};

/// They need it.
pub const WASM_PODS: Code = Code {
    number: 907,
    title: "node: Wasm pods run on a node whose engine is to go",
    meaning: "The runtime needs the engine to stop their containers as well. Nothing was removed.",
    mend: "`--drain` evicts them, with respect to budgets for disruptions; their controllers start them on other nodes.",
};

/// They stay.
pub const DRAIN: Code = Code {
    number: 908,
    title: "node: pods cannot be evicted from a node",
    meaning: "A [PodDisruptionBudget](https://kubernetes.io/docs/tasks/run-application/configure-pdb/) does not allow it for as \
        long as was waited, or a pod takes longer to end. The node takes pods again.",
    mend: "wait until the budget allows it, or longer with `--timeout`; `kubectl get pdb -A` shows the budgets.",
};

/// Its own trouble.
pub const INSTALLER: Code = Code {
    number: 909,
    title: "node: the installer has not done its work",
    meaning: "The installer's pod was not started, was refused by the namespace, or could not read or write on the node.",
    mend: "the namespace must admit privileged pods (`--namespace`), and the node must reach the installer's image (`--image`).",
};

/// Not what was installed.
pub const ENGINE: Code = Code {
    number: 910,
    title: "node: the engine's files on a node are not as they should be",
    meaning: "Their checksums are others than when they were installed, or crun does not say that it has WasmEdge.",
    mend: "`deploy-tool node install` copies them anew; a disk that fails shows in the kernel's log.",
};
