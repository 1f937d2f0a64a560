//! What clients and operators send in, and what must hold of it whatever it is: one function a target.
//!
//! A panic is a finding: WebAssembly has no unwinding, so one request that panics would end the service for everybody.
//! `fuzz_targets/` hands these functions to libFuzzer, `tests/seeds.rs` feeds them every file of `seeds/` in the
//! ordinary tests. An input that was a finding goes into `seeds/`, and stays mended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod event;
mod orders;
mod request;
mod text;

pub use event::event;
pub use orders::{money, orders};
pub use request::request;
pub use text::{configuration, text};

/// A target: it panics when its input shows a fault.
pub type Target = fn(&[u8]);

/// All targets by their names, which are those of their programs and of their folders in `seeds/`.
pub const TARGETS: [(&str, Target); 6] = [
    ("request", request),
    ("orders", orders),
    ("event", event),
    ("money", money),
    ("text", text),
    ("configuration", configuration),
];

/// The program of a target: libFuzzer's where the compiler was told to instrument for it, otherwise one that runs the
/// files it is given, for a debugger say.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::$name(input));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                $crate::$name(&std::fs::read(path)?);
            }
            Ok(())
        }
    };
}
