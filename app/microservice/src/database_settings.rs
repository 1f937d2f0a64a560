//! The settings of the database, also from a URL, as in the published demo: `mysql://user:password@host:port/name`.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::tls_settings::{TlsMode, TlsSettings};

/// The settings of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// Host name or IPv4 address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name.
    pub user: String,
    /// Password.
    pub password: Password,
    /// Name of the database.
    pub name: String,
    /// How connections are encrypted, if at all.
    pub tls: Option<TlsSettings>,
    /// The number of idle connections to keep.
    pub pool_min: usize,
    /// The most connections to open.
    pub pool_max: usize,
}

/// A password, which `Debug` does not show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A password with this text.
    pub fn new(text: impl Into<String>) -> Password {
        Password(text.into())
    }

    /// The text. Only for connecting to the database.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(hidden)")
    }
}

impl DatabaseSettings {
    /// Used while further problems of a configuration are collected.
    pub(crate) fn placeholder() -> DatabaseSettings {
        DatabaseSettings {
            host: String::new(),
            port: 3306,
            user: String::new(),
            password: Password::default(),
            name: String::new(),
            tls: None,
            pool_min: 0,
            pool_max: 1,
        }
    }
}

/// Parses a database URL: the settings and the TLS mode, if there is one. The errors are all problems; they never
/// contain the password.
pub(crate) fn parse_url(url: &str) -> Result<(DatabaseSettings, Option<TlsMode>), Vec<String>> {
    let example = "must look like mysql://user:password@host:3306/name";
    let Some(without_scheme) = ["mysql://", "mariadb://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
    else {
        return Err(vec![example.to_owned()]);
    };
    let mut problems = Vec::new();

    // Split at the last @ first: a password that was not encoded may contain any of the separators below, and problems
    // quote the other parts.
    let (account, address) = without_scheme.rsplit_once('@').unwrap_or(("", without_scheme));
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let (host, name) = address.split_once('/').unwrap_or((address, ""));
    let (host, port) = host.rsplit_once(':').unwrap_or((host, "3306"));

    for (part, text) in [("a user", user), ("a host", host), ("a database name", name)] {
        if text.is_empty() {
            problems.push(format!("has no part for {part}; it {example}"));
        }
    }
    let port = port.parse().unwrap_or_else(|_| {
        problems.push(format!("has a port that is no port number; it {example}"));
        0
    });
    let mut tls = None;
    for setting in query.split('&').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        match TlsMode::from_url_parameter(name, value) {
            Some(Ok(mode)) => tls = Some(mode),
            Some(Err(problem)) => problems.push(problem),
            None if (name, value) == ("prefer_socket", "false") => {}
            None => problems.push(format!("asks for `{name}`, which this service does not know")),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let settings = DatabaseSettings {
        host: host.to_owned(),
        port,
        user: decode(user),
        password: Password::new(decode(password)),
        name: decode(name),
        ..DatabaseSettings::placeholder()
    };
    Ok((settings, tls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_parts() {
        let url = "mysql://clerk:p%40ss:w@rd@mariadb.shop.svc:3307/books?ssl-mode=disabled";
        let (database, tls) = parse_url(url).unwrap();
        assert_eq!(tls, Some(TlsMode::Off));
        assert_eq!(database.host, "mariadb.shop.svc");
        assert_eq!(database.port, 3307);
        assert_eq!(database.user, "clerk");
        assert_eq!(database.password.reveal(), "p@ss:w@rd");
        assert_eq!(database.name, "books");
    }

    #[test]
    fn takes_the_published_demo() {
        let (database, tls) = parse_url("mysql://root:pass@127.0.0.1:3306/mysql").unwrap();
        assert_eq!(tls, None);
        assert_eq!((database.port, database.name.as_str()), (3306, "mysql"));
        assert_eq!(parse_url("mysql://root@db/mysql").unwrap().0.port, 3306);
    }

    #[test]
    fn takes_passwords_that_are_not_encoded() {
        let (database, _) = parse_url("mysql://clerk:p/a?s:s@w@db/shop").unwrap();
        assert_eq!(database.password.reveal(), "p/a?s:s@w");
        assert_eq!((database.host.as_str(), database.name.as_str()), ("db", "shop"));
    }

    #[test]
    fn tells_every_problem_and_no_password() {
        let problems = parse_url("mysql://:secret@:x/?require_ssl=perhaps").unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(!problems.concat().contains("secret"));
        assert_eq!(parse_url("postgres://a:secret@b/c").unwrap_err().len(), 1);
    }
}
