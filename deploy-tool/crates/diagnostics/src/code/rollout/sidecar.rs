//! 0340 and 0341: sidecars.

use crate::error_code::Code;

/// DT0340: a pod has no Dapr sidecar though it asks for one.
pub const SIDECAR_MISSING: Code = Code {
    number: 340,
    title: "a pod has no Dapr sidecar though it asks for one",
    explanation: "The pod's annotation `dapr.io/enabled` asks Dapr's injector for the container `daprd`, and there is none. The \
        injector is a webhook that lets pods in while it is away, or that does not cover the namespace: such a pod looks \
        healthy and reaches no other app.",
    fix: "see that the injector runs and covers the namespace, then have the pods made again: `deploy-tool restart`.",
};

/// DT0341: a Dapr sidecar cannot start one of its components.
pub const SIDECAR_COMPONENT: Code = Code {
    number: 341,
    title: "a Dapr sidecar cannot start one of its components",
    explanation: "The container `daprd` starts, cannot initialise a component, such as a state store or a message broker, and \
        ends; Kubernetes starts it again after longer and longer pauses. The message names the component, its type and what \
        the sidecar says of it.",
    fix: "see that what is behind the component runs, that the network policies let the pod reach it, and that the metadata \
        of the component is right.",
};
