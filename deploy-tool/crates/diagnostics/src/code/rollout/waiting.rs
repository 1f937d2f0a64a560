//! 0331 to 0338: objects that wait for somebody, or that are gone.

use super::Code;

/// DT0332: a Deployment is paused.
pub const PAUSED: Code = Code {
    number: 332,
    title: "a Deployment is paused",
    explanation: "`spec.paused` keeps the Deployment's controller from rolling out its new template, so nothing happens \
        however long deploy-tool waits. Where the manifest itself says so, that is told at once.",
    fix: "`kubectl rollout resume` lets it go on. In a manifest, take `paused: true` out, or leave the template as it is.",
};

/// DT0333: an object's own conditions say that it is not ready.
pub const NOT_READY: Code = Code {
    number: 333,
    title: "an object's own conditions say that it is not ready",
    explanation: "The condition `Ready` or `Available` of a custom object is not true. Controllers write that while they are \
        still at it, so deploy-tool keeps waiting; the message is the controller's.",
    fix: "read the message; look whether the controller runs, and what it logs.",
};

/// DT0334: an object was deleted while deploy-tool waited for it.
pub const GONE: Code = Code {
    number: 334,
    title: "an object was deleted while deploy-tool waited for it",
    explanation: "The object was stored, and it was deleted since: by another deployment, an operator or a \
        person. A Job counts when it was removed before it had ended.",
    fix: "find out who deletes it, then run the same command again.",
};

/// DT0335: a Service gets no address from its load balancer.
pub const LOAD_BALANCER: Code = Code {
    number: 335,
    title: "a Service gets no address from its load balancer",
    explanation: "A controller of load balancers has taken the Service and says why it gives it no address. A Service that no \
        controller takes is no failure: it counts as done, and a note says so.",
    fix: "correct what the message names: the pool of addresses, a quota, the controller's rights.",
};

/// DT0336: a readiness gate of a pod is not true.
pub const READINESS_GATE: Code = Code {
    number: 336,
    title: "a readiness gate of a pod is not true",
    explanation: "All containers of the pod are ready, and a condition that the pod names under `readinessGates` is not true. \
        A controller sets it, such as that of a load balancer.",
    fix: "look whether the controller of that condition runs, and what it says.",
};

/// DT0337: a pod is held by its scheduling gates.
pub const SCHEDULING_GATED: Code = Code {
    number: 337,
    title: "a pod is held by its scheduling gates",
    explanation: "The pod names `schedulingGates`, and the scheduler gives it no node until all of them are taken away.",
    fix: "whoever sets a gate takes it away, such as a queue of Jobs: look whether that controller runs.",
};

/// DT0338: a pod without a controller has failed.
pub const POD_FAILED: Code = Code {
    number: 338,
    title: "a pod without a controller has failed",
    explanation: "The pod has ended, was evicted or refused by its node, and has no controller that makes another one.",
    fix: "correct what the reason names, delete the pod, and apply it again; or give it a controller.",
};

/// DT0339: how a Job ended is not known.
pub const JOB_END_UNKNOWN: Code = Code {
    number: 339,
    title: "how a Job ended is not known",
    explanation: "The Job's `ttlSecondsAfterFinished` has removed it before it could be seen to end, and no event tells how. It \
        may have succeeded or failed.",
    fix: "look for what it was to do; give it a longer `ttlSecondsAfterFinished`, so that its end can be seen.",
};
