//! Pure: who reads a ConfigMap or Secret that changes only when its pods start: environment variables, and files mounted by
//! `subPath`. <https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically>

use serde_json::Value;

use super::{Action, Step};

/// The kinds whose pods are not restarted when a Secret or ConfigMap of theirs changes.
const LASTING: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// Adds a note to what changes and is read by pods that stay as they are.
pub fn note_readers(steps: &mut [Step]) {
    let notes: Vec<Option<String>> = steps.iter().map(|step| note(step, steps)).collect();
    for (step, note) in steps.iter_mut().zip(notes) {
        step.notes.extend(note);
    }
}

fn note(changed: &Step, steps: &[Step]) -> Option<String> {
    let identity = &changed.identity;
    let is_configuration = identity.group.is_empty() && matches!(identity.kind.as_str(), "ConfigMap" | "Secret");
    if !is_configuration || changed.action != Action::Change || changed.differences.is_empty() {
        return None;
    }
    let readers = steps.iter().filter(|step| {
        step.identity.namespace == identity.namespace
            && step.identity.group == "apps"
            && LASTING.contains(&step.identity.kind.as_str())
            && !gets_new_pods(step)
            && reads_at_start(step, &identity.kind, &identity.name)
    });
    let readers: Vec<&Step> = readers.collect();
    if readers.is_empty() {
        return None;
    }
    let titles: Vec<String> = readers.iter().map(|step| step.identity.title()).collect();
    let arguments = readers
        .iter()
        .map(|step| format!("{}/{}", step.identity.kind.to_lowercase(), step.identity.name));
    Some(format!(
        "{} read it only when pods start: `deploy-tool restart {}`",
        titles.join(", "),
        arguments.collect::<Vec<_>>().join(" ")
    ))
}

fn gets_new_pods(step: &Step) -> bool {
    let mut differences = step.differences.iter();
    step.action == Action::Create || differences.any(|difference| difference.path.starts_with("spec.template"))
}

fn reads_at_start(step: &Step, kind: &str, name: &str) -> bool {
    let Some(object) = &step.object else { return false };
    let Some(spec) = object.value.data.pointer("/spec/template/spec") else {
        return false;
    };
    let (reference, key, source) = match kind {
        "ConfigMap" => ("configMapRef", "configMapKeyRef", "configMap"),
        _ => ("secretRef", "secretKeyRef", "secret"),
    };
    let list = |value: &Value, field: &str| value[field].as_array().cloned().unwrap_or_default();
    let is_it = |value: &Value| value["name"] == name || value["secretName"] == name;
    let volumes: Vec<Value> = list(spec, "volumes")
        .into_iter()
        .filter(|volume| {
            let projected = list(&volume["projected"], "sources");
            is_it(&volume[source]) || projected.iter().any(|projection| is_it(&projection[source]))
        })
        .map(|volume| volume["name"].clone())
        .collect();
    let mut containers = ["containers", "initContainers"]
        .iter()
        .flat_map(|field| list(spec, field));
    containers.any(|container| {
        list(&container, "envFrom").iter().any(|entry| is_it(&entry[reference]))
            || list(&container, "env")
                .iter()
                .any(|entry| is_it(&entry["valueFrom"][key]))
            || list(&container, "volumeMounts").iter().any(|mount| {
                let by_path = mount.get("subPath").is_some() || mount.get("subPathExpr").is_some();
                by_path && volumes.contains(&mount["name"])
            })
    })
}

#[cfg(test)]
mod tests {
    use super::super::Difference;
    use super::*;
    use crate::manifest::{Databases, parse};
    use crate::plan::{Untried, untried_step};

    fn step(manifest: &str, action: Action, paths: &[&str]) -> Step {
        let object = parse("m.yaml", manifest).unwrap().remove(0);
        let wave = Databases::find(&[]).wave(&object);
        let difference = |path: &&str| Difference {
            path: (*path).to_owned(),
            before: None,
            after: None,
        };
        Step {
            action,
            notes: Vec::new(),
            differences: paths.iter().map(difference).collect(),
            ..untried_step(wave, object, None, Untried::DryRun)
        }
    }

    fn workload(kind: &str, name: &str, pod: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{template: {{spec: {pod}}}}}\n"
        )
    }

    fn notes(kind: &str, pod: &str, paths: &[&str]) -> Vec<String> {
        let changed = format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: c, namespace: shop}}\n");
        let action = if paths.is_empty() { Action::Keep } else { Action::Change };
        let mut steps = vec![
            step(&changed, Action::Change, &["data.a"]),
            step(&workload("Deployment", "app", pod), action, paths),
        ];
        note_readers(&mut steps);
        assert!(steps[1].notes.is_empty());
        steps.remove(0).notes
    }

    #[test]
    fn what_is_read_only_at_the_start_names_its_readers() {
        let read = ["Deployment `app` read it only when pods start: `deploy-tool restart deployment/app`".to_owned()];
        let none: [String; 0] = [];
        let cases = [
            (
                "ConfigMap",
                "{containers: [{name: a, envFrom: [{configMapRef: {name: c}}]}]}",
                true,
            ),
            (
                "ConfigMap",
                "{initContainers: [{name: a, envFrom: [{configMapRef: {name: c}}]}]}",
                true,
            ),
            (
                "ConfigMap",
                "{containers: [{name: a, env: [{name: X, valueFrom: {configMapKeyRef: {name: c, key: a}}}]}]}",
                true,
            ),
            (
                "ConfigMap",
                "{containers: [{name: a, volumeMounts: [{name: v, subPath: a}]}], volumes: [{name: v, configMap: {name: c}}]}",
                true,
            ),
            (
                "Secret",
                "{containers: [{name: a, volumeMounts: [{name: v, subPath: a}]}], volumes: [{name: v, secret: {secretName: c}}]}",
                true,
            ),
            (
                "Secret",
                "{containers: [{name: a, volumeMounts: [{name: v, subPath: a}]}], volumes: [{name: v, projected: {sources: [{secret: {name: c}}]}}]}",
                true,
            ),
            // Files of a whole volume follow by themselves.
            (
                "ConfigMap",
                "{containers: [{name: a, volumeMounts: [{name: v}]}], volumes: [{name: v, configMap: {name: c}}]}",
                false,
            ),
            (
                "ConfigMap",
                "{containers: [{name: a, envFrom: [{configMapRef: {name: other}}]}]}",
                false,
            ),
            (
                "ConfigMap",
                "{containers: [{name: a, envFrom: [{secretRef: {name: c}}]}]}",
                false,
            ),
        ];
        for (kind, pod, reads) in cases {
            let expected: &[String] = if reads { &read } else { &none };
            assert_eq!(notes(kind, pod, &[]), expected, "{kind} {pod}");
        }
        let pod = "{containers: [{name: a, envFrom: [{configMapRef: {name: c}}]}]}";
        assert_eq!(notes("ConfigMap", pod, &["spec.replicas"]), read);
        assert_eq!(
            notes("ConfigMap", pod, &["spec.template.spec.containers[a].image"]),
            none
        );
    }
}
