use super::*;

#[test]
fn names_are_read_as_docker_reads_them() {
    let cases = [
        ("docker.io/user/orders", "docker.io", "user/orders", None),
        ("user/orders:1.2.3", "docker.io", "user/orders", Some("1.2.3")),
        ("nginx", "docker.io", "library/nginx", None),
        ("index.docker.io/a/b", "docker.io", "a/b", None),
        ("localhost/orders", "localhost", "orders", None),
        ("localhost:5000/orders:v1", "localhost:5000", "orders", Some("v1")),
        ("ghcr.io/a/b/c", "ghcr.io", "a/b/c", None),
        ("10.0.0.1:5000/a__b.c--d", "10.0.0.1:5000", "a__b.c--d", None),
        ("[::1]:5000/a", "[::1]:5000", "a", None),
        ("[::1]/a", "[::1]", "a", None),
        ("REG/a", "REG", "a", None),
    ];
    for (text, registry, path, tag) in cases {
        let (found, found_tag) = Repository::parse(text).unwrap();
        assert_eq!(
            (found.registry.as_str(), found.path.as_str(), found_tag.as_deref()),
            (registry, path, tag),
            "{text}"
        );
    }
}

#[test]
fn wrong_names_are_refused() {
    for text in [
        "",
        "https://docker.io/a/b",
        "a@sha256:00",
        "a/B",
        "Ä/b",
        "a//b",
        "/a",
        "a/",
        "a/-b",
        "a/b-",
        "a/b..c",
        "a/b___c",
        "x.io/a:b c",
        "x.io/a:",
        "x.io/a:-x",
        "a b",
        "x.io#/a",
        "x.io?/a",
        "x .io/a",
        "é.io/a",
        "-x.io/a",
        "x..io/a",
        "x.io:/a",
        "x.io:http/a",
        "x.io:99999/a",
        "[::x]:5000/a",
    ] {
        assert!(Repository::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn an_image_has_a_tag_or_a_digest() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let name = |text: String| Reference::parse(&text).map(|reference| reference.name);
    assert_eq!(name("x.io/a:1".into()), Ok("1".into()));
    assert_eq!(name(format!("x.io/a@{digest}")), Ok(digest.clone()));
    assert_eq!(name(format!("x.io/a:1@{digest}")), Ok(digest));
    for wrong in ["x.io/a", "x.io/a@sha256:00", "x.io/a@1", "x.io:5000/a", "@", ""] {
        assert!(Reference::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn only_this_machine_is_loopback() {
    for (host, expected) in [
        ("localhost", true),
        ("localhost:5000", true),
        ("127.0.0.1:5000", true),
        ("[::1]:5000", true),
        ("127.example.com", false),
        ("docker.io", false),
        ("10.0.0.1:5000", false),
    ] {
        assert_eq!(is_loopback(host), expected, "{host}");
    }
}

#[test]
fn descriptions_become_tags() {
    assert_eq!(
        tag_from_description("v1.2.0-3-gabc1234-dirty\n").as_deref(),
        Some("v1.2.0-3-gabc1234-dirty")
    );
    assert_eq!(tag_from_description("release/1+x").as_deref(), Some("release-1-x"));
    assert_eq!(tag_from_description("  "), None);
}
