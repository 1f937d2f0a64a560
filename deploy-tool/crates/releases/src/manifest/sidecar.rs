//! Pure: what Dapr's sidecar and a Wasm service need of each other in one pod.

use serde_json::Value;

use super::object::Object;
use super::problem::Problem;
use diagnostics::code::input::VARIANT_BESIDE_SIDECAR;
use rollout::{SIDECAR_ANNOTATION, is_sidecar_requested};

const VARIANT: &str = "module.wasm.image/variant";
/// <https://docs.dapr.io/reference/arguments-annotations-overview/>
const BLOCK_SHUTDOWN: &str = "dapr.io/block-shutdown-duration";

/// A pod that an object makes, or is.
struct PodTemplate<'o> {
    object: &'o Object,
    /// The JSON pointer of what holds its metadata and its spec. Empty for the object itself.
    parent: String,
    spec: &'o Value,
}

impl<'o> PodTemplate<'o> {
    /// Those of an object.
    fn all_of(object: &'o Object) -> Vec<Self> {
        let specs = object.pod_specs().into_iter();
        let templates = specs.filter_map(|pointer| {
            let (parent, _) = pointer.rsplit_once('/')?;
            let spec = object.value.data.pointer(&pointer)?;
            Some(Self {
                object,
                parent: parent.to_owned(),
                spec,
            })
        });
        templates.collect()
    }

    fn annotation(&self, name: &str) -> Option<&'o str> {
        if self.parent.is_empty() {
            return self.object.annotation(name);
        }
        let template = self.object.value.data.pointer(&self.parent)?;
        template.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }

    fn is_sidecar_requested(&self) -> bool {
        self.annotation(SIDECAR_ANNOTATION).is_some_and(is_sidecar_requested)
    }

    fn count(&self, field: &str) -> usize {
        self.spec.get(field).and_then(Value::as_array).map_or(0, Vec::len)
    }
}

/// Refuses a variant that would feed a sidecar to the Wasm engine.
pub fn check(object: &Object) -> Vec<Problem> {
    let templates = PodTemplate::all_of(object).into_iter();
    let wrong = templates.filter(|pod| {
        let is_alone = pod.count("containers") + pod.count("initContainers") <= 1 && !pod.is_sidecar_requested();
        pod.annotation(VARIANT) == Some("compat") && !is_alone
    });
    wrong.map(|pod| {
        Problem::new(
            &VARIANT_BESIDE_SIDECAR,
            format!("{}/metadata/annotations", pod.parent),
            format!("`{VARIANT}: compat` gives every container of the pod to the Wasm engine, also the sidecar, which is none"),
            format!("write `{VARIANT}: compat-smart`"),
        )
    })
    .collect()
}

/// The warning about a sidecar that stops before its service does.
pub fn warning(object: &Object) -> Option<String> {
    let templates = PodTemplate::all_of(object);
    let ends_early = templates
        .iter()
        .any(|pod| pod.is_sidecar_requested() && pod.annotation(BLOCK_SHUTDOWN).is_none());
    ends_early.then(|| {
        format!(
            "the injected Dapr sidecar ends together with its service, which cannot reach anybody while it finishes its \
             requests: write `{BLOCK_SHUTDOWN}: 5s` beside `{SIDECAR_ANNOTATION}`, longer than preStop"
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    fn template(annotations: &Value, containers: usize, init: usize) -> Value {
        let some = |count| vec![json!({"name": "a"}); count];
        json!({"metadata": {"annotations": annotations},
            "spec": {"containers": some(containers), "initContainers": some(init)}})
    }

    /// Objects of every sort that make a pod of a template: kind and text.
    fn objects(template: &Value) -> Vec<(&'static str, String)> {
        let mut pod = template.clone();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        pod["metadata"]["name"] = json!("a");
        let metadata = json!({"name": "a"});
        let others = [
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}),
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata,
                "spec": {"jobTemplate": {"spec": {"template": template}}}}),
            json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template}),
            json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata,
                "spec": {"template": template}}),
            json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": metadata,
                "spec": {"replicatedJobs": [{"template": {"spec": {"template": template}}}]}}),
        ];
        let kinds = ["Deployment", "CronJob", "PodTemplate", "Service", "JobSet"];
        let others = kinds.into_iter().zip(others.iter().map(Value::to_string));
        [("Pod", pod.to_string())].into_iter().chain(others).collect()
    }

    #[test]
    fn a_sidecar_is_not_given_to_the_engine() {
        let compat = json!({"module.wasm.image/variant": "compat"});
        let injected = json!({"module.wasm.image/variant": "compat", "dapr.io/enabled": "true"});
        for (annotations, containers, init, is_refused) in [
            (compat.clone(), 1, 0, false),
            (compat.clone(), 2, 0, true),
            (compat, 1, 1, true),
            (injected, 1, 0, true),
            (
                json!({"module.wasm.image/variant": "compat-smart", "dapr.io/enabled": "true"}),
                2,
                1,
                false,
            ),
            (json!({}), 2, 0, false),
        ] {
            for (kind, text) in objects(&template(&annotations, containers, init)) {
                let failure = parse("x.json", &text).err();
                let number = failure.and_then(|failure| Some(failure.number()?.number));
                let expected = is_refused.then_some(114);
                assert_eq!(number, expected, "{kind} {annotations} {containers} {init}");
            }
        }
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {}});
        assert!(parse("x.json", &service.to_string()).is_ok());
    }

    #[test]
    fn the_line_of_the_annotation_is_told() {
        let text = "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: PodTemplate
  metadata: {name: a}
  template:
    metadata:
      labels: {a: b}
      annotations:
        module.wasm.image/variant: compat
    spec:
      containers: [{name: a}, {name: b}]
";
        let failure = parse("x.yaml", text).unwrap_err().to_string();
        assert!(
            failure.contains("line 10: `module.wasm.image/variant: compat` gives"),
            "{failure}"
        );
    }

    #[test]
    fn an_injected_sidecar_should_outlive_its_service() {
        for (annotations, is_told) in [
            (json!({"dapr.io/enabled": "true"}), true),
            (
                json!({"dapr.io/enabled": "true", "dapr.io/block-shutdown-duration": "9s"}),
                false,
            ),
            (json!({"dapr.io/enabled": "false"}), false),
            (json!({}), false),
        ] {
            for (kind, text) in objects(&template(&annotations, 1, 0)) {
                let printed = warning(&parse("x.json", &text).unwrap()[0]);
                let expected = is_told.then_some(true);
                let found = printed.map(|printed| printed.contains("`dapr.io/block-shutdown-duration: 5s`"));
                assert_eq!(found, expected, "{kind} {annotations}");
            }
        }
    }
}
