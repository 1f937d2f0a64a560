//! A client of image registries, by the OCI distribution specification.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>
//!
//! [`reference`](mod@reference), [`challenge`], [`configuration`], [`purpose`], [`explain`], [`again`],
//! [`referrers`] and [`row`] decide;
//! [`transport`], [`connection`], [`credentials`], [`fetch`], [`pull`](mod@pull), [`piece`], [`upload`] and
//! [`push`](mod@push) do.

pub mod again;
pub mod challenge;
pub mod configuration;
pub mod connection;
pub mod credentials;
pub mod explain;
pub mod fetch;
pub mod piece;
pub mod progress;
pub mod pull;
pub mod purpose;
pub mod push;
pub mod reference;
pub mod referrers;
pub mod row;
pub mod secret;
pub mod transport;
pub mod upload;

pub use configuration::Login;
pub use connection::Connection;
pub use credentials::Credentials;
pub use explain::Problem;
pub use progress::{BlobRow, Progress};
pub use pull::{PullError, pull};
pub use purpose::Purpose;
pub use push::{Pushed, push};
pub use reference::{Reference, Repository};
pub use transport::Trust;
