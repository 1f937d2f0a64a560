//! Configuration: defaults, values, and error messages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::process::{Command, Stdio};

use app::config::Config;
use microservice::config::ConfigError;
use microservice::log::Level;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Config::read(|name| variables.get(name).map(ToString::to_string))
}

#[test]
fn the_published_demo_needs_one_variable() {
    let config = read(&[("DATABASE_URL", "mysql://root:pass@127.0.0.1:3306/mysql")]).unwrap();
    assert_eq!(config.settings.listen_address.to_string(), "0.0.0.0:8080");
    assert_eq!(config.database.host, "127.0.0.1");
    assert_eq!((config.database.pool_min, config.database.pool_max), (2, 10));
    assert_eq!(config.settings.log, Level::Info);
}

#[test]
fn parts_say_the_same_as_a_url() {
    let parts = read(&[
        ("DATABASE_HOST", "db"),
        ("DATABASE_PORT", "3307"),
        ("DATABASE_USER", "orders"),
        ("DATABASE_PASSWORD", "p@ss"),
        ("DATABASE_NAME", "shop"),
        ("DATABASE_POOL_MAX", "1"),
        ("LOG", "off"),
    ]);
    let url = read(&[
        ("DATABASE_URL", "mysql://orders:p%40ss@db:3307/shop"),
        ("DATABASE_POOL_MAX", "1"),
        ("LOG", "off"),
    ]);
    assert_eq!(parts, url);
    assert_eq!(parts.unwrap().database.pool_min, 1);
}

#[test]
fn all_problems_are_told_at_once() {
    let error = read(&[
        ("DATABASE_HOST", ""),
        ("DATABASE_PORT", "tcp://10.0.0.1:3306"),
        ("DATABASE_POOL_MIN", "5"),
        ("DATABASE_POOL_MAX", "3"),
        ("LISTEN_ADDRESS", "8080"),
        ("CORS_ALLOW_ORIGIN", "https://a.example, *"),
        ("ALLOWED_HOSTS", "shop.example:80"),
        ("LOG", "loud"),
        ("EVENTS_URL", "https://events/"),
        // Fifteen characters, and more bytes.
        ("EVENTS_SECRET", "üüüüüüüüüüüüüüü"),
    ])
    .unwrap_err();
    let names: Vec<&str> = error
        .problems
        .iter()
        .map(|problem| problem.split(' ').next().unwrap())
        .collect();
    let expected = [
        "LISTEN_ADDRESS",
        "CORS_ALLOW_ORIGIN",
        "ALLOWED_HOSTS",
        "LOG",
        "DATABASE_POOL_MIN",
        "DATABASE_HOST",
        "DATABASE_PORT",
        "DATABASE_USER",
        "DATABASE_NAME",
        "EVENTS_URL",
        "EVENTS_SECRET",
    ];
    assert_eq!(names, expected, "{error}");
}

#[test]
fn a_url_excludes_the_parts_and_is_not_repeated() {
    let error = read(&[("DATABASE_URL", "mysql://orders:secret@/"), ("DATABASE_USER", "orders")]).unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
    assert!(!error.to_string().contains("secret"));
}

/// The problems of the TLS settings, with a valid database.
fn tls_problems(query: &str, more: &[(&str, &str)]) -> Vec<String> {
    let url = format!("mysql://a:secret@b/c{query}");
    let result = read(&[&[("DATABASE_URL", url.as_str())], more].concat());
    result.map_or_else(|error| error.problems, |_| Vec::new())
}

#[test]
fn tls_is_asked_for_in_one_way_and_never_half() {
    let certificates = service_tests::certificates::Certificates::make();
    let (authority, key) = (certificates.path("ca.crt"), certificates.path("ca.key"));
    let ca = ("DATABASE_CA", authority.as_str());
    for (query, more) in [
        ("", vec![]),
        ("", vec![("DATABASE_TLS", "off")]),
        ("", vec![("DATABASE_TLS", "off"), ca]),
        ("", vec![("DATABASE_TLS", "required"), ca]),
        ("", vec![("DATABASE_TLS", "preferred"), ca]),
        ("?ssl-mode=VERIFY_IDENTITY", vec![ca]),
        ("?require_ssl=true", vec![("DATABASE_TLS", "required"), ca]),
        ("?ssl-mode=disabled", vec![]),
    ] {
        assert_eq!(tls_problems(query, &more), Vec::<String>::new(), "{query} {more:?}");
    }
    for (query, more, expected) in [
        ("", vec![ca], "DATABASE_TLS is missing beside DATABASE_CA"),
        (
            "",
            vec![("DATABASE_TLS", "yes"), ca],
            "DATABASE_TLS must be off, preferred or required",
        ),
        ("", vec![("DATABASE_TLS", "required")], "DATABASE_CA is missing"),
        ("?ssl-mode=required", vec![], "DATABASE_CA is missing"),
        (
            "?ssl-mode=required",
            vec![("DATABASE_TLS", "off"), ca],
            "DATABASE_TLS says something else than DATABASE_URL",
        ),
        (
            "?ssl-mode=maybe",
            vec![ca, ("DATABASE_TLS", "required")],
            "DATABASE_URL has a `ssl-mode` that is none",
        ),
        (
            "?verify_ca=false",
            vec![],
            "DATABASE_URL asks for `verify_ca=false`, and certificates are always checked",
        ),
        (
            "",
            vec![("DATABASE_TLS", "required"), ("DATABASE_CA", "/no/such/file")],
            "/no/such/file cannot be read",
        ),
        (
            "",
            vec![("DATABASE_TLS", "required"), ("DATABASE_CA", &key)],
            "has no certificate in PEM",
        ),
    ] {
        let problems = tls_problems(query, &more);
        assert!(
            problems.len() == 1 && problems[0].contains(expected),
            "{query} {more:?}: {problems:?}"
        );
        assert!(!problems[0].contains("secret"), "{problems:?}");
    }
}

#[test]
fn passwords_do_not_show_themselves() {
    let config = read(&[
        ("DATABASE_URL", "mysql://a:pass-word@b/c"),
        ("EVENTS_URL", "http://b/events"),
        ("EVENTS_SECRET", "pass-word-of-events"),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("pass-word"));
}

#[test]
fn the_process_fails_when_it_cannot_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let url = ("DATABASE_URL", "mysql://a:secret@b/c");
    for (variables, reason) in [
        (vec![], "DATABASE_HOST is missing"),
        (vec![url, ("LISTEN_ADDRESS", &address)], "cannot listen on"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_app"))
            .env_clear()
            .envs(variables)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains(reason), "{log}");
        assert_eq!(log.lines().count(), 1, "{log}");
    }
}
