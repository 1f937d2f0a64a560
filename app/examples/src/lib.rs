//! What the examples share: the argument, and the exit code with an error message.

use std::error::Error;
use std::process::ExitCode;

/// An error of an example.
pub type Problem = Box<dyn Error>;

/// The first argument.
pub fn argument(what: &str) -> Result<String, Problem> {
    std::env::args()
        .nth(1)
        .ok_or_else(|| format!("name {what} as the first argument").into())
}

/// Prints an error, and returns the exit code 0 or 1.
pub fn report(result: Result<(), Problem>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let mut sentence = problem.to_string();
            let mut cause = problem.source();
            while let Some(next) = cause {
                // Some errors include their cause in the message.
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
