//! Whether what goes to the database and comes from it is encrypted.

use std::path::PathBuf;
use std::str::FromStr;

/// How connections to the database are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Whether a server that offers no TLS is refused.
    pub is_required: bool,
    /// The file of the authorities whose signature on the server's certificate is believed, in PEM.
    pub authorities: PathBuf,
}

/// What `DATABASE_TLS` says.
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
    /// Reads a setting of a database URL, as MySQL's clients write it; nothing where the setting is another one. Each mode
    /// of theirs becomes one of ours that is at least as strict: a certificate is always checked, as by `VERIFY_IDENTITY`.
    pub(crate) fn of_url(name: &str, value: &str) -> Option<Result<TlsMode, String>> {
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
            assert_eq!(TlsMode::of_url(name, value), Some(Ok(expected)), "{name}={value}");
        }
        for (name, value) in [("ssl-mode", "on"), ("require_ssl", "yes"), ("verify_ca", "false")] {
            assert!(matches!(TlsMode::of_url(name, value), Some(Err(_))), "{name}={value}");
        }
        assert_eq!(TlsMode::of_url("charset", "utf8"), None);
    }
}
