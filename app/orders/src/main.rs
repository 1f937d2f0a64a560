//! Starts the orders service; see the library for what it is.

use std::process::ExitCode;

fn main() -> ExitCode {
    microservice::exit(app::run(|name| std::env::var(name).ok()))
}
