//! Edge: an attempt to connect, and its outcome.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures_rustls::TlsConnector;
use rustls::pki_types::ServerName;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::{FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};

use crate::refusal;
use crate::session::{Session, Stream};

tokio::task_local! {
    /// The attempt of the current task. The drivers have no parameter for it.
    static CURRENT: Attempt;
}

/// The outcome of the TLS handshake of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// There was no handshake.
    #[default]
    Plain,
    /// The connection is encrypted.
    Encrypted,
    /// The handshake failed, for this reason.
    Refused(String),
}

/// An attempt to connect.
#[derive(Clone, Debug)]
pub struct Attempt {
    configuration: Arc<ClientConfig>,
    name: ServerName<'static>,
    outcome: Arc<Mutex<Outcome>>,
}

impl Attempt {
    pub(crate) fn new(configuration: Arc<ClientConfig>, name: ServerName<'static>) -> Attempt {
        Attempt {
            configuration,
            name,
            outcome: Arc::default(),
        }
    }

    /// Runs the work of a driver, which may call [`encrypt`] once.
    pub async fn run<F: Future>(self, work: F) -> (F::Output, Outcome) {
        let outcome = Arc::clone(&self.outcome);
        let output = CURRENT.scope(self, work).await;
        let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (output, outcome)
    }
}

/// Performs the TLS handshake of the attempt of the current task.
///
/// # Errors
/// If there is no attempt, or the handshake fails.
pub async fn encrypt<IO: AsyncRead + AsyncWrite + Unpin>(stream: IO) -> io::Result<Stream<IO>> {
    let attempt = CURRENT
        .try_with(Attempt::clone)
        .map_err(|_| io::Error::other("nothing says which certificates are believed"))?;
    let result = TlsConnector::from(attempt.configuration)
        .connect(attempt.name, stream.compat())
        .await;
    let outcome = match &result {
        Ok(_) => Outcome::Encrypted,
        Err(error) => Outcome::Refused(refusal::explain(error)),
    };
    *attempt.outcome.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
    Ok(Session::new(result?).compat())
}
