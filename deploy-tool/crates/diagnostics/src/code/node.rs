//! 09xx: bringing the engine to the nodes of a cluster. The installer's own numbers are in the crate `node-protocol`.

use crate::error_code::Code;

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

/// DT0901: node: a node cannot take the engine.
pub const UNFIT: Code = Code {
    number: 901,
    title: "node: a node cannot take the engine",
    explanation: "The engine is made for Linux on x86-64 with AVX2, under containerd (1.7 or newer, configuration version 2 or newer) \
        or CRI-O, which systemd runs; `/opt` and the runtime's configuration must be writable. Where containerd leaves cgroups \
        to systemd (`SystemdCgroup`), the engine must be able to ask it, over the system's D-Bus or at `/run/systemd/private`. \
        Operating systems with a read-only root take it only as part of their image, and `/opt` must not be mounted `noexec`. The \
        runtime that is asked is root's, in a unit of the system, and its program is root's alone. Nothing was touched.",
    fix: "fix what the message names, name other nodes, or make the engine part of the node's image, as in that of `deploy-tool cluster up`.",
};

/// DT0902: node: a node has a runtime of that name already.
pub const HANDLER_TAKEN: Code = Code {
    number: 902,
    title: "node: a node has a runtime of that name already",
    explanation: "The handler's name leads to a runtime that `node install` has not made: k3s adds one for every crun that it finds, \
        CRI-O's packages bring one, and a node's image may have the engine. Nothing was touched.",
    fix: "choose another name with `--handler`, and let a RuntimeClass have that handler; or leave such a node as it is.",
};

/// DT0903: node: the runtime does not take the new configuration.
pub const REFUSED: Code = Code {
    number: 903,
    title: "node: the runtime does not take the new configuration",
    explanation: "`containerd config dump` was asked for the configuration with the new entry, and refuses it, or would lose other \
        settings with it, or a file that it imports takes the entry away again, as every import of the plugin does before containerd 2. \
        The file is as it was; the runtime was not started again.",
    fix: "do what containerd says of its configuration; `containerd config dump` on the node must print it without the entry, too.",
};

/// DT0904: node: the runtime has not come back with the new configuration.
pub const SILENT: Code = Code {
    number: 904,
    title: "node: the runtime has not come back with the new configuration",
    explanation: "systemd could not start the runtime again, or it has not answered the kubelet's question within a minute. The old \
        configuration is back, the runtime was started with it and answers; the engine's files are gone.",
    fix: "the message has the end of the unit's log. Fix what it names and run the same command again.",
};

/// DT0905: node: a probe does not run as it should on a node.
pub const PROBE: Code = Code {
    number: 905,
    title: "node: a probe does not run as it should on a node",
    explanation: "The engine was installed and the runtime came back, but the probe that `doctor` uses did not run, or was \
        interpreted. What this run had installed is taken away again, and the version before is back; what it has only repaired \
        stays, for pods may need it. The labels and whether the node takes pods are as before. The nodes after it were left alone.",
    fix: "the message names the check that failed; `deploy-tool explain` with its number says more.",
};

/// DT0906: node: the runtime does not come back at all.
pub const NO_WAY_BACK: Code = Code {
    number: 906,
    title: "node: the runtime does not come back at all",
    explanation: "With the new configuration the runtime did not start, and with the old one, which is back in its place, neither. \
        Containers go on, but the kubelet cannot start any. Or what was there before could not be written back. The node stays \
        cordoned.",
    fix: "look at the unit on the node: `systemctl status containerd`, `journalctl -u containerd`. Once it runs, the same \
        command goes on where this one stopped.",
};

/// DT0907: node: Wasm pods run on a node whose engine is to go.
pub const WASM_PODS: Code = Code {
    number: 907,
    title: "node: Wasm pods run on a node whose engine is to go",
    explanation: "The runtime needs the engine to stop their containers as well. Nothing was removed. The installer looks at the \
        containers of the node, whatever RuntimeClass they came by.",
    fix: "`--drain` evicts them, respecting PodDisruptionBudgets; their controllers start them on other nodes.",
};

/// DT0908: node: pods cannot be evicted from a node.
pub const DRAIN: Code = Code {
    number: 908,
    title: "node: pods cannot be evicted from a node",
    explanation: "A [PodDisruptionBudget](https://kubernetes.io/docs/tasks/run-application/configure-pdb/) does not allow it for as \
        long as was waited, or a pod takes longer to end; or something would be lost with a pod: one without a controller is \
        started nowhere else, and what is in an `emptyDir` is deleted. The node takes pods again.",
    fix: "wait until the budget allows it, or longer with `--timeout`; `kubectl get pdb -A` shows the budgets. `--force` evicts \
        pods without a controller, `--delete-emptydir-data` those with an `emptyDir`.",
};

/// DT0909: node: the installer has not done its work.
pub const INSTALLER: Code = Code {
    number: 909,
    title: "node: the installer has not done its work",
    explanation: "The installer's pod was not started, was refused by the namespace, could not read or write on the node, or was cut \
        off. Of one that was cut off it is not known how far it had come: the node stays cordoned, and the same command goes on.",
    fix: "the namespace must admit privileged pods (`--namespace`), and the node must reach the installer's image (`--image`).",
};

/// DT0910: node: the engine's files on a node are not as they should be.
pub const ENGINE: Code = Code {
    number: 910,
    title: "node: the engine's files on a node are not as they should be",
    explanation: "Their checksums are others than when they were installed, or crun does not say that it has WasmEdge.",
    fix: "`deploy-tool node install` copies them again; a disk that fails shows in the kernel's log.",
};
