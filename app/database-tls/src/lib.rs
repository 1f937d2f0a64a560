//! TLS to a database, the same as a guest and natively.
//!
//! The drivers of MariaDB can be handed neither a stream nor what to believe. So what they encrypt by is stood in for, by
//! `[patch]` of the workspace (`stand-ins/`), and takes what it needs from the task that connects: [`Attempt::during`].
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
