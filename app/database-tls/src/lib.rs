//! TLS to a database, the same in the guest and natively.
//!
//! The drivers of MariaDB accept neither a stream nor a certificate store. So the crates that they use for TLS are
//! replaced by the stand-ins in the folder `stand-ins/` of this crate, which get the configuration from the task that
//! connects: [`Attempt::run`]. The workspace must patch them; otherwise the driver uses other TLS or none, and the
//! outcome is [`Outcome::Plain`].
//!
//! ```toml
//! [patch.crates-io]
//! wasmedge_rustls_api = { path = "database-tls/stand-ins/wasmedge_rustls_api" } # of mysql_async_wasi
//! native-tls = { path = "database-tls/stand-ins/native-tls" } # of mysql_async
//! tokio-native-tls = { path = "database-tls/stand-ins/tokio-native-tls" }
//! ```
//!
//! - [`Trust`]: the trusted certificate authorities.
//! - [`Attempt`]: an attempt to connect, and its outcome.
//! - [`encrypt`]: the TLS handshake, called by the stand-ins.
//! - [`refusal`] (pure): explains why a handshake failed.

mod attempt;
pub mod refusal;
mod session;
mod trust;
mod verifier;

pub use attempt::{encrypt, Attempt, Outcome};
pub use session::{Session, Stream};
pub use trust::Trust;
