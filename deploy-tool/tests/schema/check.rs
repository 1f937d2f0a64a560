//! Pure: holds a document against a JSON Schema, and more strictly than the standard: a field that the schema does not
//! describe is a fault, because it is printed and documented nowhere. Of the standard it knows what docs/schema uses; any
//! other keyword is a fault as well. <https://json-schema.org/draft/2020-12/json-schema-validation>

use std::collections::BTreeSet;

use serde_json::Value;

/// What a document has that its schema does not say, a sentence each.
pub fn faults(schema: &Value, document: &Value) -> Vec<String> {
    let mut check = Check {
        definitions: &schema["$defs"],
        faults: Vec::new(),
    };
    check.value(schema, document, "");
    check.faults
}

struct Check<'a> {
    definitions: &'a Value,
    faults: Vec<String>,
}

impl<'a> Check<'a> {
    fn value(&mut self, schema: &'a Value, value: &Value, path: &str) {
        let described = self.keywords(schema, value, path);
        // Where a schema says nothing of fields, there may be any.
        let (Some(fields), Some(described)) = (value.as_object(), described) else {
            return;
        };
        for name in fields.keys().filter(|name| !described.contains(name.as_str())) {
            self.faults.push(format!("{path}/{name} is not described"));
        }
    }

    /// Checks all keywords. Gives back which fields they describe.
    fn keywords(&mut self, schema: &'a Value, value: &Value, path: &str) -> Option<BTreeSet<&'a str>> {
        let mut described: Option<BTreeSet<&str>> = None;
        let mut fault = |is_right: bool, what: &str| {
            if !is_right {
                self.faults.push(format!("{path}: {value} is not {what}"));
            }
        };
        for (keyword, rule) in schema.as_object().into_iter().flatten() {
            match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" => {}
                "const" => fault(value == rule, &rule.to_string()),
                "enum" => fault(list(rule).contains(value), &format!("one of {rule}")),
                "type" => {
                    let is_right = match rule {
                        Value::String(name) => is(name, value),
                        several => list(several)
                            .iter()
                            .any(|name| is(name.as_str().unwrap_or_default(), value)),
                    };
                    fault(is_right, &rule.to_string());
                }
                "required" => {
                    for name in list(rule).iter().filter_map(Value::as_str) {
                        fault(value.get(name).is_some(), &format!("complete: no {name}"));
                    }
                }
                "properties" | "items" | "additionalProperties" | "$ref" | "oneOf" => {}
                unknown => fault(false, &format!("checked: keyword {unknown}")),
            }
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            described.get_or_insert_default().insert(name);
            if let Some(value) = value.get(name) {
                self.value(inner, value, &format!("{path}/{name}"));
            }
        }
        if let (Some(inner), Some(items)) = (schema.get("items"), value.as_array()) {
            for (index, item) in items.iter().enumerate() {
                self.value(inner, item, &format!("{path}/{index}"));
            }
        }
        if let (Some(inner), Some(fields)) = (schema.get("additionalProperties"), value.as_object()) {
            for (name, value) in fields {
                self.value(inner, value, &format!("{path}/{name}"));
            }
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|text| text.strip_prefix("#/$defs/")) {
            let definition = &self.definitions[name];
            extend(&mut described, self.keywords(definition, value, path));
        }
        if let Some(branches) = schema.get("oneOf") {
            extend(&mut described, self.one_of(list(branches), value, path));
        }
        described
    }

    fn one_of(&mut self, branches: &'a [Value], value: &Value, path: &str) -> Option<BTreeSet<&'a str>> {
        let mut right = Vec::new();
        let mut wrong = Vec::new();
        for branch in branches {
            let mut check = Check {
                definitions: self.definitions,
                faults: Vec::new(),
            };
            let described = check.keywords(branch, value, path);
            if check.faults.is_empty() {
                right.push(described)
            } else {
                wrong.extend(check.faults)
            }
        }
        if right.len() != 1 {
            self.faults.push(format!(
                "{path}: {} of {} forms fit: {wrong:?}",
                right.len(),
                branches.len()
            ));
        }
        right.pop().flatten()
    }
}

fn extend<'a>(described: &mut Option<BTreeSet<&'a str>>, more: Option<BTreeSet<&'a str>>) {
    if let Some(more) = more {
        described.get_or_insert_default().extend(more);
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
