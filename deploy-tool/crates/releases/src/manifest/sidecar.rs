//! Pure: what Dapr's sidecar and a Wasm service need of each other in one pod template.

use serde_json::{Map, Value};

use super::object::Object;
use super::problem::Problem;
use diagnostics::code::input::VARIANT_BESIDE_SIDECAR;
use rollout::{SIDECAR_ANNOTATION, asks_for_sidecar};

const VARIANT: &str = "module.wasm.image/variant";
/// <https://docs.dapr.io/reference/arguments-annotations-overview/>
const BLOCK_SHUTDOWN: &str = "dapr.io/block-shutdown-duration";

/// Where the template of pods is in an object.
const TEMPLATES: [&str; 2] = ["/spec/template", "/spec/jobTemplate/spec/template"];

/// Refuses a variant that would feed a sidecar to the Wasm engine.
pub fn check(object: &Map<String, Value>) -> Option<Problem> {
    let (place, metadata, spec) = pod(object)?;
    let annotations = metadata.get("annotations")?;
    if annotations.get(VARIANT)?.as_str()? != "compat" {
        return None;
    }
    let count = |field: &str| spec.get(field).and_then(Value::as_array).map_or(0, Vec::len);
    let is_alone = count("containers") + count("initContainers") <= 1 && !is_injected(annotations);
    (!is_alone).then(|| {
        Problem::new(
            &VARIANT_BESIDE_SIDECAR,
            format!("{place}/metadata/annotations"),
            format!("`{VARIANT}: compat` gives every container of the pod to the Wasm engine, also the sidecar, which is none"),
            format!("write `{VARIANT}: compat-smart`"),
        )
    })
}

/// What to say of a sidecar that is gone before its service has ended.
pub fn warning(object: &Object) -> Option<String> {
    let templates = TEMPLATES.iter();
    let template = templates.filter_map(|place| object.value.data.pointer(place)).next()?;
    let annotations = template.get("metadata")?.get("annotations")?;
    let is_late = annotations.get(BLOCK_SHUTDOWN).is_some();
    (is_injected(annotations) && !is_late).then(|| {
        format!(
            "the injected Dapr sidecar ends together with its service, which cannot reach anybody while it finishes its \
             requests: write `{BLOCK_SHUTDOWN}: 5s` beside `{SIDECAR_ANNOTATION}`, longer than preStop"
        )
    })
}

fn is_injected(annotations: &Value) -> bool {
    let value = annotations.get(SIDECAR_ANNOTATION).and_then(Value::as_str);
    value.is_some_and(asks_for_sidecar)
}

/// The pod or its template, and where it is: what it says of itself, and what it is to be.
fn pod(object: &Map<String, Value>) -> Option<(&'static str, &Value, &Value)> {
    if object.get("kind")? == "Pod" {
        return Some(("", object.get("metadata")?, object.get("spec")?));
    }
    let spec = object.get("spec")?;
    TEMPLATES.iter().find_map(|place| {
        let template = spec.pointer(place.strip_prefix("/spec")?)?;
        Some((*place, template.get("metadata")?, template.get("spec")?))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn template(annotations: Value, containers: usize, init: usize) -> Value {
        let some = |count| vec![json!({"name": "a"}); count];
        json!({"metadata": {"annotations": annotations},
            "spec": {"containers": some(containers), "initContainers": some(init)}})
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
            let template = template(annotations.clone(), containers, init);
            for (kind, spec) in [
                ("Deployment", json!({"template": template})),
                ("CronJob", json!({"jobTemplate": {"spec": {"template": template}}})),
            ] {
                let problem = check(&object(json!({"kind": kind, "spec": spec})));
                assert_eq!(
                    problem.is_some(),
                    is_refused,
                    "{kind} {annotations} {containers} {init}"
                );
            }
            let mut pod = template.clone();
            pod["kind"] = json!("Pod");
            assert_eq!(
                check(&object(pod)).is_some(),
                is_refused,
                "{annotations} {containers} {init}"
            );
        }
        assert_eq!(check(&object(json!({"kind": "Service", "spec": {}}))), None);
    }

    #[test]
    fn an_injected_sidecar_should_outlive_its_service() {
        let said = |annotations: Value| {
            let template = template(annotations, 1, 0);
            let text = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
                "spec": {"template": template}});
            warning(&super::super::parse("x.json", &text.to_string()).unwrap()[0])
        };
        assert!(
            said(json!({"dapr.io/enabled": "true"}))
                .unwrap()
                .contains("block-shutdown-duration: 5s")
        );
        assert_eq!(
            said(json!({"dapr.io/enabled": "true", "dapr.io/block-shutdown-duration": "9s"})),
            None
        );
        assert_eq!(said(json!({"dapr.io/enabled": "false"})), None);
        assert_eq!(said(json!({})), None);
    }
}
