//! Pure: edits the engine's configuration, daemon.json; other keys are not changed.
//!
//! <https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Runtimes by their names, and the program of each.
pub type Runtimes = BTreeMap<String, String>;

const KEY: &str = "runtimes";
const DEFAULT: &str = "default-runtime";

/// Parses a configuration; an empty file is an empty object.
///
/// # Errors
/// When it is no JSON object, or `runtimes` is none.
pub fn parse(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text).map_err(|error| error.to_string())? {
        Value::Object(document) => match document.get(KEY) {
            None | Some(Value::Object(_)) => Ok(document),
            Some(_) => Err(format!("`{KEY}` is not an object")),
        },
        _ => Err("it is not an object".to_owned()),
    }
}

/// Adds these runtimes.
///
/// # Errors
/// When there is another runtime of the same name: a sentence about it.
pub fn add_runtimes(mut document: Map<String, Value>, runtimes: &Runtimes) -> Result<Map<String, Value>, String> {
    let entry = document.entry(KEY).or_insert_with(|| json!({}));
    for (name, path) in runtimes {
        if let Some(registered) = entry.get(name).filter(|registered| registered["path"] != json!(path)) {
            return Err(format!("it has another runtime `{name}`: {registered}"));
        }
        if entry.get(name).is_none() {
            entry[name] = json!({"path": path});
        }
    }
    Ok(document)
}

/// The same without these runtimes.
///
/// # Errors
/// A sentence on why one of them has to stay.
pub fn remove_runtimes(mut document: Map<String, Value>, runtimes: &Runtimes) -> Result<Map<String, Value>, String> {
    if let Some(name) = document
        .get(DEFAULT)
        .and_then(Value::as_str)
        .filter(|name| runtimes.contains_key(*name))
    {
        return Err(format!("`{name}` is its `{DEFAULT}`"));
    }
    if let Some(Value::Object(all)) = document.get_mut(KEY) {
        all.retain(|name, entry| runtimes.get(name).is_none_or(|path| entry["path"] != json!(path)));
        if all.is_empty() {
            document.remove(KEY);
        }
    }
    Ok(document)
}

/// Adds an empty `runtimes` where that key is missing: on a reload without it, the engine keeps the loaded runtimes.
pub fn with_empty_runtimes(mut document: Map<String, Value>) -> Option<Map<String, Value>> {
    if document.contains_key(KEY) {
        None
    } else {
        document.insert(KEY.to_owned(), json!({}));
        Some(document)
    }
}

/// Whether it has these runtimes.
pub fn has_runtimes(document: &Map<String, Value>, runtimes: &Runtimes) -> bool {
    let path = |name: &String| document.get(KEY)?.get(name)?.get("path")?.as_str();
    runtimes.iter().all(|(name, wanted)| path(name) == Some(wanted))
}

/// Its text.
pub fn text(document: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(document.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_runtimes() -> Runtimes {
        [("crun".to_owned(), "/opt/crun".to_owned())].into()
    }

    #[test]
    fn the_rest_stays_and_removing_undoes_adding() {
        for text in [
            "",
            " \n",
            "{}",
            r#"{"debug": true}"#,
            r#"{"runtimes": {"kata": {"path": "/kata", "runtimeArgs": ["-x"]}}, "mtu": 1400}"#,
        ] {
            let before = parse(text).unwrap();
            let after = add_runtimes(before.clone(), &own_runtimes()).unwrap();
            assert!(
                has_runtimes(&after, &own_runtimes()) && !has_runtimes(&before, &own_runtimes()),
                "{text}"
            );
            assert_eq!(add_runtimes(after.clone(), &own_runtimes()).unwrap(), after, "{text}");
            assert_eq!(parse(&super::text(&after)).unwrap(), after);
            assert_eq!(remove_runtimes(after, &own_runtimes()).unwrap(), before, "{text}");
        }
    }

    #[test]
    fn an_engine_is_told_that_there_are_none() {
        let emptied =
            |text: &str| with_empty_runtimes(parse(text).unwrap()).map(|document| Value::Object(document).to_string());
        assert_eq!(emptied("").unwrap(), r#"{"runtimes":{}}"#);
        assert_eq!(
            emptied(r#"{"debug": true}"#).unwrap(),
            r#"{"debug":true,"runtimes":{}}"#
        );
        assert_eq!(emptied(r#"{"runtimes": {}}"#), None);
    }

    #[test]
    fn what_is_somebody_elses_is_told() {
        for (text, why) in [
            ("[]", "is not an object"),
            ("{", "EOF"),
            (r#"{"runtimes": []}"#, "`runtimes` is not an object"),
        ] {
            assert!(parse(text).unwrap_err().contains(why), "{text}");
        }
        let foreign = parse(r#"{"runtimes": {"crun": {"path": "/usr/bin/crun"}}}"#).unwrap();
        assert!(
            add_runtimes(foreign.clone(), &own_runtimes())
                .unwrap_err()
                .contains("/usr/bin/crun")
        );
        assert_eq!(remove_runtimes(foreign.clone(), &own_runtimes()).unwrap(), foreign);
        let default = parse(r#"{"default-runtime": "crun", "runtimes": {"crun": {"path": "/opt/crun"}}}"#).unwrap();
        assert!(
            remove_runtimes(default, &own_runtimes())
                .unwrap_err()
                .contains("`default-runtime`")
        );
    }
}
