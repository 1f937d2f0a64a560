//! Pure: Secrets whose values are made on the first deployment and kept afterwards.

use k8s_openapi::ByteString;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::object::Object;

/// The annotation that lists the keys to be made, separated by spaces.
pub const GENERATE_ANNOTATION: &str = "deploy-tool.dev/generate";

/// The keys of a Secret that are to be made; none for other objects.
pub fn generated_keys(object: &Object) -> Vec<&str> {
    if object.kind() != "Secret" {
        return Vec::new();
    }
    object
        .annotation(GENERATE_ANNOTATION)
        .map(|keys| keys.split_whitespace().collect())
        .unwrap_or_default()
}

/// The Secret with all of its generated keys: existing ones keep their values, others get a new one.
///
/// All of them must be applied: server-side apply would remove a missing one, because this manager owns it.
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>
pub fn with_generated(
    object: &Object,
    existing: &BTreeMap<String, ByteString>,
    mut new_value: impl FnMut() -> String,
) -> Object {
    let mut complete = object.clone();
    let values: Map<String, Value> = generated_keys(object)
        .into_iter()
        .map(|key| {
            let value = existing.get(key).filter(|value| !value.0.is_empty()).cloned();
            let value = value.unwrap_or_else(|| ByteString(new_value().into_bytes()));
            (key.to_owned(), serde_json::to_value(value).unwrap_or_default())
        })
        .collect();
    if let Some(fields) = complete.value.data.as_object_mut() {
        let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
        if let Some(data) = data.as_object_mut() {
            data.extend(values);
        }
    }
    complete
}

/// The Secret with `data` in place of `stringData`.
///
/// The server copies `stringData` into `data`, but records no owner for these keys: one that was removed from the manifest
/// would stay for ever, and a change by another manager would not be a conflict.
/// <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data>
pub fn encode_string_data(object: &mut Object) {
    if object.kind() != "Secret" {
        return;
    }
    let Some(fields) = object.value.data.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if let Some(data) = data.as_object_mut() {
        data.extend(plain.into_iter().map(|(key, value)| match value {
            Value::String(text) => (key, encode_base64(text)),
            // Not a string: the server refuses it.
            value => (key, value),
        }));
    }
}

fn encode_base64(text: String) -> Value {
    serde_json::to_value(ByteString(text.into_bytes())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn secret() -> Object {
        let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations: {deploy-tool.dev/generate: \"A B\"}\ndata: {C: eA==}\n";
        parse("s.yaml", text).unwrap().remove(0)
    }

    #[test]
    fn existing_values_are_kept_and_missing_ones_made() {
        assert_eq!(generated_keys(&secret()), ["A", "B"]);
        let existing = [("A".to_owned(), ByteString(b"old".to_vec()))].into();
        let complete = with_generated(&secret(), &existing, || "new".into());
        let data = &complete.value.data["data"];
        // "old", "new" and "x" in base64
        assert_eq!(
            (&data["A"], &data["B"], &data["C"]),
            (&"b2xk".into(), &"bmV3".into(), &"eA==".into())
        );
        let first = with_generated(&secret(), &BTreeMap::new(), || "new".into());
        assert_eq!(first.value.data["data"]["A"], "bmV3");
    }

    #[test]
    fn plain_text_is_encoded_and_wins_as_in_the_server() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {A: eA==, B: eA==}\nstringData: {A: old, C: new}\n";
        let mut secret = parse("s.yaml", text).unwrap().remove(0);
        encode_string_data(&mut secret);
        let data = serde_json::json!({"data": {"A": "b2xk", "B": "eA==", "C": "bmV3"}});
        assert_eq!(secret.value.data, data);
    }

    #[test]
    fn other_objects_generate_nothing() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s, annotations: {deploy-tool.dev/generate: A}}\n";
        assert!(generated_keys(&parse("s.yaml", text).unwrap()[0]).is_empty());
    }
}
