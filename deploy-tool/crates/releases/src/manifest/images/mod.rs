//! Pure: finds all references to images in an object.
//!
//! The paths of pod specs in the kinds of Kubernetes itself are known. Custom resources are searched for anything that
//! looks like a pod spec; they may run further images that are not visible in them: see [`Object::hides_images`].

use std::collections::BTreeSet;

use serde_json::Value;

use super::object::Object;

/// What stands in front of a definition's name in place of an image.
pub const PLACEHOLDER: &str = "deploy-tool://";

/// The groups of Kubernetes itself. Others in `k8s.io` are defined by CustomResourceDefinitions, as all else.
/// <https://kubernetes.io/docs/reference/kubernetes-api/>
const OWN_GROUPS: [&str; 24] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// The annotation with the image of a pod's Dapr sidecar, which is injected and in no container of the manifest.
/// <https://docs.dapr.io/reference/arguments-annotations-overview/>
const SIDECAR_IMAGE: &str = "dapr.io/sidecar-image";
/// The lists of a pod spec whose items run an image.
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// An image that an object names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image<'o> {
    /// Where, with the names of containers and volumes: `spec.template.spec.containers[app].image`.
    pub field: String,
    /// The reference as it is written.
    pub reference: &'o str,
    /// The same place as a JSON pointer.
    pointer: String,
}

impl Object {
    /// The images of its containers of all sorts, of its image volumes, and of the sidecars that its templates ask for.
    pub fn images(&self) -> Vec<Image<'_>> {
        let data = &self.value.data;
        let mut found = Vec::new();
        for pointer in self.pod_specs() {
            if let Some(spec) = data.pointer(&pointer) {
                collect_images(&pointer, spec, &mut found);
            }
            found.extend(sidecar_image(data, &pointer));
        }
        if !self.is_known() {
            placeholders("", data, &mut found);
        }
        found
    }

    /// Puts other images in place of some.
    pub fn replace_images(&mut self, replacement: impl Fn(&str) -> Option<String>) {
        let replaced: Vec<(String, String)> = self
            .images()
            .into_iter()
            .filter_map(|image| Some((image.pointer, replacement(image.reference)?)))
            .collect();
        for (pointer, reference) in replaced {
            if let Some(image) = self.value.data.pointer_mut(&pointer) {
                *image = Value::String(reference);
            }
        }
    }

    /// Its pod specs, as JSON pointers. Most objects have one or none.
    pub fn pod_specs(&self) -> Vec<String> {
        let data = &self.value.data;
        let kind = self.group_version_kind();
        let known = match (kind.group.as_str(), kind.kind.as_str()) {
            ("", "Pod") => "/spec",
            ("", "PodTemplate") => "/template/spec",
            ("batch", "CronJob") => "/spec/jobTemplate/spec/template/spec",
            // It stores the template of an earlier revision of a StatefulSet or DaemonSet.
            ("apps", "ControllerRevision") => "/data/spec/template/spec",
            _ if self.is_known() => "/spec/template/spec",
            _ => {
                let mut found = Vec::new();
                pod_specs_inside("", data, &mut found);
                return found;
            }
        };
        let is_there = data.pointer(known).is_some();
        is_there.then(|| known.to_owned()).into_iter().collect()
    }

    /// The containers of all sorts.
    pub fn containers(&self) -> Vec<&Value> {
        let specs = self.pod_specs();
        let specs = specs.iter().filter_map(|pointer| self.value.data.pointer(pointer));
        specs
            .flat_map(|spec| CONTAINERS.iter().filter_map(|list| spec.get(list)?.as_array()))
            .flatten()
            .collect()
    }

    /// The RuntimeClasses of its pods with a placeholder for an image. None for a pod without one, and where the pod of the
    /// image is unknown.
    pub fn runtime_classes_of_placeholders(&self) -> BTreeSet<Option<&str>> {
        let specs = self.pod_specs();
        let images = self.images().into_iter();
        let placeholders = images.filter(|image| image.reference.starts_with(PLACEHOLDER));
        let class_of = |image: Image<'_>| {
            let around = specs
                .iter()
                .filter(|spec| image.pointer.starts_with(&format!("{spec}/")));
            let spec = self.value.data.pointer(around.max_by_key(|spec| spec.len())?)?;
            spec.get("runtimeClassName")?.as_str()
        };
        placeholders.map(class_of).collect()
    }

    /// Whether it may run images that are not visible in it: its kind is a custom one, or it mutates pods.
    pub fn hides_images(&self) -> bool {
        !self.is_known() || self.kind() == "MutatingAdmissionPolicy"
    }

    fn is_known(&self) -> bool {
        OWN_GROUPS.contains(&self.group_version_kind().group.as_str())
    }
}

fn collect_images<'o>(pointer: &str, spec: &'o Value, found: &mut Vec<Image<'o>>) {
    let volumes = std::iter::once(("volumes", "/image/reference"));
    let lists = CONTAINERS.iter().map(|list| (*list, "/image")).chain(volumes);
    for (list, inner) in lists {
        let items = spec.get(list).and_then(Value::as_array).into_iter().flatten();
        for (index, item) in items.enumerate() {
            let Some(reference) = item.pointer(inner).and_then(Value::as_str) else {
                continue;
            };
            let name = item.get("name").and_then(Value::as_str);
            let name = name.map_or_else(|| index.to_string(), str::to_owned);
            found.push(Image {
                field: dotted_path(&format!("{pointer}/{list}[{name}]{inner}")),
                reference,
                pointer: format!("{pointer}/{list}/{index}{inner}"),
            });
        }
    }
}

/// The image of the sidecar that a template asks for, whose spec this is.
fn sidecar_image<'o>(data: &'o Value, spec: &str) -> Option<Image<'o>> {
    let (template, _) = spec.rsplit_once('/')?;
    let annotation = SIDECAR_IMAGE.replace('/', "~1");
    let pointer = format!("{template}/metadata/annotations/{annotation}");
    let reference = data.pointer(&pointer)?.as_str()?;
    Some(Image {
        field: dotted_path(&pointer),
        reference,
        pointer,
    })
}

/// What has a list of containers is taken for a pod spec.
fn pod_specs_inside(pointer: &str, value: &Value, found: &mut Vec<String>) {
    let is_pod_spec = CONTAINERS
        .iter()
        .any(|list| value.get(list).is_some_and(Value::is_array));
    if is_pod_spec {
        found.push(pointer.to_owned());
    }
    for (step, inner) in children(value) {
        pod_specs_inside(&format!("{pointer}/{step}"), inner, found);
    }
}

/// In kinds that are not known, a placeholder stands for an image wherever it is.
fn placeholders<'o>(pointer: &str, value: &'o Value, found: &mut Vec<Image<'o>>) {
    let is_new = |found: &[Image<'_>]| found.iter().all(|image| image.pointer != pointer);
    if let Some(reference) = value.as_str().filter(|text| text.starts_with(PLACEHOLDER))
        && is_new(found)
    {
        found.push(Image {
            field: dotted_path(pointer),
            reference,
            pointer: pointer.to_owned(),
        });
    }
    for (step, inner) in children(value) {
        placeholders(&format!("{pointer}/{step}"), inner, found);
    }
}

fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => (0..)
            .zip(items)
            .map(|(index, value): (usize, _)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    }
}

fn dotted_path(pointer: &str) -> String {
    pointer
        .trim_start_matches('/')
        .replace('/', ".")
        .replace("~1", "/")
        .replace("~0", "~")
}

#[cfg(test)]
mod tests;
