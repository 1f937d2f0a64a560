//! Measures the speed of this process: a loop takes many times as long in the interpreter as compiled ahead of time.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Steps in one round.
const STEPS: u32 = 5_000;
/// The fastest round counts: other processes, CPU throttling and cold caches can only make a round slower.
const ROUNDS: u32 = 25;

/// The duration of the fastest round.
pub fn fastest_round() -> Duration {
    let rounds = (0..ROUNDS).map(|round| {
        let start = Instant::now();
        black_box(mix(black_box(round)));
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
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
