//! 0316 to 0324: pods that do not become ready, find no node or are not let in.

use crate::error_code::Code;

/// DT0316: the startup probe of a container fails.
pub const STARTUP_PROBE: Code = Code {
    number: 316,
    title: "the startup probe of a container fails",
    explanation: "The container has not answered its startup probe within `failureThreshold` × `periodSeconds` and was \
        ended for it, repeatedly. What the probe was answered is shown. \
        The pod has the event `Unhealthy`.",
    fix: "if the service needs more time, raise `failureThreshold` of `startupProbe`; otherwise its log says what it \
        waits for.",
};

/// DT0317: the liveness probe of a container fails.
pub const LIVENESS_PROBE: Code = Code {
    number: 317,
    title: "the liveness probe of a container fails",
    explanation: "The kubelet ends and restarts the container since its liveness probe fails, repeatedly. What the probe was \
        answered is shown. \
        The pod has the event `Unhealthy`.",
    fix: "correct the probe's path and port; a service that starts slowly needs a `startupProbe`, which holds the \
        liveness probe back.",
};

/// DT0318: a container runs, but does not become ready.
pub const READINESS_PROBE: Code = Code {
    number: 318,
    title: "a container runs, but does not become ready",
    explanation: "The container has started, its database is ready where it names one, and the readiness probe still fails \
        after the time that the probes' own fields give it. The kubelet goes on asking, so deploy-tool keeps waiting until the \
        Deployment's deadline. What the probe is answered is shown. \
        The pod has the event `Unhealthy`.",
    fix: "read the answer: the service says there what it misses. Otherwise correct the probe's path and port.",
};

/// DT0319: a pod cannot be scheduled.
pub const UNSCHEDULABLE: Code = Code {
    number: 319,
    title: "a pod cannot be scheduled",
    explanation: "The scheduler has found no node for the pod. Each cause is shown with the number of nodes that it excludes. \
        `kubectl get pods` shows `Pending`, with the event `FailedScheduling`.",
    fix: "ask for less in `resources.requests`, run fewer replicas, label or untaint nodes, or add some. `kubectl \
        describe nodes` shows what is taken.",
};

/// DT0320: a PersistentVolumeClaim gets no volume.
pub const CLAIM_PENDING: Code = Code {
    number: 320,
    title: "a PersistentVolumeClaim gets no volume",
    explanation: "The claim has no volume, and without it its pod gets no node. Its StorageClass is not there, no class is \
        the default, or the class's provisioner refuses. The provisioner's own words are shown. \
        `kubectl get pods` shows `Pending`, with the event `FailedScheduling`; the claim may have `ProvisioningFailed`.",
    fix: "`kubectl get storageclasses` lists the classes, `kubectl describe persistentvolumeclaim` what happened to the \
        claim. `storageClassName` of a claim cannot be changed: delete the claim and apply it again.",
};

/// DT0321: a volume cannot be mounted.
pub const VOLUME_NOT_MOUNTED: Code = Code {
    number: 321,
    title: "a volume cannot be mounted",
    explanation: "The pod has a node, and the kubelet cannot attach or mount one of its volumes. \
        `kubectl get pods` shows `ContainerCreating`, with the event `FailedMount` or `FailedAttachVolume`.",
    fix: "correct the volume as the kubelet's sentence says. A volume that hangs on another node is freed when the pod \
        there is gone.",
};

/// DT0322: the namespace's quota is exceeded.
pub const QUOTA: Code = Code {
    number: 322,
    title: "the namespace's quota is exceeded",
    explanation: "The API server refuses the pods: they ask for more than the namespace's ResourceQuota has left, or do not \
        say how much they ask for. While pods of the old revision go, they free what the new ones need. \
        The ReplicaSet has the event `FailedCreate`.",
    fix: "ask for less, or raise the quota: `kubectl describe resourcequota` shows what is taken.",
};

/// DT0323: Pod Security refuses the pods.
pub const POD_SECURITY: Code = Code {
    number: 323,
    title: "Pod Security refuses the pods",
    explanation: "The namespace's label `pod-security.kubernetes.io/enforce` names a level that the pod template does not \
        meet ([levels](https://kubernetes.io/docs/concepts/security/pod-security-standards/)). What it misses is listed. \
        The ReplicaSet has the event `FailedCreate`.",
    fix: "set what is listed in the pod's and the container's `securityContext`.",
};

/// DT0324: the API server refuses the pods.
pub const ADMISSION: Code = Code {
    number: 324,
    title: "the API server refuses the pods",
    explanation: "An admission plugin, a policy or a webhook refuses the pods that the controller wants to create. \
        The ReplicaSet has the event `FailedCreate`.",
    fix: "correct the pod template as the sentence says, or ask those who keep the policy.",
};
