//! Pure but for [`Model::write`]: a small release, and what people do to one.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::random::Random;
use serde_json::{Value, json};

/// The objects that there shall be, by kind and name.
pub struct Model {
    namespace: String,
    image: String,
    made: usize,
    /// The objects.
    pub objects: BTreeMap<(&'static str, String), Value>,
}

impl Model {
    /// A Deployment with what it needs.
    pub fn new(namespace: &str, image: &str) -> Self {
        let mut model = Self {
            namespace: namespace.to_owned(),
            image: image.to_owned(),
            made: 0,
            objects: BTreeMap::new(),
        };
        for kind in ["Deployment", "ConfigMap", "Service", "ServiceAccount"] {
            model.add(kind);
        }
        model
    }

    /// Changes one to three things. Says which.
    pub fn change(&mut self, random: &mut Random) -> String {
        let edits: Vec<String> = (0..=random.below(3)).map(|_| self.edit(random)).collect();
        edits.join(", ")
    }

    /// Kind and name of each object.
    pub fn names(&self) -> Vec<(&'static str, String)> {
        self.objects.keys().cloned().collect()
    }

    /// Writes one file an object, and deletes those of objects that are no more.
    pub fn write(&self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for ((kind, name), object) in &self.objects {
            let file = folder.join(format!("{}-{name}.yaml", kind.to_ascii_lowercase()));
            std::fs::write(file, serde_json::to_vec_pretty(object).unwrap()).unwrap();
        }
    }

    fn edit(&mut self, random: &mut Random) -> String {
        let value = random.below(1_000).to_string();
        match random.below(6) {
            0 => {
                let kind = *random
                    .choose(&["ConfigMap", "Service", "ServiceAccount", "Deployment"])
                    .unwrap();
                // Pods are what takes time.
                let deployments = self.of_kind("Deployment").len();
                let kind = if deployments >= 3 { "ConfigMap" } else { kind };
                format!("add {}", self.add(kind))
            }
            1 => self.remove(random, "remove").map_or_else(String::new, |(_, text)| text),
            2 => match self.remove(random, "rename") {
                Some((kind, text)) => format!("{text} to {}", self.add(kind)),
                None => String::new(),
            },
            3 => {
                let key = self.pick(random, None);
                let object = self.objects.get_mut(&key).unwrap();
                let label = *random.choose(&["team", "tier"]).unwrap();
                match object["metadata"]["labels"].get(label) {
                    // A label that the manifest has no longer must go.
                    Some(_) => _ = object["metadata"]["labels"].as_object_mut().unwrap().remove(label),
                    None => object["metadata"]["labels"][label] = json!(format!("x{value}")),
                }
                format!("label of {}", key.1)
            }
            4 => {
                let key = self.pick(random, Some("Deployment"));
                let environment = json!([{"name": "VALUE", "value": value}]);
                self.objects.get_mut(&key).unwrap()["spec"]["template"]["spec"]["containers"][0]["env"] = environment;
                format!("environment of {}", key.1)
            }
            _ => {
                let key = self.pick(random, Some("Deployment"));
                let replicas = random.below(3);
                self.objects.get_mut(&key).unwrap()["spec"]["replicas"] = json!(replicas);
                format!("{replicas} replicas of {}", key.1)
            }
        }
    }

    fn of_kind(&self, kind: &str) -> Vec<(&'static str, String)> {
        self.objects.keys().filter(|key| key.0 == kind).cloned().collect()
    }

    fn pick(&self, random: &mut Random, kind: Option<&str>) -> (&'static str, String) {
        let keys = kind.map_or_else(|| self.names(), |kind| self.of_kind(kind));
        random.choose(&keys).cloned().expect("there is always a Deployment")
    }

    /// Takes an object away, but for the last Deployment.
    fn remove(&mut self, random: &mut Random, verb: &str) -> Option<(&'static str, String)> {
        let key = self.pick(random, None);
        if key.0 == "Deployment" && self.of_kind("Deployment").len() == 1 {
            return None;
        }
        self.objects.remove(&key);
        Some((key.0, format!("{verb} {}", key.1)))
    }

    fn add(&mut self, kind: &'static str) -> String {
        self.made += 1;
        let name = format!("{}-{}", kind.to_ascii_lowercase(), self.made);
        let metadata = json!({"name": name, "namespace": self.namespace, "labels": {"app": name}});
        let object = match kind {
            "Deployment" => self.deployment(&name, metadata),
            "Service" => json!({"apiVersion": "v1", "kind": kind, "metadata": metadata,
                "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}),
            "ConfigMap" => json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": {"a": "b"}}),
            _ => json!({"apiVersion": "v1", "kind": kind, "metadata": metadata}),
        };
        self.objects.insert((kind, name.clone()), object);
        name
    }

    fn deployment(&self, name: &str, metadata: Value) -> Value {
        let container = json!({"name": "main", "image": self.image, "env": [{"name": "VALUE", "value": "0"}],
            "resources": {"requests": {"cpu": "1m", "memory": "4Mi"}, "limits": {"memory": "32Mi"}}});
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}},
                    "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}}})
    }
}
