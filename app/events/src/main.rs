//! Starts the events service; see the library for what it is.

use std::process::ExitCode;

fn main() -> ExitCode {
    microservice::exit(events::run(|name| std::env::var(name).ok()))
}
