//! 0304 to 0306: images that cannot be had, without a registry.

use serde_json::{Value, json};

use super::{Provocation, deployment, fail_early};

fn image(name: &'static str, image: &str, more: Value) -> Vec<Value> {
    let mut container = json!({"image": image});
    super::merge(&mut container, more);
    vec![deployment(name, container, json!({}))]
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn images_that_cannot_be_had() {
    let provocations = vec![
        Provocation {
            name: "unreachable",
            code: "DT0304",
            // Port 9 of the node itself (discard): refused at once, and nothing leaves the machine.
            sentences: &["`127.0.0.1:9/nobody/has-this:1`", "let the nodes reach it"],
            objects: image("unreachable", "127.0.0.1:9/nobody/has-this:1", json!({})),
            event: None,
        },
        Provocation {
            name: "misspelt",
            code: "DT0305",
            sentences: &["UPPER/Case:1", "correct `image`"],
            objects: image("misspelt", "UPPER/Case:1", json!({})),
            event: Some("InspectFailed"),
        },
        Provocation {
            name: "never",
            code: "DT0306",
            sentences: &[
                "`example.org/never:1`",
                "pull policy of Never",
                "kind load docker-image",
            ],
            objects: image("never", "example.org/never:1", json!({"imagePullPolicy": "Never"})),
            event: Some("ErrImageNeverPull"),
        },
    ];
    fail_early("failures-images", &[], provocations);
}
