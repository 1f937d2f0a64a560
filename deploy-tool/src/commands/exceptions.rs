//! Pure: exceptions from `--require-signature`: images without a signature, and kinds whose images are not visible.

use oci_artifacts::pattern::matches;
use oci_artifacts::registry::Reference;

/// Names of images and of kinds, in which `*` stands for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions(Vec<String>);

impl Exceptions {
    /// Parses the patterns of the command line.
    pub fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// Whether an image matches, as it is written or with its full name: `mariadb:11.8` is `docker.io/library/mariadb:11.8`.
    pub fn matches_image(&self, image: &str) -> bool {
        let whole = Reference::parse(image).map(|reference| reference.to_string());
        let covers =
            |pattern: &String| matches(pattern, image) || whole.as_deref().is_ok_and(|whole| matches(pattern, whole));
        self.0.iter().any(covers)
    }

    /// Whether a kind is one of them, as `Gateway.gateway.networking.k8s.io`.
    pub fn matches_kind(&self, kind: &str) -> bool {
        self.0
            .iter()
            .any(|pattern| matches(&pattern.to_ascii_lowercase(), &kind.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_written_and_as_meant() {
        let exceptions = Exceptions::new(&["docker.io/library/*".to_owned(), "x.io/a:1".to_owned()]);
        for image in ["mariadb:11.8", "library/mariadb:11.8", "x.io/a:1"] {
            assert!(exceptions.matches_image(image), "{image}");
        }
        for image in [
            "you/orders:1",
            "x.io/a:11",
            "x.io/docker.io/library/a:1",
            "localhost/orders:1",
        ] {
            assert!(!exceptions.matches_image(image), "{image}");
        }
        assert!(Exceptions::new(&["localhost/*".to_owned()]).matches_image("localhost/orders:1"));
        let inside = Exceptions::new(&["x.io/*/sidecar:1".to_owned()]);
        assert!(inside.matches_image("x.io/team/sidecar:1") && !inside.matches_image("x.io/team/sidecar:12"));
    }

    #[test]
    fn kinds_are_not_taken_for_images() {
        let exceptions = Exceptions::new(&[
            "docker.io/library/*".to_owned(),
            "gateway.gateway.networking.k8s.io".to_owned(),
        ]);
        assert!(exceptions.matches_kind("Gateway.gateway.networking.k8s.io"));
        assert!(!exceptions.matches_kind("HTTPRoute.gateway.networking.k8s.io"));
        assert!(!exceptions.matches_kind("Widget.example.com"));
        assert!(Exceptions::new(&["Widget.*".to_owned()]).matches_kind("Widget.example.com"));
    }
}
