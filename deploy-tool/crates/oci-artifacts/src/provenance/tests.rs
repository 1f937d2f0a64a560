use super::*;
use crate::image::Blob;

#[test]
fn a_statement_names_the_image_and_what_it_was_built_from() {
    let definition = Definition::parse("app", "package: app\nprofile: guest\nname: localhost/orders\nmodule: /app.wasm\nuser: \"65532\"\nstopSignal: SIGKILL\n").unwrap();
    let layout = Layout {
        name: None,
        root: Blob::from_bytes("index", br#"{"schemaVersion":2,"manifests":[]}"#.to_vec()),
        manifests: Vec::new(),
        absent: Vec::new(),
        blobs: Vec::new(),
        referrers: Vec::new(),
    };
    let origin = Origin {
        profile: "guest",
        sources: "12",
        lock: "34",
        builder_image: "localhost/wasm-builder:trixie",
        builder: "56",
        engine: Some("0.14.1"),
        commit: Some("78"),
    };
    let statement: Value = serde_json::from_slice(&document(&layout, &definition, &origin).unwrap()).unwrap();
    assert_eq!(
        statement["subject"],
        json!([{
            "name": "localhost/orders",
            "digest": {"sha256": layout.digest().hex()},
        }])
    );
    let built = &statement["predicate"]["buildDefinition"];
    assert_eq!(
        built["externalParameters"],
        json!({"package": "app", "profile": "guest", "wasmedge": "0.14.1"})
    );
    assert_eq!(
        built["resolvedDependencies"][0],
        json!({"name": "checkout", "digest": {"gitCommit": "78"}})
    );
    let without = Origin { commit: None, ..origin };
    let with_features = Definition {
        features: vec!["tls".to_owned()],
        ..definition
    };
    let statement: Value = serde_json::from_slice(&document(&layout, &with_features, &without).unwrap()).unwrap();
    let built = &statement["predicate"]["buildDefinition"];
    assert_eq!(built["externalParameters"]["features"], json!(["tls"]));
    assert_eq!(
        built["resolvedDependencies"],
        json!([
            {"name": "sources", "digest": {"sha256": "12"}},
            {"name": "Cargo.lock", "digest": {"sha256": "34"}},
            {"name": "builder", "uri": "localhost/wasm-builder:trixie", "annotations": {"recipe": "56"}},
        ])
    );
}

#[test]
fn what_a_statement_says_is_read_back() {
    let statement = |builder: &str| {
        json!({
            "subject": [{"name": "x", "digest": {"sha256": "12"}}],
            "predicateType": PREDICATE,
            "predicate": {
                "buildDefinition": {"resolvedDependencies": [
                    {"uri": "pkg:x"},
                    {"uri": "git+https://x.io/shop", "digest": {"gitCommit": "78"}},
                ]},
                "runDetails": {"builder": {"id": builder}},
            },
        })
    };
    let read = |statement: &Value| Provenance::read(statement.to_string().as_bytes());
    let found = read(&statement("https://ci.x.io/1")).unwrap();
    assert_eq!(found.subjects, ["sha256:12"]);
    assert_eq!(found.source.as_deref(), Some("git+https://x.io/shop"));
    assert_eq!(found.revision.as_deref(), Some("78"));
    for (pattern, expected) in [
        ("https://x.io/shop", true),
        ("git+https://x.io/*", true),
        ("https://x.io/other", false),
        ("x.io/shop", false),
    ] {
        assert_eq!(found.is_from(pattern), expected, "{pattern}");
    }
    assert!(!Provenance { source: None, ..found }.is_from("*"));
    let mut spdx = statement("x");
    spdx["predicateType"] = json!("https://spdx.dev/Document");
    assert_eq!(read(&spdx), None);
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"predicateType":"https://slsa.dev/provenance/v1"}"#,
    ] {
        assert_eq!(Provenance::read(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn of_many_statements_the_right_one_counts_and_else_the_closest() {
    let of = |digest: &str| {
        let statement = json!({"subject": [{"digest": {"sha256": digest}}], "predicateType": PREDICATE,
            "predicate": {"runDetails": {"builder": {"id": "x"}}}});
        Ok(statement.to_string().into_bytes())
    };
    let (form, others, changed) = (
        Err(EnvelopeError::Form),
        Err(EnvelopeError::Others),
        Err(EnvelopeError::Changed),
    );
    let (ours, theirs) = (Digest::of(b"ours"), Digest::of(b"theirs"));
    let judged = |statements: &[Result<Vec<u8>, EnvelopeError>]| super::find(&ours, statements.iter().cloned());
    assert!(judged(&[others.clone(), of(theirs.hex()), of(ours.hex()), changed.clone()]).is_ok());
    let other_image = ProvenanceError::Other(theirs.to_string());
    for (statements, expected) in [
        (vec![], ProvenanceError::Missing),
        (vec![Ok(b"{}".to_vec())], ProvenanceError::Missing),
        (
            vec![others.clone(), form.clone()],
            ProvenanceError::Envelope(EnvelopeError::Others),
        ),
        (
            vec![changed.clone(), others, form],
            ProvenanceError::Envelope(EnvelopeError::Changed),
        ),
        (vec![of(theirs.hex()), changed], other_image),
    ] {
        assert_eq!(judged(&statements), Err(expected));
    }
}
