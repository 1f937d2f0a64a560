//! Text around the orders: queries, paths, origins, and the environment variables of whoever runs the service.

use std::collections::HashMap;

use app::config::Config;
use app::http::Route;
use microservice::http::{Origin, Query, Target};

/// A query string, a path and an origin.
pub fn text(text: &[u8]) {
    let text = &*String::from_utf8_lossy(text);
    for name in ["id", "limit", "after", ""] {
        if let Some(value) = Query::new(Some(text)).get(name) {
            assert!(value.len() <= text.len());
        }
    }
    if let Some(target) = Target::<Route>::from_path(text) {
        assert!(target.id.is_none_or(|id| !id.is_empty() && text.ends_with(id)));
    }
    if Origin::parse(text).is_some() {
        // It is compared with what browsers send, byte by byte.
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

/// Environment variables, `NAME=value` a line: read, or refused with every problem and without the password.
pub fn configuration(text: &[u8]) {
    const SECRET: &str = "correcthorse";
    let text = String::from_utf8_lossy(text);
    let mut variables: HashMap<&str, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    // The end of the password, whatever stands before it.
    if let Some((account, rest)) = variables.get("DATABASE_URL").and_then(|url| url.rsplit_once('@')) {
        variables.insert("DATABASE_URL", format!("{account}{SECRET}@{rest}"));
    }
    if let Some(password) = variables.get_mut("DATABASE_PASSWORD") {
        password.push_str(SECRET);
    }
    match Config::read(|name| variables.get(name).cloned()) {
        Ok(config) => {
            let database = config.database;
            assert!(database.pool_min <= database.pool_max && database.pool_max > 0);
            assert!(!database.host.is_empty() && !database.user.is_empty() && !database.name.is_empty());
        }
        Err(error) => {
            assert!(!error.problems.is_empty() && error.problems.iter().all(|problem| !problem.is_empty()));
            assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
}
