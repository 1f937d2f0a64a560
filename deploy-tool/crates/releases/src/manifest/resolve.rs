//! Pure: image placeholders become exact references.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::DynamicObject;
use serde_json::Value;

use super::object::Object;
use diagnostics::{Failure, Outcome};

/// What stands in front of a definition's name in place of an image.
pub const PLACEHOLDER: &str = "deploy-tool://";

/// The names behind the placeholders of some objects.
pub fn placeholders(objects: &[Object]) -> BTreeSet<String> {
    objects
        .iter()
        .flat_map(Object::images)
        .filter_map(|image| image.strip_prefix(PLACEHOLDER))
        .map(str::to_owned)
        .collect()
}

/// The images of some objects that are no placeholders.
pub fn images(objects: &[Object]) -> BTreeSet<String> {
    objects
        .iter()
        .flat_map(Object::images)
        .filter(|image| !image.starts_with(PLACEHOLDER))
        .map(str::to_owned)
        .collect()
}

/// Refuses images that mean another one tomorrow: `latest`, and no tag at all.
///
/// # Errors
/// When an image is neither exact nor a placeholder.
pub fn refuse_inexact(objects: &[Object]) -> Outcome<()> {
    let images = objects
        .iter()
        .flat_map(|object| object.images().map(move |image| (object, image)));
    let mut inexact = images.filter(|(_, image)| !image.starts_with(PLACEHOLDER) && !is_exact(image));
    inexact.next().map_or(Ok(()), |(object, image)| {
        Err(
            Failure::input(format!("{} in {} cannot be deployed", object.title(), object.place()))
                .because(format!("the image `{image}` has no exact tag"))
                .next("name a version or a digest"),
        )
    })
}

/// Replaces the placeholders of an object by the exact references of their names.
pub fn resolve(object: &mut Object, references: &BTreeMap<String, String>) {
    for container in object.containers_mut() {
        let Some(image) = container.get_mut("image") else {
            continue;
        };
        let name = image.as_str().and_then(|image| image.strip_prefix(PLACEHOLDER));
        if let Some(reference) = name.and_then(|name| references.get(name)) {
            *image = Value::String(reference.clone());
        }
    }
}

/// Replaces images of an object by the exact references that they stand for.
pub fn pin(object: &mut Object, exact: &BTreeMap<String, String>) {
    let images = object.containers_mut().into_iter();
    for image in images.filter_map(|container| container.get_mut("image")) {
        if let Some(reference) = image.as_str().and_then(|image| exact.get(image)) {
            *image = Value::String(reference.clone());
        }
    }
}

/// The references that stand in a live object where the manifest has placeholders: that of the container of the same name.
pub fn running_references(object: &Object, live: &DynamicObject) -> BTreeMap<String, String> {
    let live = Object {
        value: live.clone(),
        ..object.clone()
    };
    let reference = |container: &Value| {
        let name = container.get("image")?.as_str()?.strip_prefix(PLACEHOLDER)?;
        let running = live
            .containers()
            .find(|running| running.get("name") == container.get("name"))?;
        Some((name.to_owned(), running.get("image")?.as_str()?.to_owned()))
    };
    object.containers().filter_map(reference).collect()
}

/// <https://kubernetes.io/docs/concepts/containers/images/#image-names>
fn is_exact(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.contains('@')
        || last
            .split_once(':')
            .is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn deployment(image: &str) -> Vec<Object> {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec:\n  template:\n    spec:\n      initContainers: [{{name: i, image: 'x:1'}}]\n      containers: [{{name: c, image: '{image}'}}]\n"
        );
        parse("m/app.yaml", &text).unwrap()
    }

    #[test]
    fn a_placeholder_becomes_the_exact_reference() {
        let mut objects = deployment("deploy-tool://app");
        assert_eq!(placeholders(&objects), ["app".to_owned()].into());
        assert_eq!(images(&objects), ["x:1".to_owned()].into());
        let references = [("app".to_owned(), "localhost/orders:sha256-1".to_owned())].into();
        resolve(&mut objects[0], &references);
        assert_eq!(
            images(&objects),
            ["localhost/orders:sha256-1".to_owned(), "x:1".to_owned()].into()
        );
    }

    #[test]
    fn images_are_pinned_where_their_digest_is_known() {
        let mut object = deployment("y:2").remove(0);
        pin(&mut object, &[("y:2".to_owned(), "y:2@sha256:00".to_owned())].into());
        assert_eq!(images(&[object]), ["x:1".to_owned(), "y:2@sha256:00".to_owned()].into());
    }

    #[test]
    fn what_runs_now_can_stand_in_for_a_placeholder() {
        let object = deployment("deploy-tool://app").remove(0);
        let live = deployment("localhost/orders:sha256-7").remove(0).value;
        let expected = [("app".to_owned(), "localhost/orders:sha256-7".to_owned())].into();
        assert_eq!(running_references(&object, &live), expected);
        let mut other = live.clone();
        other.data["spec"]["template"]["spec"]["containers"][0]["name"] = "other".into();
        assert!(running_references(&object, &other).is_empty());
    }

    #[test]
    fn inexact_images_are_refused_with_their_place() {
        for image in ["nginx", "nginx:latest", "localhost:5000/nginx", "nginx:"] {
            let failure = refuse_inexact(&deployment(image)).unwrap_err().to_string();
            assert!(failure.contains("m/app.yaml:1") && failure.contains(image), "{failure}");
        }
        for image in [
            "nginx:1.29",
            "localhost:5000/nginx:1",
            "nginx@sha256:00",
            "deploy-tool://app",
        ] {
            refuse_inexact(&deployment(image)).unwrap();
        }
    }
}
