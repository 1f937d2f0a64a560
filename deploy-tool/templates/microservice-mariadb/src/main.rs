//! An HTTP service with a database that runs natively (`cargo run`) and as Wasm (`deploy-tool up`).

mod notes;
mod service;
mod tables;

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
    let (settings, database) =
        config::read(variable, |reader| (reader.settings(), reader.database()))?;
    server::run(NAME, settings, |context| {
        service::App::new(context, database)
    })
}
