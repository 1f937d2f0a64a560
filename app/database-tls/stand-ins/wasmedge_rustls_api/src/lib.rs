//! What mysql_async_wasi encrypts by: [`database_tls`] in the place of a plugin of WasmEdge that has been gone since 0.14.1.

use std::fmt;

pub mod stream;

/// What is believed is no matter of the driver's: the task that connects says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientConfig;

/// An error that the driver has a place for. What goes wrong here is an error of input or output.
#[derive(Clone, Copy, Debug)]
pub enum TlsError {}

impl fmt::Display for TlsError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for TlsError {}
