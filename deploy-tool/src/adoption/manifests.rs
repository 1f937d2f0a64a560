//! Pure: makes the manifests of an existing crate from those of a new project and the facts in its sources.

use serde::Serialize;

use crate::project::{ProjectName, Template, template};
use wasm_build::traps::GuestGraph;
use wasm_build::traps::paths;
use wasm_build::traps::walk::SourceFile;

/// Where nothing else is known, and in a new project.
const PORT: u16 = 8080;
const ALIVE: [&str; 6] = ["/healthz", "/livez", "/health", "/healthcheck", "/alive", "/ping"];
const READY: [&str; 3] = ["/readyz", "/ready", "/readiness"];
/// The port of databases that speak MySQL's protocol.
const DATABASE_PORT: u16 = 3306;

/// What the sources of a crate show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The port that it listens on.
    pub port: u16,
    /// Whether that is written there, behind an address of any interface, or was given; otherwise it is a guess.
    pub port_is_known: bool,
    /// The path of the liveness probe; without one, the probe connects to the port.
    pub alive: Option<String>,
    /// The path of the readiness probe.
    pub ready: Option<String>,
    /// Whether it asks a database of MySQL's protocol.
    pub database: bool,
    /// The environment variables with the database's address and login.
    pub database_variables: Vec<String>,
}

impl Facts {
    /// Reads the facts from source files and crates; arguments take precedence.
    pub fn from_sources(files: &[SourceFile], graph: &GuestGraph, port: Option<u16>, health: Option<&str>) -> Self {
        let routes = paths::routes(files);
        let first = |known: &[&str]| {
            let found = known.iter().find(|route| routes.iter().any(|found| found == *route));
            found.map(|route| (*route).to_owned())
        };
        let database = graph
            .crates
            .iter()
            .any(|guest_crate| guest_crate.name.starts_with("mysql_async"));
        let of_database = |name: &String| {
            ["DATABASE", "MYSQL", "MARIADB"].iter().any(|part| name.contains(part)) || name.starts_with("DB_")
        };
        let written = paths::ports(files).first().copied();
        let alive = health.map(str::to_owned).or_else(|| first(&ALIVE));
        Self {
            port: port.or(written.map(|port| port.number)).unwrap_or(PORT),
            port_is_known: port.is_some() || written.is_some_and(|port| port.is_of_server),
            ready: first(&READY).or_else(|| alive.clone()),
            alive,
            database,
            database_variables: if database {
                address(paths::variables(files).into_iter().filter(of_database).collect())
            } else {
                Vec::new()
            },
        }
    }

    /// The Secret that the variables are taken from.
    pub fn secret(name: &ProjectName) -> String {
        format!("{}-database", name.as_str())
    }
}

/// A URL has everything in one: beside one, the others are for those who have none.
fn address(names: Vec<String>) -> Vec<String> {
    let urls: Vec<String> = names.iter().filter(|name| name.ends_with("URL")).cloned().collect();
    if urls.is_empty() { names } else { urls }
}

/// The files of `manifests/`. `image`: what stands behind `deploy-tool://`.
pub fn manifests(name: &ProjectName, image: &str, facts: &Facts) -> Vec<(String, String)> {
    let own = format!("manifests/{}.yaml", name.as_str());
    let files = template::files(Template::Service, name, false);
    let manifests = files.into_iter().filter(|(path, _)| path.starts_with("manifests/"));
    manifests
        .map(|(path, text)| {
            if path == own {
                (path, adapt_manifest(&text, name, image, facts))
            } else {
                (path, text)
            }
        })
        .collect()
}

fn adapt_manifest(text: &str, name: &ProjectName, image: &str, facts: &Facts) -> String {
    let mut text = text.replace(
        &format!("image: deploy-tool://{}", name.as_str()),
        &format!("image: deploy-tool://{image}"),
    );
    text = text.replace(
        &format!("containerPort: {PORT}"),
        &format!("containerPort: {}", facts.port),
    );
    let probe = |route: &Option<String>| match route {
        Some(route) => format!("httpGet: {{path: {route}, port: http}}"),
        None => "tcpSocket: {port: http}".to_owned(),
    };
    text = text.replace("httpGet: {path: /healthz, port: http}", &probe(&facts.alive));
    text = text.replace("httpGet: {path: /readyz, port: http}", &probe(&facts.ready));
    if facts.alive.is_none() {
        text = text.replace(
            "# httpGet only: crun cannot exec into a Wasm container.",
            "# With a route that answers, `httpGet: {path: /healthz, port: http}` tells more; crun cannot exec into a container.",
        );
    }
    if !facts.database_variables.is_empty() {
        text = text.replace(
            "        ports:\n",
            &format!("{}        ports:\n", environment(name, facts)),
        );
    }
    if facts.database {
        text = text.replace(
            "# Anybody may ask it; it asks nobody. A database or another service needs an egress rule here, \
            and names need port 53.",
            "# Anybody may ask it; it asks the database, and DNS for its name.",
        );
        text.push_str(&format!(
            "  egress:\n  - ports:\n    - port: {DATABASE_PORT}\n  - ports:\n    - port: 53\n      protocol: UDP\n    - port: 53\n"
        ));
    }
    text
}

fn environment(name: &ProjectName, facts: &Facts) -> String {
    let mut text = "        env:\n".to_owned();
    for variable in &facts.database_variables {
        text.push_str(&format!(
            "        - name: {variable}\n          valueFrom:\n            secretKeyRef: {{name: {}, key: {variable}}}\n",
            Facts::secret(name)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            port: 9090,
            port_is_known: true,
            alive: Some("/health".into()),
            ready: Some("/ready".into()),
            database: true,
            database_variables: vec!["DATABASE_URL".into()],
        }
    }

    fn deployment(facts: &Facts) -> String {
        let name = ProjectName::parse("my-shop").unwrap();
        let files = manifests(&name, "my_shop", facts);
        assert_eq!(files.len(), 3);
        let own = files.iter().find(|(path, _)| path == "manifests/my-shop.yaml");
        own.unwrap().1.clone()
    }

    #[test]
    fn what_the_sources_show_is_in_the_manifests() {
        let text = deployment(&facts());
        for expected in [
            "image: deploy-tool://my_shop\n",
            "containerPort: 9090\n",
            "name: my-shop\n",
            "        env:\n        - name: DATABASE_URL\n          valueFrom:\n            secretKeyRef: {name: my-shop-database, key: \
             DATABASE_URL}\n        ports:\n",
            "\n  egress:\n  - ports:\n    - port: 3306\n",
            "it asks the database",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert_eq!(
            text.matches("httpGet: {path: /health, port: http}").count(),
            2,
            "{text}"
        );
        assert_eq!(text.matches("httpGet: {path: /ready, port: http}").count(), 1, "{text}");
    }

    #[test]
    fn without_a_route_the_port_is_tried() {
        let bare = Facts {
            alive: None,
            ready: None,
            database: false,
            database_variables: Vec::new(),
            ..facts()
        };
        let text = deployment(&bare);
        assert_eq!(text.matches("tcpSocket: {port: http}").count(), 3, "{text}");
        assert!(
            !text.contains("  - ports:\n    - port: 53") && !text.contains("env:"),
            "{text}"
        );
    }

    #[test]
    fn a_url_is_enough() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(address(names(&["DB_HOST", "DATABASE_URL"])), ["DATABASE_URL"]);
        assert_eq!(address(names(&["DB_HOST", "DB_USER"])), ["DB_HOST", "DB_USER"]);
    }

    #[test]
    fn as_in_a_new_project_nothing_is_changed() {
        let name = ProjectName::parse("shop").unwrap();
        let usual = Facts {
            port: 8080,
            port_is_known: true,
            alive: Some("/healthz".into()),
            ready: Some("/readyz".into()),
            database: false,
            database_variables: Vec::new(),
        };
        let created = template::files(Template::Service, &name, false);
        for (path, text) in manifests(&name, "shop", &usual) {
            assert!(created.contains(&(path.clone(), text)), "{path}");
        }
    }
}
