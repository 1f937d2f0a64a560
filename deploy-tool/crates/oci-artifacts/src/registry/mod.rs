//! A client of image registries, by the OCI distribution specification.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>
//!
//! Without I/O: [`address`], [`reference`](mod@reference), [`challenge`], [`docker_config`], [`purpose`], [`error`], [`retry`],
//! [`referrers`], [`upload_progress`]. With it: [`http_client`], [`certificates`], [`connection`], [`credentials`], [`fetch`],
//! [`pull`](mod@pull), [`chunk`], [`upload`], [`push`](mod@push).

pub mod address;
pub mod certificates;
pub mod challenge;
pub mod chunk;
pub mod connection;
pub mod credentials;
pub mod docker_config;
pub mod error;
pub mod fetch;
pub mod http_client;
pub mod pull;
pub mod purpose;
pub mod push;
pub mod reference;
pub mod referrers;
pub mod retry;
pub mod secret;
pub mod upload;
pub mod upload_progress;

pub use connection::Connection;
pub use credentials::{Credentials, FoundLogin};
pub use docker_config::Login;
pub use error::RegistryError;
pub use http_client::TlsOptions;
pub use pull::{PullError, pull};
pub use purpose::Purpose;
pub use push::{Pushed, push};
pub use reference::{Reference, Repository};
pub use upload_progress::{BlobRow, Progress};
