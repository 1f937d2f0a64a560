//! Pure: patterns of names and addresses.

/// Whether a whole text is as a pattern says, in which `*` stands for any text and nothing else stands for anything.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (inner, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let between = text.strip_prefix(start).and_then(|text| text.strip_suffix(end));
    let found = inner.split('*').try_fold(between.unwrap_or_default(), |left, part| {
        left.split_once(part).map(|(_, left)| left)
    });
    between.is_some() && found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_the_whole_name() {
        for (pattern, text, expected) in [
            ("https://ci.x.io/1", "https://ci.x.io/1", true),
            ("https://ci.x.io/1", "https://ci.x.io/12", false),
            ("https://ci.x.io/*", "https://ci.x.io/12", true),
            ("https://ci.x.io/*", "https://evil.io/https://ci.x.io/12", false),
            (
                "https://*/release.yml@refs/tags/v*",
                "https://a/b/release.yml@refs/tags/v1",
                true,
            ),
            (
                "https://*/release.yml@refs/tags/v*",
                "https://a/b/release.yml@refs/heads/x",
                false,
            ),
            ("*a*b*c*", "xaxbxc", true),
            ("*a*b*c*", "xaxcxb", false),
            ("ab*ba", "aba", false),
            ("a*b", "ab", true),
            ("a**b", "ab", true),
            ("*", "", true),
            ("", "x", false),
            ("x?y", "x?y", true),
            ("x?y", "xzy", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
