//! Pure: what a manifest is that is no image. Registries keep more than images, all in the same form.

use super::specification::{CONFIGURATION, Manifest};

/// What Docker writes in the place of [`CONFIGURATION`].
const DOCKER_CONFIGURATION: &str = "application/vnd.docker.container.image.v1+json";

/// Prefixes of artifact types, with descriptions.
const KNOWN: &[(&str, &str)] = &[
    ("application/vnd.cncf.helm.", "a Helm chart"),
    ("application/vnd.cncf.flux.", "manifests for Flux"),
    ("application/vnd.docker.plugin.", "a plugin of Docker"),
    // https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
    (
        "application/vnd.wasm.config.",
        "a Wasm artifact, for engines that need no container",
    ),
    ("application/vnd.fermyon.spin.", "a Spin application"),
    ("application/vnd.cyclonedx", "a bill of materials"),
    ("application/spdx", "a bill of materials"),
    ("application/vnd.in-toto", "a statement about an image"),
    ("application/vnd.dsse", "a signed statement about an image"),
    (
        "application/vnd.dev.cosign.simplesigning.",
        "the signatures of an image",
    ),
    ("application/vnd.dev.sigstore.bundle", "a signature of an image"),
    ("application/vnd.cncf.notary.signature", "a signature of an image"),
];

/// What a manifest is, if it is no image that a container could be made of.
pub fn artifact(manifest: &Manifest) -> Option<String> {
    let kind = kind(manifest)?;
    let known = KNOWN.iter().find(|(start, _)| kind.starts_with(start));
    Some(match known {
        Some((_, what)) => (*what).to_owned(),
        None => format!("an artifact of the type `{kind}`"),
    })
}

/// The type of an artifact: `artifactType`, or the media type of the configuration, as before OCI 1.1. Attachments of cosign
/// look like images, and have it as the media type of their layers.
pub fn kind(manifest: &Manifest) -> Option<&str> {
    let configuration = manifest.config.media_type.as_str();
    let is_image = [CONFIGURATION, DOCKER_CONFIGURATION].contains(&configuration);
    let layer = manifest.layers.first().map(|layer| layer.media_type.as_str());
    let by_layer = layer.filter(|kind| is_image && (kind.contains("cosign") || kind.contains("dsse")));
    let by_configuration = (!is_image).then_some(configuration);
    manifest.artifact_type.as_deref().or(by_layer).or(by_configuration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::specification::{Descriptor, EMPTY};

    #[test]
    fn what_is_no_image_is_named() {
        let of = |media_type: &str| Descriptor {
            media_type: media_type.into(),
            ..Descriptor::default()
        };
        let artifact_of = |artifact_type: Option<&str>, configuration: &str, layer: &str| {
            artifact(&Manifest {
                artifact_type: artifact_type.map(Into::into),
                config: of(configuration),
                layers: vec![of(layer)],
                ..Manifest::default()
            })
        };
        let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
        for image in [CONFIGURATION, DOCKER_CONFIGURATION] {
            assert_eq!(artifact_of(None, image, tar), None);
        }
        let simple = "application/vnd.dev.cosign.simplesigning.v1+json";
        for (artifact_type, configuration, layer, expected) in [
            (
                None,
                "application/vnd.cncf.helm.config.v1+json",
                "chart",
                "a Helm chart",
            ),
            (
                None,
                "application/vnd.wasm.config.v0+json",
                "application/wasm",
                "a Wasm artifact, for engines that need no container",
            ),
            (None, CONFIGURATION, simple, "the signatures of an image"),
            (
                Some("application/vnd.cyclonedx+json"),
                EMPTY,
                "x",
                "a bill of materials",
            ),
            (Some("text/plain"), EMPTY, "x", "an artifact of the type `text/plain`"),
            (None, "text/plain", "x", "an artifact of the type `text/plain`"),
        ] {
            assert_eq!(
                artifact_of(artifact_type, configuration, layer).as_deref(),
                Some(expected)
            );
        }
    }
}
