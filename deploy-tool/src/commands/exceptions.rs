//! Pure: images that need no signature.

use oci_artifacts::registry::Reference;

/// Names of images, and beginnings of names with a `*` behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions(Vec<String>);

impl Exceptions {
    /// As the command line has them.
    pub fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// Whether an image is one of them, as it is written or with what its name leaves out: `mariadb:11.8` is
    /// `docker.io/library/mariadb:11.8`.
    pub fn cover(&self, image: &str) -> bool {
        let whole = Reference::parse(image).map(|reference| reference.to_string());
        self.0.iter().any(|pattern| {
            let fits = |name: &str| match pattern.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == pattern,
            };
            fits(image) || whole.as_deref().is_ok_and(fits)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_written_and_as_meant() {
        let exceptions = Exceptions::new(&["docker.io/library/*".to_owned(), "x.io/a:1".to_owned()]);
        for image in ["mariadb:11.8", "library/mariadb:11.8", "x.io/a:1"] {
            assert!(exceptions.cover(image), "{image}");
        }
        for image in [
            "you/orders:1",
            "x.io/a:11",
            "x.io/docker.io/library/a:1",
            "localhost/orders:1",
        ] {
            assert!(!exceptions.cover(image), "{image}");
        }
        assert!(Exceptions::new(&["localhost/*".to_owned()]).cover("localhost/orders:1"));
    }
}
