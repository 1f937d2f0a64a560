//! Which way the code of this process is executed.
//!
//! A guest cannot ask its engine. But an interpreter runs many instructions of the host for one of
//! the guest, so that the time of a loop tells the two apart: they differ by a factor of forty.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How this process is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// WebAssembly, compiled ahead of time.
    AheadOfTime,
    /// WebAssembly, interpreted.
    Interpreter,
    /// The native twin.
    Native,
}

impl Mode {
    /// The mode as answers and metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::AheadOfTime => "aot",
            Mode::Interpreter => "interpreter",
            Mode::Native => "native",
        }
    }

    /// `wasm` or `native`.
    pub fn build(self) -> &'static str {
        match self {
            Mode::Native => "native",
            Mode::AheadOfTime | Mode::Interpreter => "wasm",
        }
    }

    /// Finds out. Takes 0.1 ms when compiled, 5 ms when interpreted.
    pub fn measure() -> Mode {
        if cfg!(target_family = "wasm") {
            Mode::of_round(fastest_round())
        } else {
            Mode::Native
        }
    }

    fn of_round(duration: Duration) -> Mode {
        if duration < SLOWEST_COMPILED {
            Mode::AheadOfTime
        } else {
            Mode::Interpreter
        }
    }
}

/// Steps in one round.
const STEPS: u32 = 2_000;
/// Rounds. The fastest one counts: other processes, a throttled cgroup and cold caches can only
/// make a round slower, and one of so many short rounds escapes them.
const ROUNDS: u32 = 25;
/// Compiled, a round of [`STEPS`] takes 3.4 µs, interpreted 135 µs, on a 2-core VM with WasmEdge
/// 0.14.1; the same with six busy loops beside it, and in a cgroup limited to a twentieth of one
/// core. The border lies in the middle between the two on a logarithmic scale.
const SLOWEST_COMPILED: Duration = Duration::from_micros(22);

/// The duration of the fastest round.
fn fastest_round() -> Duration {
    (0..ROUNDS)
        .map(|round| {
            let start = Instant::now();
            black_box(mix(black_box(round)));
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

/// A chain of cheap operations, each of which needs the result of the one before.
fn mix(seed: u32) -> u32 {
    (0..STEPS).fold(seed | 1, |mut state, _| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    })
}
