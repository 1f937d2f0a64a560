//! Starts the pricing service; see the library for what it is.

use std::process::ExitCode;

fn main() -> ExitCode {
    microservice::exit(pricing::run(|name| std::env::var(name).ok()))
}
