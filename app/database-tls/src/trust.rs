//! Edge: the trusted certificate authorities.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::verifier::Verifier;
use crate::Attempt;

/// The certificate authorities of a file. TLS sessions are cached, so that later handshakes cost less.
#[derive(Clone, Debug)]
pub struct Trust {
    configuration: Arc<ClientConfig>,
}

impl Trust {
    /// Reads the file of certificates in PEM.
    ///
    /// # Errors
    /// If the file cannot be read or has no certificate; a sentence that begins with its name.
    pub fn read(path: &Path) -> Result<Trust, String> {
        let file_name = path.display();
        let read_error = |error: pem::Error| match error {
            pem::Error::Io(error) => format!("{file_name} cannot be read: {error}"),
            error => format!("{file_name} is no file of certificates in PEM: {error}"),
        };
        let mut authorities = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(read_error)? {
            authorities
                .add(certificate.map_err(read_error)?)
                .map_err(|error| format!("{file_name} has a certificate that cannot be read: {error}"))?;
        }
        if authorities.is_empty() {
            return Err(format!("{file_name} has no certificate in PEM"));
        }
        let provider = Arc::new(rustls_rustcrypto::provider());
        let unusable_error = |error: &dyn std::fmt::Display| format!("{file_name} cannot be used: {error}");
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(&provider))
            .build()
            .map_err(|error| unusable_error(&error))?;
        let configuration = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable_error(&error))?
            // Only for better errors: the verification is that of webpki.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(verifier)))
            .with_no_client_auth();
        Ok(Trust {
            configuration: Arc::new(configuration),
        })
    }

    /// An attempt to connect to the server with this host name or address.
    ///
    /// # Errors
    /// If the name is not valid in a certificate.
    pub fn attempt(&self, host: &str) -> Result<Attempt, String> {
        let name = ServerName::try_from(host.trim_end_matches('.').to_owned())
            .map_err(|_| format!("no certificate can be for a server that is called `{host}`"))?;
        Ok(Attempt::new(Arc::clone(&self.configuration), name))
    }
}
