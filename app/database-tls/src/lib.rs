//! TLS to a database, the same as a guest and natively.
//!
//! The drivers of MariaDB can be handed neither a stream nor what to believe. So what they encrypt by is stood in for, and
//! takes what it needs from the task that connects: [`Attempt::during`]. The workspace says so, with the folders `stand-ins/`
//! of this crate; without that, the driver encrypts by something else or not at all, and the outcome is [`Outcome::Plain`].
//!
//! ```toml
//! [patch.crates-io]
//! wasmedge_rustls_api = { path = "database-tls/stand-ins/wasmedge_rustls_api" } # of mysql_async_wasi
//! native-tls = { path = "database-tls/stand-ins/native-tls" } # of mysql_async
//! tokio-native-tls = { path = "database-tls/stand-ins/tokio-native-tls" }
//! ```
//!
//! - [`Trust`]: whose signature on a server's certificate is believed.
//! - [`Attempt`]: one attempt to connect, and what came of it.
//! - [`encrypt`]: what the stand-ins call.
//! - [`refusal`] (pure): why a handshake failed, for a person.

mod attempt;
pub mod refusal;
mod session;
mod trust;
mod verifier;

pub use attempt::{encrypt, Attempt, Outcome};
pub use session::{Session, Stream};
pub use trust::Trust;
