//! 03xx: what was applied does not come up.

mod container;
mod image;
mod object;
mod pod;
mod sidecar;
mod waiting;

use crate::error_code::Code;

pub use container::*;
pub use image::*;
pub use object::*;
pub use pod::*;
pub use sidecar::*;
pub use waiting::*;

pub(super) const CODES: &[&Code] = &[
    &IMAGE_NOT_FOUND,
    &IMAGE_REFUSED,
    &IMAGE_FOR_ANOTHER_PLATFORM,
    &REGISTRY_UNREACHABLE,
    &IMAGE_NAME_INVALID,
    &IMAGE_NOT_ON_NODE,
    &RUNTIME_NOT_CONFIGURED,
    &RUNTIME_CLASS_MISSING,
    &ANNOTATION_LOST,
    &ENTRYPOINT_NOT_WASM,
    &HANDLER_WITHOUT_WASM,
    &CRASH_LOOP,
    &OUT_OF_MEMORY,
    &CONTAINER_NOT_CREATED,
    &CONFIGURATION_MISSING,
    &STARTUP_PROBE,
    &LIVENESS_PROBE,
    &READINESS_PROBE,
    &UNSCHEDULABLE,
    &CLAIM_PENDING,
    &VOLUME_NOT_MOUNTED,
    &QUOTA,
    &POD_SECURITY,
    &ADMISSION,
    &HELD,
    &PROGRESS_DEADLINE,
    &JOB_FAILED,
    &NAMES_REFUSED,
    &STALLED,
    &NOT_IN_TIME,
    &SYSTEMD_NOT_REACHED,
    &PAUSED,
    &NOT_READY,
    &GONE,
    &LOAD_BALANCER,
    &READINESS_GATE,
    &SCHEDULING_GATED,
    &POD_FAILED,
    &JOB_END_UNKNOWN,
    &SIDECAR_MISSING,
    &SIDECAR_COMPONENT,
];
