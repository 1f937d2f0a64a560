//! Edge: whom this host trusts to be a registry, beside the authorities that the system trusts, and as whom it shows itself.
//!
//! The folders are Docker's and podman's: certificates `*.crt`, and for registries that ask for one a `NAME.cert` with its
//! `NAME.key`. <https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md>

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::reference::Repository;
use diagnostics::{Error, Result};

/// What a host has for one registry.
#[derive(Debug, Default)]
pub struct Certificates {
    trusted: Vec<CertificateDer<'static>>,
    own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Certificates {
    /// Those of a file, or else of the folders of Docker and podman.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn read(authority: Option<&Path>, repository: &Repository) -> Result<Self> {
        let home = std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from);
        let mut found = Self::default();
        for folder in folders(home.as_deref(), repository) {
            found.add(&folder)?;
        }
        if let Some(path) = authority {
            found.trusted = certificates(path)?;
        }
        Ok(found)
    }

    fn add(&mut self, folder: &Path) -> Result<()> {
        // Most hosts have none.
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Ok(());
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.trusted.extend(certificates(&path)?),
                Some("cert") if self.own.is_none() => self.own = Some((certificates(&path)?, key(&path)?)),
                _ => {}
            }
        }
        Ok(())
    }

    /// How TLS is spoken; none when the system alone decides.
    ///
    /// # Errors
    /// When a certificate cannot be used.
    pub fn configuration(self) -> Result<Option<ClientConfig>> {
        if self.trusted.is_empty() && self.own.is_none() {
            return Ok(None);
        }
        let unusable =
            |error: rustls::Error| Error::input("the certificates for the registry cannot be used").cause(error);
        let provider = Arc::new(ring::default_provider());
        let verifier = SelfSigned::new(self.trusted, provider.clone()).map_err(unusable)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        Ok(Some(match self.own {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(unusable)?,
            None => builder.with_no_client_auth(),
        }))
    }
}

/// The folders for a registry.
pub fn folders(home: Option<&Path>, repository: &Repository) -> Vec<PathBuf> {
    let roots = ["/etc/docker/certs.d", "/etc/containers/certs.d"].map(PathBuf::from);
    let own = home.map(|home| home.join(".config/containers/certs.d"));
    let rootless = home.map(|home| home.join(".config/docker/certs.d"));
    let roots = roots.into_iter().chain(own).chain(rootless);
    roots.map(|root| root.join(&repository.registry)).collect()
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::input(format!("the certificates in `{}` cannot be used", path.display()))
        .cause(why)
        .hint("name a file in PEM format: lines between BEGIN CERTIFICATE and END CERTIFICATE")
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(unusable(path, &"there is none in it")),
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// The key that lies beside a certificate.
fn key(certificate: &Path) -> Result<PrivateKeyDer<'static>> {
    let path = certificate.with_extension("key");
    PrivateKeyDer::from_pem_file(&path).map_err(|error| {
        Error::input(format!("the key `{}` cannot be used", path.display()))
            .cause(error)
            .cause(format!("it has to be that of `{}`", certificate.display()))
    })
}

/// Verifies by the system's roots, and additionally trusts configured certificates themselves: most tools mark a self-signed
/// certificate as a CA, which is not valid as the certificate of a server.
#[derive(Debug)]
struct SelfSigned {
    system: Verifier,
    trusted: Vec<CertificateDer<'static>>,
}

impl SelfSigned {
    fn new(trusted: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, rustls::Error> {
        let system = Verifier::new_with_extra_roots(trusted.clone(), provider)?;
        Ok(Self { system, trusted })
    }
}

impl ServerCertVerifier for SelfSigned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self
            .system
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // By then its time has been looked at, and not its name.
            Err(error) if is_authority(&error) && self.trusted.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}

fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// `openssl req -x509 -days 36500 -addext subjectAltName=DNS:registry.test`: an authority, as OpenSSL makes them.
    const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nMIIBoTCCAUegAwIBAgIUQ8aE5IMDJ8xnC6RL5mMRd6/C0OEwCgYIKoZIzj0EAwIw\nGDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDAgFw0yNjExMjkwMjEyMzlaGA8yMTI2\nMTEwNTAyMTIzOVowGDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDBZMBMGByqGSM49\nAgEGCCqGSM49AwEHA0IABG/wiAx0dCKLiiDu8N0kSn2ErmQIK9IdKqXAuoGL6rgr\n0eYHKE3RHmgT5FsHQXoD3diUTy3i2vDHhZMGYuOFm/SjbTBrMB0GA1UdDgQWBBR8\n4oWBgGltdrYl3hPx/I3XfANv9TAfBgNVHSMEGDAWgBR84oWBgGltdrYl3hPx/I3X\nfANv9TAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDXJlZ2lzdHJ5LnRlc3Qw\nCgYIKoZIzj0EAwIDSAAwRQIgUYKlbhPnDMd1F3S8+PnB0nXpzSO3hmXzyFnImdi9\nLmgCIQCsW2QGZzxPeMB4UEcC3FeCVZnueMbdR6Tj2OeAa84mkg==\n-----END CERTIFICATE-----\n";
    /// The same with `-addext basicConstraints=CA:FALSE`.
    const SERVER: &str = "-----BEGIN CERTIFICATE-----\nMIIBnDCCAUGgAwIBAgIUCKuOm9DUiQrONs+D85aPiIQlXZ8wCgYIKoZIzj0EAwIw\nGDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDAgFw0yNjExMjkwMjEyMzlaGA8yMTI2\nMTEwNTAyMTIzOVowGDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDBZMBMGByqGSM49\nAgEGCCqGSM49AwEHA0IABAQyyJ36N0wgIYdy1F1MxxyiIlya/r2uCpCK7iNtvUoI\n8uAI9MHfbEI5WtZra6fRNs419NwBqHSM8IlctRZf72KjZzBlMB0GA1UdDgQWBBTk\nXqaZIgtCf3w9mVbPeOK5prQWcDAfBgNVHSMEGDAWgBTkXqaZIgtCf3w9mVbPeOK5\nprQWcDAYBgNVHREEETAPgg1yZWdpc3RyeS50ZXN0MAkGA1UdEwQCMAAwCgYIKoZI\nzj0EAwIDSQAwRgIhAKRLu88Nd1uK60a/4ebPDc+R0bReiZYuiZ6bxyNmBRPeAiEA\nuYngr5EPyCu5f07rdN6hbzU36PNbPmGYhoebHYYwjTw=\n-----END CERTIFICATE-----\n";

    fn der(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    #[test]
    fn a_certificate_that_is_named_is_believed_for_its_name_and_time() {
        let (now, later) = (1_800_000_000, 6_000_000_000);
        for (trusted, shown, name, time, expected) in [
            (AUTHORITY, AUTHORITY, "registry.test", now, true),
            (SERVER, SERVER, "registry.test", now, true),
            (AUTHORITY, AUTHORITY, "other.test", now, false),
            (SERVER, SERVER, "other.test", now, false),
            (AUTHORITY, AUTHORITY, "registry.test", later, false),
            (SERVER, SERVER, "registry.test", later, false),
            (SERVER, AUTHORITY, "registry.test", now, false),
            (AUTHORITY, SERVER, "registry.test", now, false),
        ] {
            let verifier = SelfSigned::new(vec![der(trusted)], Arc::new(ring::default_provider())).unwrap();
            let time = UnixTime::since_unix_epoch(Duration::from_secs(time));
            let name = ServerName::try_from(name).unwrap();
            let verified = verifier.verify_server_cert(&der(shown), &[], &name, &[], time);
            assert_eq!(verified.is_ok(), expected, "{name:?} {time:?}: {verified:?}");
        }
    }

    #[test]
    fn a_folder_may_have_several_and_a_certificate_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let read = || {
            let mut found = Certificates::default();
            found
                .add(folder.path())
                .map(|()| (found.trusted.len(), found.own.is_some()))
        };
        assert_eq!(read().unwrap(), (0, false));
        write("ca.crt", AUTHORITY);
        write("other.crt", SERVER);
        write("readme", "x");
        assert_eq!(read().unwrap(), (2, false));
        write("client.cert", SERVER);
        assert!(read().unwrap_err().to_string().contains("client.key"));
        write(
            "client.key",
            "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        );
        assert_eq!(read().unwrap(), (2, true));
        write("other.crt", "x");
        assert!(read().unwrap_err().to_string().contains("other.crt"));
    }

    #[test]
    fn folders_are_those_of_docker_and_podman() {
        let of = |name: &str| folders(Some(Path::new("/h")), &Repository::parse(name).unwrap().0);
        assert_eq!(
            of("x.io:5000/a"),
            [
                "/etc/docker/certs.d/x.io:5000",
                "/etc/containers/certs.d/x.io:5000",
                "/h/.config/containers/certs.d/x.io:5000",
                "/h/.config/docker/certs.d/x.io:5000",
            ]
            .map(PathBuf::from)
        );
        assert_eq!(of("you/a")[0], PathBuf::from("/etc/docker/certs.d/docker.io"));
    }
}
