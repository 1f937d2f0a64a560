//! Pure: explains why a handshake failed.

use std::io;

use rustls::{CertificateError, Error};

use crate::verifier::SelfSigned;

/// Explains the error of a handshake, as a part of a sentence about the database.
pub fn explain(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(error)) => explain_certificate(error),
        Some(Error::AlertReceived(alert)) => format!("it ended the TLS handshake with the alert {alert:?}"),
        Some(error @ (Error::PeerIncompatible(_) | Error::InvalidMessage(_))) => {
            format!("it and this service have no TLS in common: {error}")
        }
        Some(error) => format!("the TLS handshake failed: {error}"),
        None => format!("the connection broke in the TLS handshake: {error}"),
    }
}

fn explain_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("its certificate has expired: renew it there ({error})")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("its certificate is not valid yet, or the clock here is wrong ({error})")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is for another server: set DATABASE_HOST to a name that it is for ({error})")
        }
        CertificateError::UnknownIssuer => {
            "no authority of DATABASE_CA has signed its certificate: put the one that has into that file".to_owned()
        }
        CertificateError::Other(other) if other.0.is::<SelfSigned>() => {
            "its certificate signs itself: give the server one that an authority of DATABASE_CA has signed".to_owned()
        }
        error => format!("its certificate cannot be used: {error}"),
    }
}
