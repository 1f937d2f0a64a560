//! Pure: image placeholders become exact references.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::DynamicObject;

use super::images::{Image, PLACEHOLDER};
use super::object::Object;
use diagnostics::code;
use diagnostics::{Error, Result};

/// The names behind the placeholders of some objects.
pub fn placeholders(objects: &[Object]) -> BTreeSet<String> {
    objects
        .iter()
        .flat_map(Object::images)
        .filter_map(|image| image.reference.strip_prefix(PLACEHOLDER))
        .map(str::to_owned)
        .collect()
}

/// The images of some objects that are no placeholders.
pub fn images(objects: &[Object]) -> BTreeSet<String> {
    objects
        .iter()
        .flat_map(Object::images)
        .filter(|image| !image.reference.starts_with(PLACEHOLDER))
        .map(|image| image.reference.to_owned())
        .collect()
}

/// Refuses images that mean another one tomorrow: `latest`, and no tag at all.
///
/// # Errors
/// When an image is neither exact nor a placeholder.
pub fn refuse_inexact(objects: &[Object]) -> Result<()> {
    let inexact = objects.iter().flat_map(|object| {
        let images = object.images().into_iter();
        let images = images.filter(|image| !image.reference.starts_with(PLACEHOLDER) && !is_exact(image.reference));
        images.map(move |image| (object, image))
    });
    let inexact: Vec<_> = inexact.collect();
    let Some((object, image)) = inexact.first() else {
        return Ok(());
    };
    let failure = Error::input(format!(
        "{} in {} cannot be deployed",
        object.title(),
        object.source_location()
    ))
    .code(&code::input::INEXACT_IMAGE)
    .cause(format!(
        "the image `{}` has no exact tag: {}",
        image.reference, image.field
    ));
    let others = inexact.iter().skip(1).map(|(object, image)| {
        format!(
            "{} in {}: `{}`: {}",
            object.title(),
            object.source_location(),
            image.reference,
            image.field
        )
    });
    let others: Vec<String> = others.collect();
    let failure = if others.is_empty() {
        failure
    } else {
        failure.detail(others.join("\n"))
    };
    Err(failure.hint("name a version or a digest"))
}

/// The error for a placeholder without an image, with the objects that use it.
pub fn unknown_image(objects: &[Object], name: &str) -> Error {
    let placeholder = format!("{PLACEHOLDER}{name}");
    let users = objects.iter().flat_map(|object| {
        let images = object
            .images()
            .into_iter()
            .filter(|image| image.reference == placeholder);
        images.map(move |image| format!("{} in {}: {}", object.title(), object.source_location(), image.field))
    });
    let users: Vec<String> = users.collect();
    Error::input(format!("the image {placeholder} is not known"))
        .code(&code::input::UNKNOWN_IMAGE)
        .detail(users.join("\n"))
}

/// Replaces the placeholders of an object by the exact references of their names.
pub fn resolve(object: &mut Object, references: &BTreeMap<String, String>) {
    object.replace_images(|image| references.get(image.strip_prefix(PLACEHOLDER)?).cloned());
}

/// Replaces images of an object by the exact references that they stand for.
pub fn pin(object: &mut Object, exact: &BTreeMap<String, String>) {
    object.replace_images(|image| exact.get(image).cloned());
}

/// The references that stand in another state of an object where this one has placeholders: in the container of the same
/// name.
pub fn running_references(object: &Object, state: &DynamicObject) -> BTreeMap<String, String> {
    let running = Object {
        value: state.clone(),
        ..object.clone()
    };
    let references = running.images();
    let reference = |image: Image<'_>| {
        let name = image.reference.strip_prefix(PLACEHOLDER)?;
        let found = references.iter().find(|found| found.field == image.field)?;
        Some((name.to_owned(), found.reference.to_owned()))
    };
    object.images().into_iter().filter_map(reference).collect()
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
        let mut renamed = live.clone();
        renamed.data["spec"]["template"]["spec"]["containers"][0]["name"] = "other".into();
        assert!(running_references(&object, &renamed).is_empty());
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
