//! What the tests of this service share, beside what those of all services do.

#![allow(dead_code)] // Each test binary uses a part of it.

pub mod memory;
pub mod receiver;

use service_tests::twin::Twin;
use service_tests::Service;

/// The service under test; `ORDERS_URL` may name one that is there already.
pub const ORDERS: Service = Service {
    program: env!("CARGO_BIN_EXE_app"),
    url_variable: "ORDERS_URL",
};

/// Starts a twin on this database.
pub fn start_twin(database_url: &str) -> Twin {
    Twin::start(&ORDERS, &[("DATABASE_URL", database_url)])
}
