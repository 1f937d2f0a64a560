//! Pure: whether the database has enough connections for the pools of a number of replicas.

mod option_file;

pub use option_file::mounted_config_maps;
use option_file::parse_number;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Container, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use rollout::DATABASE_ANNOTATION;

/// The environment variable with the size of a replica's pool.
const POOL_VARIABLE: &str = "DATABASE_POOL_MAX";
/// The service's own default for it.
const DEFAULT_POOL: u64 = 10;
/// What MariaDB takes when nothing is said: <https://mariadb.com/kb/en/server-system-variables/#max_connections>
const DEFAULT_CONNECTIONS: u64 = 151;
/// Connections for the probes of the database, for the replica that delivers events, and for an administrator.
const RESERVED: u64 = 5;

/// What the replicas ask for and what the database gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Connections one replica opens at most.
    pub pool: u64,
    /// Connections the database takes.
    pub limit: u64,
    /// Connections the replicas of other Deployments open at most.
    others: u64,
    surge: Surge,
}

/// How many pods a rolling update adds: all of them have pools too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surge {
    Pods(u64),
    Percent(u64),
}

/// The database of a Deployment, if it names one.
pub fn database_name(deployment: &Deployment) -> Option<&str> {
    deployment
        .metadata
        .annotations
        .as_ref()?
        .get(DATABASE_ANNOTATION)
        .map(String::as_str)
}

impl Connections {
    /// Reads both sides. Among the Deployments of the namespace, those that name the same database take their part.
    /// Arguments of the server count before its option files, which are ConfigMaps.
    pub fn from_objects(
        deployment: &Deployment,
        deployments: &[Deployment],
        database: &StatefulSet,
        config_maps: &[ConfigMap],
    ) -> Self {
        let others = deployments.iter().filter(|candidate| {
            candidate.metadata.name != deployment.metadata.name && database_name(candidate) == database_name(deployment)
        });
        let server = database
            .spec
            .as_ref()
            .map(|spec| containers(&spec.template))
            .unwrap_or_default();
        let limit = server.iter().filter_map(limit).next_back();
        let limit = limit.or_else(|| option_file::max_connections(database, config_maps));
        Self {
            pool: pool(deployment),
            limit: limit.unwrap_or(DEFAULT_CONNECTIONS),
            others: others.map(most_connections).sum(),
            surge: surge(deployment),
        }
    }

    /// Connections that a number of replicas may open, with an update under way.
    pub fn needed(&self, replicas: u64) -> u64 {
        (replicas + self.surge.pods(replicas)) * self.pool + self.others + RESERVED
    }

    /// The greatest number of replicas that the database has connections for.
    pub fn most_replicas(&self) -> u64 {
        let mut replicas = 0;
        while self.pool > 0 && self.needed(replicas + 1) <= self.limit {
            replicas += 1;
        }
        replicas
    }

    /// Why a number of replicas is too great, if it is.
    pub fn refuse(&self, replicas: u64, database: &str) -> Option<String> {
        (replicas > 0 && self.needed(replicas) > self.limit).then(|| {
            format!(
                "{replicas} replicas open up to {} connections, what an update adds {}, other services {}, probes \
                 {RESERVED}: together {}; StatefulSet `{database}` takes {} (max_connections)",
                replicas * self.pool,
                self.surge.pods(replicas) * self.pool,
                self.others,
                self.needed(replicas),
                self.limit
            )
        })
    }
}

impl Surge {
    fn pods(self, replicas: u64) -> u64 {
        match self {
            Self::Pods(pods) => pods,
            Self::Percent(percent) => (replicas * percent).div_ceil(100),
        }
    }
}

/// The limit in the server's command line, in any spelling: `--max-connections=500`, `--max_connections 500`, in `command` or
/// `args`, as separate words or in a shell command. The last one counts, as with the server.
/// <https://mariadb.com/kb/en/mariadbd-options/#option-prefixes>
fn limit(container: &Container) -> Option<u64> {
    let words = container.command.iter().chain(&container.args).flatten();
    let words = words.flat_map(|word| word.split(|c: char| c.is_whitespace() || "'\"=;".contains(c)));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let is_option = |word: &str| {
        let Some(name) = word.strip_prefix("--") else {
            return false;
        };
        let name = name.replace('_', "-");
        name.strip_prefix("loose-").unwrap_or(&name) == "max-connections"
    };
    let pairs = words.windows(2).filter(|pair| is_option(pair[0]));
    pairs.filter_map(|pair| parse_number(pair[1])).next_back()
}

/// Connections that the replicas a Deployment has now open at most, with an update under way.
fn most_connections(deployment: &Deployment) -> u64 {
    let replicas = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    match u64::from(replicas.unsigned_abs()) {
        0 => 0,
        replicas => (replicas + surge(deployment).pods(replicas)) * pool(deployment),
    }
}

/// Connections that one replica opens at most.
fn pool(deployment: &Deployment) -> u64 {
    let spec = deployment.spec.as_ref();
    let service = spec.map(|spec| containers(&spec.template)).unwrap_or_default();
    let variables = service.iter().flat_map(|container| container.env.iter().flatten());
    let mut sizes = variables
        .filter(|variable| variable.name == POOL_VARIABLE)
        .filter_map(|variable| variable.value.as_ref()?.parse().ok());
    sizes.next().unwrap_or(DEFAULT_POOL)
}

/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge>
fn surge(deployment: &Deployment) -> Surge {
    let strategy = deployment.spec.as_ref().and_then(|spec| spec.strategy.as_ref());
    if strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate")) {
        return Surge::Pods(0);
    }
    let surge = strategy
        .and_then(|strategy| strategy.rolling_update.as_ref())
        .and_then(|update| update.max_surge.as_ref());
    let default = Surge::Percent(25);
    match surge {
        Some(IntOrString::Int(pods)) => u64::try_from(*pods).map_or(default, Surge::Pods),
        Some(IntOrString::String(text)) => text.trim_end_matches('%').parse().map_or(default, Surge::Percent),
        None => default,
    }
}

fn containers(template: &PodTemplateSpec) -> Vec<Container> {
    template
        .spec
        .as_ref()
        .map(|spec| spec.containers.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(container: serde_json::Value) -> serde_json::Value {
        json!({"spec": {"containers": [container]}})
    }

    fn deployment(
        name: &str,
        database: &str,
        replicas: i32,
        pool: Option<&str>,
        surge: &serde_json::Value,
    ) -> Deployment {
        let env: Vec<_> = pool
            .map(|pool| json!({"name": "DATABASE_POOL_MAX", "value": pool}))
            .into_iter()
            .collect();
        let value = json!({
            "metadata": {"name": name, "annotations": {"deploy-tool.dev/database": database}},
            "spec": {"selector": {}, "replicas": replicas, "template": template(json!({"name": "c", "env": env})),
                "strategy": {"rollingUpdate": {"maxSurge": surge}}}});
        let deployment: Deployment = serde_json::from_value(value).unwrap();
        assert_eq!(database_name(&deployment), Some(database));
        deployment
    }

    fn database(limit: Option<&str>) -> StatefulSet {
        let args: Vec<_> = limit
            .map(|limit| format!("--max-connections={limit}"))
            .into_iter()
            .collect();
        let value = json!({"metadata": {}, "spec": {
            "selector": {}, "serviceName": "m", "template": template(json!({"name": "m", "args": args}))}});
        serde_json::from_value(value).unwrap()
    }

    fn connections(pool: Option<&str>, limit: Option<&str>, surge: &serde_json::Value) -> Connections {
        Connections::from_objects(
            &deployment("app", "mariadb", 1, pool, surge),
            &[],
            &database(limit),
            &[],
        )
    }

    #[test]
    fn counts_pools_surge_and_probes() {
        let cases = [
            (Some("10"), Some("250"), json!(1), 23),
            (Some("5"), Some("25"), json!(0), 4),
            (None, None, json!(1), 13),
            (Some("10"), Some("100"), json!("25%"), 7),
            (Some("10"), Some("12"), json!(1), 0),
        ];
        for (pool, limit, surge, most) in cases {
            let connections = connections(pool, limit, &surge);
            assert_eq!(connections.most_replicas(), most, "{pool:?} {limit:?} {surge}");
            assert_eq!(connections.refuse(most, "m"), None);
            assert!(connections.refuse(most + 1, "m").is_some());
        }
    }

    #[test]
    fn the_limit_in_every_spelling() {
        let cases = [
            (json!({"args": ["--max-connections=500"]}), 500),
            (json!({"args": ["--max_connections=500"]}), 500),
            (json!({"args": ["--max-connections", "500"]}), 500),
            (json!({"args": ["--max_connections", "500"]}), 500),
            (json!({"command": ["mariadbd", "--max-connections=500"]}), 500),
            (json!({"command": ["mariadbd"], "args": ["--max-connections=500"]}), 500),
            (
                json!({"command": ["sh", "-c"], "args": ["exec mariadbd --max-connections=500 --skip-name-resolve"]}),
                500,
            ),
            (
                json!({"command": ["sh", "-c", "mariadbd --max-connections '500'; sleep 1"]}),
                500,
            ),
            (json!({"args": ["--loose-max-connections=500"]}), 500),
            (json!({"args": ["--max-connections=1K"]}), 1_024),
            // The last one counts.
            (json!({"args": ["--max-connections=100", "--max_connections=500"]}), 500),
            (json!({"args": ["--max-connections=lots"]}), DEFAULT_CONNECTIONS),
            (json!({"args": ["--max-connections"]}), DEFAULT_CONNECTIONS),
            (json!({"args": ["--extra-max-connections=5"]}), DEFAULT_CONNECTIONS),
            (json!({}), DEFAULT_CONNECTIONS),
        ];
        let app = deployment("app", "mariadb", 1, None, &json!(1));
        for (mut container, expected) in cases {
            container["name"] = "m".into();
            let server = json!({"metadata": {}, "spec": {"selector": {}, "serviceName": "m", "template": template(container.clone())}});
            let server: StatefulSet = serde_json::from_value(server).unwrap();
            assert_eq!(
                Connections::from_objects(&app, &[], &server, &[]).limit,
                expected,
                "{container}"
            );
        }
    }

    /// The service's own old pods are no other service, and services with another database do not count.
    #[test]
    fn others_on_the_same_database_take_their_part() {
        let surge = json!(1);
        let app = deployment("app", "mariadb", 20, Some("10"), &surge);
        let others = [
            app.clone(),
            deployment("events", "mariadb", 3, Some("4"), &surge),
            deployment("idle", "mariadb", 0, Some("100"), &surge),
            deployment("shop", "other", 3, Some("100"), &surge),
        ];
        let connections = Connections::from_objects(&app, &others, &database(Some("250")), &[]);
        assert_eq!(connections.needed(1), 2 * 10 + 4 * 4 + RESERVED);
        assert_eq!(connections.most_replicas(), 21);
        assert_eq!(
            connections.refuse(22, "mariadb").unwrap(),
            "22 replicas open up to 220 connections, what an update adds 10, other services 16, probes 5: together 251; \
             StatefulSet `mariadb` takes 250 (max_connections)"
        );
    }
}
