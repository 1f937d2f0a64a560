//! 08xx: what `doctor` finds broken between the API server and a guest that runs.

use crate::error_code::Code;

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

/// DT0801: doctor: the API server cannot be asked.
pub const API_SERVER: Code = Code {
    number: 801,
    title: "doctor: the API server cannot be asked",
    explanation: "The kubeconfig has no such context, the API server does not answer, or it refuses a question. Nothing else can be \
        looked at.",
    fix: "do what the message says; `kubectl --context NAME get nodes` shows whether it is the same for others.",
};

/// DT0802: doctor: there is no such RuntimeClass.
pub const RUNTIME_CLASS: Code = Code {
    number: 802,
    title: "doctor: there is no such RuntimeClass",
    explanation: "A [RuntimeClass](https://kubernetes.io/docs/concepts/containers/runtime-class/) gives a name to a handler in the \
        nodes' containerd, and says which nodes have it. Pods that name one that is not there are refused.",
    fix: "apply one (`apiVersion: node.k8s.io/v1`, `kind: RuntimeClass`, `metadata.name: crun-wasm`, `handler: crun`, and the labels of the \
        nodes that have the handler under `scheduling.nodeSelector`), or name yours with `--runtime-class`.",
};

/// DT0803: doctor: no node takes pods of the RuntimeClass.
pub const NO_NODE: Code = Code {
    number: 803,
    title: "doctor: no node takes pods of the RuntimeClass",
    explanation: "Pods of a RuntimeClass go to nodes that have all labels of its `scheduling.nodeSelector`, are ready, take new \
        pods, and have no taint but those of its `scheduling.tolerations`.",
    fix: "label a node that has the handler (`kubectl label node NODE KEY=VALUE`), or correct what keeps the labelled ones \
        from taking pods. `kubectl uncordon NODE` lets a node take pods again.",
};

/// DT0804: doctor: the namespace refuses the probe.
pub const PROBE_REFUSED: Code = Code {
    number: 804,
    title: "doctor: the namespace refuses the probe",
    explanation: "The API server was asked to try the probe's pod without storing it, and refuses it: a quota, a policy, an \
        admission webhook. The pod keeps to the strictest level of \
        [Pod Security](https://kubernetes.io/docs/concepts/security/pod-security-standards/), `restricted`; a service's \
        pod would be refused likewise.",
    fix: "have changed what the message names, or look in another namespace: `--namespace`.",
};

/// DT0805: doctor: a node has no runtime for Wasm behind the handler.
pub const HANDLER: Code = Code {
    number: 805,
    title: "doctor: a node has no runtime for Wasm behind the handler",
    explanation: "containerd on the node has no runtime of the name that the RuntimeClass's `handler` says, or the runtime of that \
        name is not crun, which alone hands modules to WasmEdge.",
    fix: "let `handler` be the name of the table in the node's containerd configuration whose `BinaryName` is crun, \
        and restart containerd: `deploy-tool node install NODE` does both; or take the label from the node.",
};

/// DT0806: doctor: a node cannot have the probe's image.
pub const PROBE_IMAGE: Code = Code {
    number: 806,
    title: "doctor: a node cannot have the probe's image",
    explanation: "The node has not got the image and cannot pull it, or it has none for the node's platform.",
    fix: "push the probe to a registry that the nodes reach, once with native code and once without (`deploy-tool push \
        --help`), and name both with `--image` and `--plain-image`.",
};

/// DT0807: doctor: the annotation does not reach crun on a node.
pub const NOT_WASM: Code = Code {
    number: 807,
    title: "doctor: the annotation does not reach crun on a node",
    explanation: "The probe's pod has the annotation `module.wasm.image/variant: compat-smart`, its entrypoint ends in .wasm, and \
        crun has run it as a native program all the same. Almost always containerd has kept the annotation to itself: it \
        hands on only those that match `pod_annotations` of the runtime's entry, where `*` does not cross a slash. A crun that \
        is built without WasmEdge behaves alike.",
    fix: "write `pod_annotations = [\"module.wasm.image/*\"]` into the entry and restart containerd. If it is there, \
        `crun --version` on the node must say `+WASM:wasmedge`.",
};

/// DT0808: doctor: crun cannot load WasmEdge on a node.
pub const ENGINE: Code = Code {
    number: 808,
    title: "doctor: crun cannot load WasmEdge on a node",
    explanation: "crun opens `libwasmedge.so.0` when it starts a module, from the node's own library path. The package of crun only \
        suggests that of the library.",
    fix: "install the library on the node (Debian: `apt-get install libwasmedge0`) and run `ldconfig`.",
};

/// DT0809: doctor: the probe has not run on a node as it should.
pub const GUEST: Code = Code {
    number: 809,
    title: "doctor: the probe has not run on a node as it should",
    explanation: "The guest was not started in time, ended with an error, or was given other arguments or environment variables \
        than its pod says.",
    fix: "look at what the message shows; `kubectl describe node NODE` tells how the node is.",
};

/// DT0810: doctor: a guest cannot reach a Service by its name.
pub const NETWORK: Code = Code {
    number: 810,
    title: "doctor: a guest cannot reach a Service by its name",
    explanation: "A guest looks names up through the container's `/etc/resolv.conf`, IPv4 only, and opens sockets through the \
        engine. The probe asks for `kubernetes.default.svc`, which every cluster has. That no address is found means the \
        cluster's DNS, or an image without `/etc/services`; that none takes a connection, a NetworkPolicy or kube-proxy.",
    fix: "see whether an ordinary container in the same namespace can do it: then it is the engine, else the cluster's network \
        or a policy.",
};

/// DT0811: doctor: native code has no effect on a node.
pub const INTERPRETED: Code = Code {
    number: 811,
    title: "doctor: native code has no effect on a node",
    explanation: "The probe that is compiled ahead of time is hardly faster than the plain one beside it. WasmEdge takes native code \
        only of its own version's form, and ignores other code without a word; from 0.17 on it ignores all of it under \
        crun. The service is interpreted, about fifteen times slower.",
    fix: "bring the node's WasmEdge and the builder's to one version, at most 0.16: `deploy-tool version` names the builder's.",
};

/// DT0812: doctor: a node does not start the probe's pod.
pub const POD: Code = Code {
    number: 812,
    title: "doctor: a node does not start the probe's pod",
    explanation: "The pod has got no node, no sandbox, or its containers cannot be created, for a reason that has nothing to do with \
        Wasm as far as can be told: no room, no address, a full disk.",
    fix: "see whether an ordinary pod starts on that node; `kubectl describe node NODE`, and the log of containerd there.",
};

/// DT0813: doctor: crun cannot ask systemd for a cgroup on a node.
pub const SYSTEMD: Code = Code {
    number: 813,
    title: "doctor: crun cannot ask systemd for a cgroup on a node",
    explanation: "containerd leaves cgroups to systemd there (`SystemdCgroup = true`), and crun says `cannot open sd-bus`. crun as \
        it is asks over the system's D-Bus alone, for which many nodes have no daemon, kind's among them; runc, which the \
        other pods have, does without. The engine of `node install` and of `cluster up` does, too, since revision r3.",
    fix: "have the engine installed (`deploy-tool node install NODE`), or install and start D-Bus on the node (Debian: \
        `apt-get install dbus`).",
};
