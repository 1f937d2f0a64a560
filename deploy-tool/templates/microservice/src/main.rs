//! An HTTP service that runs natively (`cargo run`) and as Wasm (`deploy-tool up`).

mod service;

use std::process::ExitCode;

use microservice::config;
use microservice::context::Name;
use microservice::server::{self, StartError};

const NAME: Name = Name {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
};

fn main() -> ExitCode {
    microservice::exit(run())
}

fn run() -> Result<(), StartError> {
    let variable = |name: &str| std::env::var(name).ok();
    // Settings of your own are read there, too: all that are wrong are told at once.
    let settings = config::read(variable, |reader| reader.settings())?;
    server::run(NAME, settings, service::App::new)
}
