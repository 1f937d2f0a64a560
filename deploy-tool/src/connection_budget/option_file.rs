//! Pure: `max_connections` in the option files that a ConfigMap gives to a database server.
//! <https://mariadb.com/kb/en/configuring-mariadb-with-option-files/>

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::ConfigMap;

/// The limit in the option files that a StatefulSet mounts: those of each ConfigMap in the order of their names, as the
/// server reads them. The last one counts.
pub(super) fn max_connections(database: &StatefulSet, config_maps: &[ConfigMap]) -> Option<u64> {
    let find = |name: String| config_maps.iter().find(|map| map.metadata.name.as_ref() == Some(&name));
    let config_maps = mounted_config_maps(database).into_iter().filter_map(find);
    let files = config_maps.flat_map(|map| map.data.iter().flatten());
    let option_files = files.filter(|(name, _)| name.ends_with(".cnf"));
    option_files.filter_map(|(_, text)| option_of_server(text)).next_back()
}

/// The ConfigMaps that the pods of a StatefulSet mount.
pub fn mounted_config_maps(set: &StatefulSet) -> Vec<String> {
    let pod = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let volumes = pod.into_iter().flat_map(|pod| pod.volumes.iter().flatten());
    let names = volumes.flat_map(|volume| {
        let projected = volume
            .projected
            .iter()
            .flat_map(|volume| volume.sources.iter().flatten());
        let projected = projected.filter_map(|source| source.config_map.as_ref().map(|source| &source.name));
        volume.config_map.iter().map(|source| &source.name).chain(projected)
    });
    names.cloned().collect()
}

/// `max_connections` in the groups that a server reads.
fn option_of_server(text: &str) -> Option<u64> {
    let mut is_of_server = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let servers = ["server", "mysqld", "mariadb", "galera"];
            is_of_server = servers.iter().any(|server| group.starts_with(server)) && !group.contains("safe");
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_of_server) {
            let name = name.trim().replace('_', "-");
            if name.strip_prefix("loose-").unwrap_or(&name) == "max-connections" {
                let value = value.split('#').next().unwrap_or_default();
                found = parse_number(value.trim().trim_matches(['"', '\''])).or(found);
            }
        }
    }
    found
}

/// `500`, or `1K`.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1_024),
        None => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_option_in_the_groups_of_a_server() {
        let cases = [
            ("[mysqld]\nmax_connections=500\n", Some(500)),
            ("[mariadb-11.8]\r\nmax-connections = 1K # many\r\n", Some(1_024)),
            ("[server]\nmax_connections = '300'\nmax_connections = 400\n", Some(400)),
            ("[mysqld]\nskip-name-resolve\n# max_connections=500\n", None),
            (
                "[client]\nmax_connections=500\n[mysqld_safe]\nmax_connections=500\n",
                None,
            ),
            ("max_connections=500\n", None),
            ("[mysqld]\nmax_connections=lots\nextra_max_connections=5\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(option_of_server(text), expected, "{text}");
        }
    }

    #[test]
    fn only_what_is_mounted_counts() {
        let file = |name: &str, limit: u64| {
            let text = format!("[mysqld]\nmax_connections={limit}\n");
            let map =
                json!({"metadata": {"name": name}, "data": {"my.cnf": text, "README": "[mysqld]\nmax_connections=1"}});
            serde_json::from_value(map).unwrap()
        };
        let maps: Vec<ConfigMap> = vec![file("mounted", 500), file("other", 600)];
        let database = |volumes| -> StatefulSet {
            let pod = json!({"containers": [], "volumes": volumes});
            let spec = json!({"selector": {}, "serviceName": "m", "template": {"spec": pod}});
            serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap()
        };
        let direct = json!([{"name": "c", "configMap": {"name": "mounted"}}]);
        assert_eq!(max_connections(&database(direct), &maps), Some(500));
        let projected = json!([{"name": "c", "projected": {"sources": [{"configMap": {"name": "other"}}]}}]);
        assert_eq!(max_connections(&database(projected), &maps), Some(600));
        assert_eq!(max_connections(&database(json!([])), &maps), None);
    }
}
