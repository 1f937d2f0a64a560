//! What the clients have in common: one argument, and an end that says why.

use std::error::Error;
use std::process::ExitCode;

/// What goes wrong here.
pub type Problem = Box<dyn Error>;

/// The first argument.
pub fn argument(what: &str) -> Result<String, Problem> {
    std::env::args()
        .nth(1)
        .ok_or_else(|| format!("name {what} as the first argument").into())
}

/// Ends a program: with 0, or with 1 and a sentence.
pub fn end(result: Result<(), Problem>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let mut sentence = problem.to_string();
            let mut cause = problem.source();
            while let Some(next) = cause {
                // Some say their cause themselves.
                if !sentence.contains(&next.to_string()) {
                    sentence = format!("{sentence}: {next}");
                }
                cause = next.source();
            }
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}
