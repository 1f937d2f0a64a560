//! Edge: whose signature on a server's certificate is believed.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::verifier::Verifier;
use crate::Attempt;

/// The authorities of a file. Those that were connected to are remembered, so that the next handshake costs less.
#[derive(Clone, Debug)]
pub struct Trust {
    configuration: Arc<ClientConfig>,
}

impl Trust {
    /// Reads the file of certificates in PEM.
    ///
    /// # Errors
    /// A sentence that begins with the file's name: it cannot be read, or has no certificate.
    pub fn read(path: &Path) -> Result<Trust, String> {
        let shown = path.display();
        let wrong = |error: pem::Error| match error {
            pem::Error::Io(error) => format!("{shown} cannot be read: {error}"),
            error => format!("{shown} is no file of certificates in PEM: {error}"),
        };
        let mut authorities = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(wrong)? {
            authorities
                .add(certificate.map_err(wrong)?)
                .map_err(|error| format!("{shown} has a certificate that cannot be read: {error}"))?;
        }
        if authorities.is_empty() {
            return Err(format!("{shown} has no certificate in PEM"));
        }
        let provider = Arc::new(rustls_rustcrypto::provider());
        let unusable = |error: &dyn std::fmt::Display| format!("{shown} cannot be used: {error}");
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(&provider))
            .build()
            .map_err(|error| unusable(&error))?;
        let configuration = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            // Only to tell more of what it refuses.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(verifier)))
            .with_no_client_auth();
        Ok(Trust {
            configuration: Arc::new(configuration),
        })
    }

    /// An attempt to connect to the server that is asked for by this name or address.
    ///
    /// # Errors
    /// A sentence: no certificate can be for such a name.
    pub fn attempt(&self, host: &str) -> Result<Attempt, String> {
        let name = ServerName::try_from(host.trim_end_matches('.').to_owned())
            .map_err(|_| format!("no certificate can be for a server that is called `{host}`"))?;
        Ok(Attempt::new(Arc::clone(&self.configuration), name))
    }
}
