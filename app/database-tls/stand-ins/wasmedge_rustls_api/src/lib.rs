//! A stand-in for wasmedge_rustls_api, as mysql_async_wasi uses it, on [`database_tls`]: the plugin of WasmEdge that
//! the original needs was removed in 0.14.1.

use std::fmt;

pub mod stream;

/// Empty, because the task that connects configures the trusted certificates.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientConfig;

/// An error type that the driver needs. It never occurs: errors are I/O errors.
#[derive(Clone, Copy, Debug)]
pub enum TlsError {}

impl fmt::Display for TlsError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for TlsError {}
