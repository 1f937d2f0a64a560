//! 0325 to 0330: objects whose controllers report a failure, or report nothing.

use crate::error_code::Code;

/// DT0325: an object is being deleted, and a finalizer holds it.
pub const HELD: Code = Code {
    number: 325,
    title: "an object is being deleted, and a finalizer holds it",
    explanation: "The object is marked for deletion, and stays until the controller that put a finalizer on it has taken it \
        off. Until then it cannot be recreated, and a pod among it holds up the rollout. A PodDisruptionBudget holds up no \
        rollout: controllers delete their pods, and budgets are asked before evictions only.",
    fix: "find out why the controller that the finalizer names does not finish: most often it is not installed any \
        more. Only then take the finalizer off by hand: what it stands for is not cleaned up.",
};

/// DT0326: a Deployment has made no progress within its deadline.
pub const PROGRESS_DEADLINE: Code = Code {
    number: 326,
    title: "a Deployment has made no progress within its deadline",
    explanation: "For `progressDeadlineSeconds` nothing of the Deployment has moved, nothing else of the release was under way \
        that it could wait for, and no closer reason was found. \
        The condition `Progressing` has the reason `ProgressDeadlineExceeded`.",
    fix: "look at the pods with `deploy-tool status`; raise `progressDeadlineSeconds` when they are only slow.",
};

/// DT0327: a Job has failed.
pub const JOB_FAILED: Code = Code {
    number: 327,
    title: "a Job has failed",
    explanation: "The Job's pods have failed more often than `backoffLimit` allows, or it took longer than \
        `activeDeadlineSeconds`. The last lines of the last pod are shown. \
        The condition `Failed` has the reason `BackoffLimitExceeded` or `DeadlineExceeded`.",
    fix: "correct what the last lines name; a Job's template cannot be changed: delete the Job, then apply it again.",
};

/// DT0328: the names of a CustomResourceDefinition are taken.
pub const NAMES_REFUSED: Code = Code {
    number: 328,
    title: "the names of a CustomResourceDefinition are taken",
    explanation: "Another CustomResourceDefinition of the same group has one of its names, so the API server does not serve \
        its kind.",
    fix: "rename the kind, or delete the other definition (and with it all its objects).",
};

/// DT0329: an object's controller says that it cannot go on.
pub const STALLED: Code = Code {
    number: 329,
    title: "an object's controller says that it cannot go on",
    explanation: "The object's own conditions say that it has failed (`Stalled`, as \
        [kstatus](https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus) reads them).",
    fix: "the condition's message is the controller's own: correct what it names.",
};

/// DT0330: something is neither ready nor failed within the time given.
pub const NOT_IN_TIME: Code = Code {
    number: 330,
    title: "something is neither ready nor failed within the time given",
    explanation: "`--timeout` is over, and nothing is decided: what is not ready may still become so. Each object that is not \
        ready is listed with what it waits for, and with the next attempt where the cluster tells when that is. The exit \
        code is 5, not the 2 of a failure, and nothing is rolled back.",
    fix: "run the same command again: it goes on where this one stopped. `--timeout` sets the time; by default it is \
        longer than every deadline in the objects, and 15 minutes at least.",
};
