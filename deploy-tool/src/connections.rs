//! Pure: whether the database has enough connections for the pools of a number of replicas.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The annotation of a Deployment that names the StatefulSet of its database.
pub const DATABASE_ANNOTATION: &str = "deploy-tool.dev/database";
/// The environment variable with the size of a replica's pool.
const POOL_VARIABLE: &str = "DATABASE_POOL_MAX";
/// The service's own default for it.
const DEFAULT_POOL: u64 = 10;
/// What MariaDB takes when nothing is said: <https://mariadb.com/kb/en/server-system-variables/#max_connections>
const DEFAULT_CONNECTIONS: u64 = 151;
/// The database's own probes connect too, and so does whoever looks into a problem.
const RESERVED: u64 = 5;

/// What the replicas ask for and what the database gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Connections one replica opens at most.
    pub pool: u64,
    /// Connections the database takes.
    pub limit: u64,
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
    /// Reads both sides.
    pub fn of(deployment: &Deployment, database: &StatefulSet) -> Self {
        let spec = deployment.spec.as_ref();
        let service = spec.map(|spec| containers(&spec.template)).unwrap_or_default();
        let pool = service.iter().flat_map(|container| container.env.iter().flatten());
        let mut pool = pool
            .filter(|variable| variable.name == POOL_VARIABLE)
            .filter_map(|variable| variable.value.as_ref()?.parse().ok());
        let server = database
            .spec
            .as_ref()
            .map(|spec| containers(&spec.template))
            .unwrap_or_default();
        let arguments = server.iter().flat_map(|container| container.args.iter().flatten());
        let mut limit = arguments.filter_map(|argument| argument.strip_prefix("--max-connections=")?.parse().ok());
        Self {
            pool: pool.next().unwrap_or(DEFAULT_POOL),
            limit: limit.next().unwrap_or(DEFAULT_CONNECTIONS),
            surge: surge(deployment),
        }
    }

    /// Connections that a number of replicas may open, with an update under way.
    pub fn needed(&self, replicas: u64) -> u64 {
        (replicas + self.surge_pods(replicas)) * self.pool + RESERVED
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
                "{replicas} replicas open up to {} connections, what an update adds {}, probes {RESERVED}: together {}; \
                 StatefulSet `{database}` takes {} (--max-connections)",
                replicas * self.pool,
                self.surge_pods(replicas) * self.pool,
                self.needed(replicas),
                self.limit
            )
        })
    }

    fn surge_pods(&self, replicas: u64) -> u64 {
        match self.surge {
            Surge::Pods(pods) => pods,
            Surge::Percent(percent) => (replicas * percent).div_ceil(100),
        }
    }
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

    fn connections(pool: Option<&str>, limit: Option<&str>, surge: serde_json::Value) -> Connections {
        let env: Vec<_> = pool
            .map(|pool| json!({"name": "DATABASE_POOL_MAX", "value": pool}))
            .into_iter()
            .collect();
        let args: Vec<_> = limit
            .map(|limit| format!("--max-connections={limit}"))
            .into_iter()
            .collect();
        let template = |container| json!({"spec": {"containers": [container]}});
        let deployment = json!({"metadata": {"annotations": {"deploy-tool.dev/database": "mariadb"}}, "spec": {
            "selector": {}, "template": template(json!({"name": "app", "env": env})),
            "strategy": {"rollingUpdate": {"maxSurge": surge}}}});
        let database = json!({"metadata": {}, "spec": {
            "selector": {}, "serviceName": "m", "template": template(json!({"name": "m", "args": args}))}});
        let deployment: Deployment = serde_json::from_value(deployment).unwrap();
        assert_eq!(database_name(&deployment), Some("mariadb"));
        Connections::of(&deployment, &serde_json::from_value(database).unwrap())
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
            let connections = connections(pool, limit, surge.clone());
            assert_eq!(connections.most_replicas(), most, "{pool:?} {limit:?} {surge}");
            assert_eq!(connections.refuse(most, "m"), None);
            assert!(connections.refuse(most + 1, "m").is_some());
        }
    }

    #[test]
    fn the_refusal_shows_the_sum() {
        let text = connections(Some("10"), Some("250"), json!(1))
            .refuse(30, "mariadb")
            .unwrap();
        assert_eq!(
            text,
            "30 replicas open up to 300 connections, what an update adds 10, probes 5: together 315; \
             StatefulSet `mariadb` takes 250 (--max-connections)"
        );
    }
}
