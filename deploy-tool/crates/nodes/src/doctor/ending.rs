//! The check “ending”: whether a guest's exit code is passed on, and what SIGTERM does. An unpatched crun loses the exit
//! code and ignores SIGTERM; both are reported as facts, not as failures, and services have to cope with them.

use super::pod::{END, EXIT_CODE, STAY};
use super::{Facts, Observed, Verdict};

/// What this node's crun does. Never broken: a service can be made for either.
pub fn check(_: &Facts<'_>, observed: &Observed) -> Verdict {
    let code = |name| observed.ended(name).map(|ended| ended.exit_code);
    let (Some(end), Some(stay)) = (code(END), code(STAY)) else {
        return Verdict::Skipped("the probe's pod has not ended in time".to_owned());
    };
    let exit = match end {
        EXIT_CODE => format!("a guest's exit code is the container's ({EXIT_CODE})"),
        ending => format!("a guest's exit code {EXIT_CODE} becomes {ending}: only a trap is seen as an error"),
    };
    let signal = match stay {
        // 128 and the number of the signal.
        143 => "SIGTERM ends a guest (143)".to_owned(),
        137 => {
            "SIGTERM does nothing, the kubelet kills after the grace period (137): let images say STOPSIGNAL SIGKILL"
                .to_owned()
        }
        ending => format!("SIGTERM ends a guest with {ending}"),
    };
    Verdict::Healthy(format!("{exit}; {signal}"))
}
