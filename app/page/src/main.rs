//! Starts the page's service; see the library for what it is.

use std::process::ExitCode;

fn main() -> ExitCode {
    microservice::exit(page::run(|name| std::env::var(name).ok()))
}
