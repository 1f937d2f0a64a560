//! 0307 to 0315, and 0331: containers that do not run.

use crate::error_code::Code;

/// DT0307: the node has no runtime for the handler.
pub const RUNTIME_NOT_CONFIGURED: Code = Code {
    number: 307,
    title: "the node has no runtime for the handler",
    explanation: "The RuntimeClass names a handler, and containerd on the node has no runtime of that name: `no runtime for … \
        is configured`. The pod stays without a sandbox, and the kubelet tries again for ever. \
        `kubectl get pods` shows `ContainerCreating`, with the event `FailedCreatePodSandBox`.",
    fix: "name the handler as containerd's configuration does, and let `scheduling.nodeSelector` of the RuntimeClass \
        select only nodes that have it; `deploy-tool cluster up` makes such nodes.",
};

/// DT0308: there is no such RuntimeClass.
pub const RUNTIME_CLASS_MISSING: Code = Code {
    number: 308,
    title: "there is no such RuntimeClass",
    explanation: "The pod template names a RuntimeClass that the cluster does not have, so the API server lets no pod in. \
        The ReplicaSet has the event `FailedCreate`.",
    fix: "apply the RuntimeClass together with the workload (`apiVersion: node.k8s.io/v1`, `kind: RuntimeClass`, `metadata.name: crun-wasm`, \
        `handler: crun`), or correct `runtimeClassName`; `kubectl get runtimeclasses` lists what there is.",
};

/// DT0309: a Wasm module is run as a native program: the pod does not say that it is Wasm.
pub const ANNOTATION_LOST: Code = Code {
    number: 309,
    title: "a Wasm module is run as a native program: the pod does not say that it is Wasm",
    explanation: "crun hands a container to WasmEdge when the pod's annotation `module.wasm.image/variant` asks for it. The \
        pod template has no such annotation, so the kernel is given the module and answers `exec format error`. An \
        annotation of the image or of the Deployment itself does not reach crun.",
    fix: "write `module.wasm.image/variant: compat-smart` under `spec.template.metadata.annotations`.",
};

/// DT0310: the entrypoint of a Wasm pod does not end in .wasm.
pub const ENTRYPOINT_NOT_WASM: Code = Code {
    number: 310,
    title: "the entrypoint of a Wasm pod does not end in .wasm",
    explanation: "With `compat-smart` crun gives only entrypoints that end in `.wasm` (or `.wat`) to WasmEdge and runs all \
        others as native programs. This one is none for the node's kernel: `exec format error`.",
    fix: "let the image's entrypoint, or the container's `command`, name the module with its ending, such as \
        `/app.wasm`.",
};

/// DT0311: the runtime of the pod does not run Wasm.
pub const HANDLER_WITHOUT_WASM: Code = Code {
    number: 311,
    title: "the runtime of the pod does not run Wasm",
    explanation: "The pod has the annotation and its entrypoint ends in `.wasm`, and still the module was run as a native \
        program. Either the pod has no `runtimeClassName`, so the node's ordinary runtime took it; or the handler's \
        runtime has no WasmEdge; or containerd's entry for it does not list `module.wasm.image/*` under \
        `pod_annotations` and so keeps the annotation to itself.",
    fix: "set `runtimeClassName: crun-wasm`; on the node look at containerd's entry for the handler and at \
        `crun --version`, which must name `+WASM:wasmedge`. `deploy-tool doctor` finds out which of these it is.",
};

/// DT0312: a container keeps exiting.
pub const CRASH_LOOP: Code = Code {
    number: 312,
    title: "a container keeps exiting",
    explanation: "The container starts, ends, and is restarted after a growing pause. It may wait for something else that \
        way, so while anything of the release is under way deploy-tool keeps waiting; when nothing is, it has failed after two \
        minutes. The last lines of its log are shown with the exit status. Under stock crun a Wasm service always ends with 0 and `Completed`, whatever its own exit \
        status is. \
        `kubectl get pods` shows `CrashLoopBackOff`, and between restarts `Error` or `Completed`.",
    fix: "read the last lines: most often a setting is missing or wrong. `kubectl logs --previous` shows more of them.",
};

/// DT0313: a container needs more memory than its limit.
pub const OUT_OF_MEMORY: Code = Code {
    number: 313,
    title: "a container needs more memory than its limit",
    explanation: "The kernel ended the container since it went beyond `resources.limits.memory`, twice in a row. The limit is \
        shown, with what the node says the container uses where the node can be asked. \
        `kubectl describe pod` shows `OOMKilled`.",
    fix: "raise `resources.limits.memory`, or make the service need less. A small Wasm service takes 10 MB compiled ahead \
        of time under our engine, 20 under Debian's, and 32 where it is interpreted.",
};

/// DT0314: a container cannot be created.
pub const CONTAINER_NOT_CREATED: Code = Code {
    number: 314,
    title: "a container cannot be created",
    explanation: "containerd or the kubelet refuses the container: the command is not in the image, a user is not allowed, a \
        mount point cannot be made, the sandbox gets no network. \
        `kubectl get pods` shows `CreateContainerError` or `RunContainerError`, or `ContainerCreating` with the event `FailedCreatePodSandBox`.",
    fix: "correct what the runtime's own sentence names: `command`, `workingDir`, `securityContext` or `volumeMounts`.",
};

/// DT0315: a Secret or ConfigMap of a container is missing.
pub const CONFIGURATION_MISSING: Code = Code {
    number: 315,
    title: "a Secret or ConfigMap of a container is missing",
    explanation: "A variable or a volume of the container comes from a Secret or ConfigMap that is not there, or that has no \
        such key. The kubelet waits for it and goes on by itself, so deploy-tool keeps waiting while a Job or another object of the \
        release may still make it. \
        `kubectl get pods` shows `CreateContainerConfigError`, or `ContainerCreating` with the event `FailedMount`.",
    fix: "apply the Secret or ConfigMap with that key in the pod's namespace, or correct the reference; `optional: true` \
        makes the container start without it.",
};

/// DT0331: the node's engine cannot ask systemd for a cgroup.
pub const SYSTEMD_NOT_REACHED: Code = Code {
    number: 331,
    title: "the node's engine cannot ask systemd for a cgroup",
    explanation: "containerd leaves cgroups to systemd (`SystemdCgroup = true`), and crun says `cannot open sd-bus`. crun as it is \
        asks over the system's D-Bus alone, for which many nodes have no daemon, kind's among them; runc does without. The \
        pod stays without a sandbox, and the kubelet tries again for ever.",
    fix: "have the engine installed, which does without as well since revision r3: `deploy-tool node install NODE`; or install \
        and start D-Bus on the node (Debian: `apt-get install dbus`). `deploy-tool doctor` says whether it was that.",
};
