//! 05xx: scaling, logs and connections to pods.

use crate::error_code::Code;

pub(super) const CODES: &[&Code] = &[
    &NO_SUCH_WORKLOAD,
    &AMBIGUOUS_NAME,
    &AUTOSCALED,
    &TOO_FEW_CONNECTIONS,
    &ROLL_OUT_HELD,
    &NO_SUCH_CONTAINER,
    &NO_SUCH_SERVICE,
    &NO_SUCH_PORT,
    &NO_READY_POD,
    &PORT_TAKEN,
];

/// DT0501: there is no such workload.
pub const NO_SUCH_WORKLOAD: Code = Code {
    number: 501,
    title: "there is no such workload",
    explanation: "An argument names something that the namespace does not have. `NAME` finds every kind, `KIND/NAME` only that \
        one: deployment, statefulset, daemonset, job or pod, or their short names.",
    fix: "correct the name (the message lists what is there), name another --namespace, or deploy it first.",
};

/// DT0502: a name means several workloads.
pub const AMBIGUOUS_NAME: Code = Code {
    number: 502,
    title: "a name means several workloads",
    explanation: "Objects of different kinds have the same name, and only one of them can be meant.",
    fix: "say the kind: `deployment/NAME` or `statefulset/NAME`.",
};

/// DT0503: the number of replicas belongs to an autoscaler.
pub const AUTOSCALED: Code = Code {
    number: 503,
    title: "the number of replicas belongs to an autoscaler",
    explanation: "A \
        [HorizontalPodAutoscaler](https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/) sets \
        this workload's number of replicas and would undo another one within seconds. Where KEDA has made the autoscaler \
        from a ScaledObject, it undoes changes of the autoscaler as well. A number that the autoscaler leaves is taken: the one \
        that it wants now, none at all, at which it sleeps, and its minimum, with which it wakes up.",
    fix: "`--autoscaler` sets its minReplicas to the number, and raises its maxReplicas when that is lower; or delete the \
        autoscaler. With KEDA, change the ScaledObject.",
};

/// DT0504: the database has too few connections for so many replicas.
pub const TOO_FEW_CONNECTIONS: Code = Code {
    number: 504,
    title: "the database has too few connections for so many replicas",
    explanation: "Each replica opens up to DATABASE_POOL_MAX connections. All replicas of all Deployments that name the same \
        database (annotation `deploy-tool.dev/database`), those that a rolling update adds and a few for probes have to fit \
        into its `max_connections`, or the last ones to start are refused. That is read from its arguments, then from the \
        option files (`.cnf`) of the ConfigMaps that it mounts; else it is 151.",
    fix: "scale less far, make the pools smaller or the database's limit greater; --force scales all the same.",
};

/// DT0505: a workload does not replace its pods now.
pub const ROLL_OUT_HELD: Code = Code {
    number: 505,
    title: "a workload does not replace its pods now",
    explanation: "A restart changes a workload's template, and its controller replaces the pods. This one's controller does not: \
        the rollout is [paused](https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming-a-deployment-rollout), \
        or its update strategy is OnDelete or has a partition.",
    fix: "end what holds it; the message has the command.",
};

/// DT0506: no pod has such a container.
pub const NO_SUCH_CONTAINER: Code = Code {
    number: 506,
    title: "no pod has such a container",
    explanation: "`logs --container` names a container, and none of the pods it looks at has one of that name. Init containers \
        can be named as well.",
    fix: "take one of the names in the message.",
};

/// DT0507: there is no such Service, or it is not clear which.
pub const NO_SUCH_SERVICE: Code = Code {
    number: 507,
    title: "there is no such Service, or it is not clear which",
    explanation: "`open` leads to the Service that is named; without a name to the only one of the namespace, or to the only one \
        that has the annotation `deploy-tool.dev/try`.",
    fix: "name one of those in the message.",
};

/// DT0508: a Service leads to no pod's port.
pub const NO_SUCH_PORT: Code = Code {
    number: 508,
    title: "a Service leads to no pod's port",
    explanation: "The Service has no TCP port of that number or name, or it selects no pods: it stands for a name outside the \
        cluster, or its endpoints are kept by hand.",
    fix: "name one of the ports in the message after the colon of `--port LOCAL:REMOTE`.",
};

/// DT0509: no pod of a Service is ready.
pub const NO_READY_POD: Code = Code {
    number: 509,
    title: "no pod of a Service is ready",
    explanation: "There is no pod behind the Service that could answer. The message says what holds the first of its pods up.",
    fix: "fix what the message says; `deploy-tool status` shows all pods, `deploy-tool logs` what they write.",
};

/// DT0510: a port of this host cannot be opened.
pub const PORT_TAKEN: Code = Code {
    number: 510,
    title: "a port of this host cannot be opened",
    explanation: "Another program has the port, or it is one below 1024 and needs other rights.",
    fix: "name another one with `--port`, or leave it out: any free one is taken then.",
};
