use super::*;

fn policy(also: &[&str], builder: Option<&str>, source: Option<&str>) -> Policy {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    // A key that has signed nothing.
    let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzVea06Kuuv8/3emt+/WN2yYDwj3X3k24/A1ZwRZGSlfqMbTwAGIPVUdD1Y1wkB0EVLnkUH5W69FOE4OrpPJeEA==\n-----END PUBLIC KEY-----\n";
    std::fs::write(&path, pem).unwrap();
    let also: Vec<String> = also.iter().map(|name| (*name).to_owned()).collect();
    Policy::new(&path, &also, builder, source).unwrap()
}

#[test]
fn a_signature_names_the_repository_of_the_image_or_one_that_is_allowed() {
    let takes = |also: &[&str], named: &str, repository: &str| {
        policy(also, None, None).accepts_repository(named, &Repository::parse(repository).unwrap().0)
    };
    for (also, named, repository, expected) in [
        (&[] as &[&str], "x.io/orders", "x.io/orders", true),
        // As cosign names Docker Hub.
        (&[], "index.docker.io/you/orders", "docker.io/you/orders", true),
        (&[], "index.docker.io/library/mariadb", "mariadb", true),
        (&[], "x.io/orders:1.2.3", "x.io/orders", true),
        (&[], "x.io/orders@sha256:00", "x.io/orders", true),
        (&[], "x.io/orders:1.2.3@sha256:00", "x.io/orders", true),
        (&[], "x.io/events@x.io/orders", "x.io/orders", false),
        (&[], "x.io/events", "x.io/orders", false),
        (&[], "y.io/orders", "x.io/orders", false),
        (&[], "x.io/orders/more", "x.io/orders", false),
        (&[], "?", "x.io/orders", false),
        (&["y.io/orders"], "y.io/orders", "x.io/orders", true),
        (&["y.io/orders"], "x.io/orders", "x.io/orders", true),
        (&["y.io/orders"], "y.io/events", "x.io/orders", false),
    ] {
        assert_eq!(
            takes(also, named, repository),
            expected,
            "{also:?} {named} {repository}"
        );
    }
}

#[test]
fn builder_and_sources_are_asked_for_alike() {
    let provenance = |source: Option<&str>| Provenance {
        subjects: Vec::new(),
        builder: "https://ci.x.io/1".to_owned(),
        source: source.map(str::to_owned),
        revision: None,
    };
    let here = Some("git+https://x.io/shop");
    let (other_builder, other_source) = (&code::registry::OTHER_BUILDER, &code::registry::OTHER_SOURCE);
    for (builder, pattern, source, expected) in [
        (None, None, None, None),
        (Some("https://ci.x.io/*"), Some("https://x.io/shop"), here, None),
        (
            Some("https://ci.y.io/*"),
            Some("https://x.io/shop"),
            here,
            Some(other_builder),
        ),
        (
            Some("https://ci.x.io/*"),
            Some("https://x.io/other"),
            here,
            Some(other_source),
        ),
        (None, Some("*"), None, Some(other_source)),
    ] {
        let judged = policy(&[], builder, pattern).check_provenance("x", &provenance(source));
        let number = judged.err().and_then(|failure| failure.number());
        assert_eq!(number, expected, "{builder:?} {pattern:?} {source:?}");
    }
}
