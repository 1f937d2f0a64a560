//! Names as they are in the path of a request.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a segment of a path may have as it is. <https://www.rfc-editor.org/rfc/rfc3986#section-3.3>
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// A name, encoded as kube puts it into a path without doing so: those of roles may have spaces, `#` and `?`.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names>
pub fn path_segment(name: &str) -> Cow<'_, str> {
    utf8_percent_encode(name, RESERVED).into()
}

#[cfg(test)]
mod tests {
    use super::path_segment;

    #[test]
    fn names_are_one_segment() {
        for (name, expected) in [
            ("app-1.v2", "app-1.v2"),
            ("system:controller:job", "system:controller:job"),
            ("Team A", "Team%20A"),
            ("x#y", "x%23y"),
            ("view?z", "view%3Fz"),
            ("größe", "gr%C3%B6%C3%9Fe"),
        ] {
            assert_eq!(path_segment(name), expected);
        }
    }
}
