//! 08xx: what `doctor` finds broken between the API server and a guest that runs.

use super::Code;

pub(super) const CODES: &[&Code] = &[
    &API_SERVER,
    &RUNTIME_CLASS,
    &NO_NODE,
    &PROBE_REFUSED,
    &HANDLER,
    &PROBE_IMAGE,
    &NOT_WASM,
    &ENGINE,
    &GUEST,
    &NETWORK,
    &INTERPRETED,
    &POD,
    &SYSTEMD,
];

/// Nobody is asked anything more.
pub const API_SERVER: Code = Code {
    number: 801,
    title: "doctor: the API server cannot be asked",
    meaning: "The kubeconfig has no such context, the API server does not answer, or it refuses a question. Nothing else can be \
        looked at.",
    mend: "do what the message says; `kubectl --context NAME get nodes` shows whether it is the same for others.",
};

/// Nothing names a handler.
pub const RUNTIME_CLASS: Code = Code {
    number: 802,
    title: "doctor: there is no such RuntimeClass",
    meaning: "A [RuntimeClass](https://kubernetes.io/docs/concepts/containers/runtime-class/) gives a name to a handler in the \
        nodes' containerd, and says which nodes have it. Pods that name one that is not there are refused.",
    mend: "apply one, such as `manifests/runtimeclass.yaml`, or name yours with `--runtime-class`.",
};

/// Nowhere to go.
pub const NO_NODE: Code = Code {
    number: 803,
    title: "doctor: no node takes pods of the RuntimeClass",
    meaning: "Pods of a RuntimeClass go to nodes that have all labels of its `scheduling.nodeSelector`, are ready, take new \
        pods, and have no taint but those of its `scheduling.tolerations`.",
    mend: "label a node that has the handler (`kubectl label node NODE KEY=VALUE`), or correct what keeps the labelled ones \
        from taking pods. `kubectl uncordon NODE` lets a node take pods again.",
};

/// The namespace does not want it.
pub const PROBE_REFUSED: Code = Code {
    number: 804,
    title: "doctor: the namespace refuses the probe",
    meaning: "The API server was asked to try the probe's pod without storing it, and refuses it: a quota, a policy, an \
        admission webhook. The pod keeps to the strictest level of \
        [Pod Security](https://kubernetes.io/docs/concepts/security/pod-security-standards/), `restricted`; a service's \
        pod would be refused likewise.",
    mend: "have changed what the message names, or look in another namespace: `--namespace`.",
};

/// The name leads nowhere.
pub const HANDLER: Code = Code {
    number: 805,
    title: "doctor: a node has no runtime for Wasm behind the handler",
    meaning: "containerd on the node has no runtime of the name that the RuntimeClass's `handler` says, or the runtime of that \
        name is not crun, which alone hands modules to WasmEdge.",
    mend: "let `handler` be the name of the table in the node's containerd configuration whose `BinaryName` is crun \
        (`oci/node/crun-runtime.toml` is one), and restart containerd; or take the label from the node.",
};

/// Nothing to start.
pub const PROBE_IMAGE: Code = Code {
    number: 806,
    title: "doctor: a node cannot have the probe's image",
    meaning: "The node has not got the image and cannot pull it, or it has none for the node's platform.",
    mend: "push the probe to a registry that the nodes reach, once with native code and once without (`deploy-tool push \
        --help`), and name both with `--image` and `--plain-image`.",
};

/// crun is not told.
pub const NOT_WASM: Code = Code {
    number: 807,
    title: "doctor: the annotation does not reach crun on a node",
    meaning: "The probe's pod has the annotation `module.wasm.image/variant: compat-smart`, its entrypoint ends in .wasm, and \
        crun has run it as a native program all the same. Almost always containerd has kept the annotation to itself: it \
        hands on only those that match `pod_annotations` of the runtime's entry, where `*` does not cross a slash. A crun that \
        is built without WasmEdge behaves alike.",
    mend: "write `pod_annotations = [\"module.wasm.image/*\"]` into the entry and restart containerd. If it is there, \
        `crun --version` on the node must say `+WASM:wasmedge`.",
};

/// Only suggested by crun's package.
pub const ENGINE: Code = Code {
    number: 808,
    title: "doctor: crun cannot load WasmEdge on a node",
    meaning: "crun opens `libwasmedge.so.0` when it starts a module, from the node's own library path. The package of crun only \
        suggests that of the library.",
    mend: "install the library on the node (Debian: `apt-get install libwasmedge0`) and run `ldconfig`.",
};

/// It came up and is not as it should be.
pub const GUEST: Code = Code {
    number: 809,
    title: "doctor: the probe has not run on a node as it should",
    meaning: "The guest was not started in time, ended with an error, or was given other arguments or environment variables \
        than its pod says.",
    mend: "look at what the message shows; `kubectl describe node NODE` tells how the node is.",
};

/// No way out.
pub const NETWORK: Code = Code {
    number: 810,
    title: "doctor: a guest cannot reach a Service by its name",
    meaning: "A guest looks names up through the container's `/etc/resolv.conf`, IPv4 only, and opens sockets through the \
        engine. The probe asks for `kubernetes.default.svc`, which every cluster has. That no address is found means the \
        cluster's DNS, or an image without `/etc/services`; that none takes a connection, a NetworkPolicy or kube-proxy.",
    mend: "see whether an ordinary container in the same namespace can do it: then it is the engine, else the cluster's network \
        or a policy.",
};

/// Slow.
pub const INTERPRETED: Code = Code {
    number: 811,
    title: "doctor: native code has no effect on a node",
    meaning: "The probe that is compiled ahead of time is hardly faster than the plain one beside it. WasmEdge takes native code \
        only of its own version's form, and ignores other code without a word; from 0.17 on it ignores all of it under \
        crun. The service is interpreted, about fifteen times slower.",
    mend: "bring the node's WasmEdge and the builder's to one version, at most 0.16: `deploy-tool version` names the builder's.",
};

/// It hangs.
pub const POD: Code = Code {
    number: 812,
    title: "doctor: a node does not start the probe's pod",
    meaning: "The pod has got no node, no sandbox, or its containers cannot be created, for a reason that has nothing to do with \
        Wasm as far as can be told: no room, no address, a full disk.",
    mend: "see whether an ordinary pod starts on that node; `kubectl describe node NODE`, and the log of containerd there.",
};

/// Debian's crun where there is no bus.
pub const SYSTEMD: Code = Code {
    number: 813,
    title: "doctor: crun cannot ask systemd for a cgroup on a node",
    meaning: "containerd leaves cgroups to systemd there (`SystemdCgroup = true`), and crun says `cannot open sd-bus`. crun as \
        it is asks over the system's D-Bus alone, for which many nodes have no daemon, kind's among them; runc, which the \
        other pods have, does without. The engine of `node install` and of `cluster up` does, too, since revision r3.",
    mend: "have the engine installed (`deploy-tool node install NODE`), or install and start D-Bus on the node (Debian: \
        `apt-get install dbus`).",
};
