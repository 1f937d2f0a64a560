//! TLS of the connections to the database.

use std::path::PathBuf;
use std::str::FromStr;

/// The TLS settings of connections to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Whether a server without TLS is rejected.
    pub is_required: bool,
    /// The file with the trusted certificate authorities, in PEM.
    pub authorities: PathBuf,
}

/// The values of `DATABASE_TLS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Off,
    Preferred,
    Required,
}

impl FromStr for TlsMode {
    type Err = ();

    fn from_str(text: &str) -> Result<TlsMode, ()> {
        match text {
            "off" => Ok(TlsMode::Off),
            "preferred" => Ok(TlsMode::Preferred),
            "required" => Ok(TlsMode::Required),
            _ => Err(()),
        }
    }
}

impl TlsMode {
    /// Parses a parameter of a database URL, as in MySQL's clients; `None` if it is not about TLS. Their modes become
    /// modes that are at least as strict: certificates are always verified, as with `VERIFY_IDENTITY`.
    pub(crate) fn from_url_parameter(name: &str, value: &str) -> Option<Result<TlsMode, String>> {
        let value = value.to_ascii_lowercase().replace('-', "_");
        let mode = match (name, value.as_str()) {
            ("ssl-mode" | "ssl_mode" | "sslmode", "disabled" | "disable") | ("require_ssl", "false") => TlsMode::Off,
            ("ssl-mode" | "ssl_mode" | "sslmode", "preferred" | "prefer") => TlsMode::Preferred,
            (
                "ssl-mode" | "ssl_mode" | "sslmode",
                "required" | "require" | "verify_ca" | "verify_identity" | "verify_full",
            )
            | ("require_ssl", "true") => TlsMode::Required,
            ("ssl-mode" | "ssl_mode" | "sslmode" | "require_ssl", _) => {
                return Some(Err(format!(
                    "has a `{name}` that is none (use DATABASE_TLS=required, preferred or off in its place)"
                )))
            }
            ("verify_ca" | "verify_identity", "false") => {
                return Some(Err(format!(
                    "asks for `{name}=false`, and certificates are always checked here: name their authority by DATABASE_CA"
                )))
            }
            _ => return None,
        };
        Some(Ok(mode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_clients_write_becomes_no_less_strict() {
        for (name, value, expected) in [
            ("ssl-mode", "DISABLED", TlsMode::Off),
            ("sslmode", "disable", TlsMode::Off),
            ("require_ssl", "false", TlsMode::Off),
            ("ssl-mode", "PREFERRED", TlsMode::Preferred),
            ("ssl-mode", "REQUIRED", TlsMode::Required),
            ("ssl-mode", "VERIFY_CA", TlsMode::Required),
            ("ssl_mode", "verify-identity", TlsMode::Required),
            ("sslmode", "verify-full", TlsMode::Required),
            ("require_ssl", "true", TlsMode::Required),
        ] {
            assert_eq!(
                TlsMode::from_url_parameter(name, value),
                Some(Ok(expected)),
                "{name}={value}"
            );
        }
        for (name, value) in [("ssl-mode", "on"), ("require_ssl", "yes"), ("verify_ca", "false")] {
            assert!(
                matches!(TlsMode::from_url_parameter(name, value), Some(Err(_))),
                "{name}={value}"
            );
        }
        assert_eq!(TlsMode::from_url_parameter("charset", "utf8"), None);
    }
}
