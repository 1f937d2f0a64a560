//! Pure: image placeholders become exact references.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::object::Object;
use crate::failure::{Failure, Outcome};

/// What stands in front of a definition's name in place of an image.
pub const PLACEHOLDER: &str = "deploy-tool://";

/// The names behind the placeholders of some objects.
pub fn placeholders(objects: &[Object]) -> BTreeSet<String> {
    all_images(objects)
        .filter_map(|image| image.strip_prefix(PLACEHOLDER))
        .map(str::to_owned)
        .collect()
}

/// The images of some objects that are no placeholders.
pub fn images(objects: &[Object]) -> BTreeSet<String> {
    all_images(objects)
        .filter(|image| !image.starts_with(PLACEHOLDER))
        .map(str::to_owned)
        .collect()
}

/// Replaces each placeholder by the exact reference of its name.
///
/// # Errors
/// When a name has no reference, or an image is not exact: `latest` and no tag at all mean another image tomorrow.
pub fn resolve(mut objects: Vec<Object>, references: &BTreeMap<String, String>) -> Outcome<Vec<Object>> {
    for object in &mut objects {
        let (title, place) = (object.title(), object.place());
        for image in object
            .containers_mut()
            .into_iter()
            .filter_map(|container| container.get_mut("image"))
        {
            let Some(text) = image.as_str() else { continue };
            let inexact = || Failure::input(format!("{title} in {place} cannot be deployed"));
            if let Some(name) = text.strip_prefix(PLACEHOLDER) {
                let reference = references
                    .get(name)
                    .ok_or_else(|| inexact().because(format!("nothing is known of `{text}`")))?;
                *image = Value::String(reference.clone());
            } else if !is_exact(text) {
                return Err(inexact()
                    .because(format!("the image `{text}` has no exact tag"))
                    .next("name a version or a digest"));
            }
        }
    }
    Ok(objects)
}

fn all_images(objects: &[Object]) -> impl Iterator<Item = &str> {
    objects
        .iter()
        .flat_map(Object::containers)
        .filter_map(|container| container.get("image")?.as_str())
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

    fn references() -> BTreeMap<String, String> {
        [("app".to_owned(), "localhost/orders:sha256-1".to_owned())].into()
    }

    #[test]
    fn a_placeholder_becomes_the_exact_reference() {
        let objects = deployment("deploy-tool://app");
        assert_eq!(placeholders(&objects), ["app".to_owned()].into());
        assert_eq!(images(&objects), ["x:1".to_owned()].into());
        let resolved = resolve(objects, &references()).unwrap();
        assert_eq!(
            images(&resolved),
            ["localhost/orders:sha256-1".to_owned(), "x:1".to_owned()].into()
        );
    }

    #[test]
    fn inexact_and_unknown_images_are_refused_with_their_place() {
        for image in [
            "deploy-tool://other",
            "nginx",
            "nginx:latest",
            "localhost:5000/nginx",
            "nginx:",
        ] {
            let failure = resolve(deployment(image), &references()).unwrap_err().to_string();
            assert!(failure.contains("m/app.yaml:1") && failure.contains(image), "{failure}");
        }
        for image in ["nginx:1.29", "localhost:5000/nginx:1", "nginx@sha256:00"] {
            resolve(deployment(image), &references()).unwrap();
        }
    }
}
