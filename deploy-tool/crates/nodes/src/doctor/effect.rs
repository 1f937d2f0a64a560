//! The link “AOT”: native code is in the image, and has an effect. A guest cannot ask its engine, but an interpreter takes
//! dozens of instructions for one: the same loop is timed in the same module with and without native code, side by side.

use super::guest::environment;
use super::nodes::architecture;
use super::pod::{LOOK, PLAIN};
use super::{Facts, NativeImage, Observed, Verdict};
use diagnostics::Error;
use diagnostics::code::doctor::{GUEST, INTERPRETED};

/// WasmEdge 0.14.1 runs the loop forty times as fast with native code. Two modules that both are interpreted are never so
/// far apart, however busy the node is: the fastest of 25 short rounds counts.
const LEAST: f64 = 10.0;

/// Whether native code has an effect.
pub fn check(facts: &Facts<'_>, observed: &Observed) -> Verdict {
    let (engine, format) = match facts.native {
        Some(NativeImage { section: None, .. }) => {
            return Verdict::Broken(Error::cluster("the probe's module has no native code").code(&INTERPRETED));
        }
        Some(NativeImage {
            section: Some(section),
            engine,
        }) => {
            if section.architecture != architecture(facts.node) {
                let architecture = architecture(facts.node);
                return Verdict::Skipped(format!(
                    "the image has native code for {} alone: {architecture} interprets the module",
                    section.architecture
                ));
            }
            (format!(" of WasmEdge {engine}"), format!(", form {}", section.format))
        }
        None => (String::new(), String::new()),
    };
    let (Some(native), Some(plain)) = (environment(observed, LOOK), environment(observed, PLAIN)) else {
        return Verdict::Broken(Error::cluster("the plain module has said nothing of itself").code(&GUEST));
    };
    let times = plain.round_nanoseconds as f64 / native.round_nanoseconds.max(1) as f64;
    let shown = format!(
        "{times:.1} times as fast as without ({:.1} and {:.1} µs a round)",
        native.round_nanoseconds as f64 / 1e3,
        plain.round_nanoseconds as f64 / 1e3
    );
    if times >= LEAST {
        return Verdict::Healthy(format!("native code{engine}{format} is in effect: {shown}"));
    }
    Verdict::Broken(
        Error::cluster(format!("native code{engine} has no effect: the engine interprets the module"))
            .code(&INTERPRETED)
            .cause(format!("{shown}; in effect it is {LEAST} times at least"))
            .hint("bring WasmEdge on the node to the builder's version, see `deploy-tool version`; 0.17 and later ignore native code under crun"),
    )
}
