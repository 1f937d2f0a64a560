use serde_json::json;

use super::*;

fn only(text: &str) -> Value {
    let mut found = manifest(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(found.len(), 1, "{text:?}");
    found.remove(0).value
}

#[test]
fn values_are_what_kubectl_makes_of_them() {
    let cases = [
        ("a: 1.0", json!({"a": 1})),
        ("a: 1e3", json!({"a": 1000})),
        ("a: 1.5e+3", json!({"a": 1500})),
        ("a: -0.0", json!({"a": 0})),
        ("a: 08", json!({"a": 8})),
        ("a: !!float 1", json!({"a": 1})),
        ("a: 1.5", json!({"a": 1.5})),
        ("a: 0755", json!({"a": 493})),
        ("a: 9223372036854775807", json!({"a": 9_223_372_036_854_775_807_i64})),
        ("a: 9223372036854775808", json!({"a": 9_223_372_036_854_775_808.0})),
        ("a: '1.0'", json!({"a": "1.0"})),
        ("a: yes", json!({"a": true})),
        ("a: ~", json!({"a": null})),
        ("8080: a", json!({"8080": "a"})),
        ("true: a\nnull: b", json!({"true": "a", "null": "b"})),
        ("'on': a\n\"1.10\": b", json!({"on": "a", "1.10": "b"})),
    ];
    for (text, expected) in cases {
        assert_eq!(only(text), expected, "{text}");
    }
    assert!(only("a: 1e3")["a"].is_i64());
}

#[test]
fn json_objects_follow_each_other() {
    let found = manifest("{\"a\": 1}{\"b\":\n\t2}\n{\"c\": \"\\ud83d\\ude00\"}\n").unwrap();
    let documents: Vec<_> = found.iter().map(|document| (document.line, &document.value)).collect();
    assert_eq!(
        documents,
        [
            (1, &json!({"a": 1})),
            (1, &json!({"b": 2})),
            (3, &json!({"c": "\u{1F600}"}))
        ]
    );
    let lines: Vec<u64> = line_indexes("{\"a\": 1}\n{\"b\":\n\t2}\n")
        .iter()
        .map(|index| index.line_of("/b"))
        .collect();
    assert_eq!(lines, [1, 2]);
    let error = manifest("{\"a\": 1}\n{\"a\": 1,\n\"a\": 2}\n").unwrap_err();
    assert_eq!((error.line, error.message.as_str()), (3, "the key `a` is there twice"));
    // A map in braces is no JSON, and what follows it needs its line.
    assert_eq!(manifest("{a: 1}\n---\n{b: 2}\n").unwrap().len(), 2);
    assert!(manifest("{a: 1}\n{b: 2}\n").is_err());
}

#[test]
fn merges_are_taken_where_they_stand() {
    let base = "one: &one {a: 1, b: 1}\ntwo: &two {a: 2, c: 2}\n";
    let cases = [
        ("x: {<<: *one, b: 2}", json!({"a": 1, "b": 2})),
        ("x: {a: 1, <<: *one}", json!({"a": 1, "b": 1})),
        ("x: {<<: [*one, *two]}", json!({"a": 1, "b": 1, "c": 2})),
        ("x: {\"<<\": *one}", json!({"<<": {"a": 1, "b": 1}})),
    ];
    for (text, expected) in cases {
        assert_eq!(only(&format!("{base}{text}\n"))["x"], expected, "{text}");
    }
    let refused = [
        ("x:\n  a: 3\n  <<: *one", 5, "`<<` sets `a`"),
        ("x:\n  <<: 1", 4, "no map"),
        ("x:\n  <<: null", 4, "no map"),
        ("x:\n  <<: *one\n  <<: *two", 5, "`<<` is there twice"),
        ("x:\n  <<: *one\n  d: 1\n  d: 2", 6, "`d` is there twice"),
    ];
    for (text, line, message) in refused {
        let error = manifest(&format!("{base}{text}\n")).unwrap_err();
        assert!(error.line == line && error.message.contains(message), "{text}: {error}");
    }
}

#[test]
fn a_name_that_is_no_text_is_refused() {
    let cases = [
        ("a:\n  on: 1\n", 2, "`on` is the value true"),
        ("a:\n- {y: 1}\n", 2, "`y` is the value true"),
        ("No: 1\n", 1, "`No` is the value false"),
        ("1.10: 1\n", 1, "`1.10` is the value 1.1"),
        ("0644: 1\n", 1, "`0644` is the value 420"),
        ("é: 1\n~: 1\n", 2, "`~` is the value null"),
        ("# ü\r\nyes: 1\r\n", 2, "`yes` is the value true"),
        ("'true': 1\ntrue: 2\n", 2, "`true` is there twice"),
        ("? [a]\n: 1\n", 1, "has to be text"),
    ];
    for (text, line, message) in cases {
        let error = manifest(text).unwrap_err();
        assert!(error.line == line && error.message.contains(message), "{text}: {error}");
    }
}
