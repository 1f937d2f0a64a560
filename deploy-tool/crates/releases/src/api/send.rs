//! Edge: sends one object to the server, to be applied or for a dry run.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::ByteString;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{Request, Status};
use tokio::time::Instant;

use crate::FIELD_MANAGER;
use crate::manifest::{self, Object};
use crate::password;
use crate::plan::{self, Untried};
use cluster::client::explain;
use cluster::{Cluster, path_segment};
use diagnostics::{Error, Result};

/// Time limit for things that appear by themselves: a webhook is reachable a little later than its pods are ready.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval of the attempts within that time.
const ARRIVAL_INTERVAL: Duration = Duration::from_secs(1);

/// How an object is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    dry_run: bool,
    force: bool,
    if_unchanged: bool,
}

impl Mode {
    /// The server tries it and writes nothing.
    pub const DRY_RUN: Self = Self {
        dry_run: true,
        force: false,
        if_unchanged: false,
    };

    /// With the condition that the object has not changed since it was read.
    pub fn if_unchanged(force: bool) -> Self {
        Self {
            dry_run: false,
            force,
            if_unchanged: true,
        }
    }

    /// The same, taking fields over that others have set.
    pub fn with_force(self) -> Self {
        Self { force: true, ..self }
    }
}

/// Sends an object. Repeats it while something is missing that appears by itself, if a dry run was not possible before.
///
/// # Errors
/// When there is no answer.
pub async fn send_when_possible(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    untried: Option<Untried>,
    object: &Object,
    live: Option<&DynamicObject>,
    mode: Mode,
) -> Result<Result<DynamicObject, Status>> {
    let deadline = Instant::now() + ARRIVAL_TIMEOUT;
    let passes = |status: &Status| untried.is_some_and(|untried| plan::passes_by_itself(untried, status));
    loop {
        match send(cluster, api, object, live, mode).await? {
            Err(status) if passes(&status) && Instant::now() < deadline => {
                tokio::time::sleep(ARRIVAL_INTERVAL).await;
            }
            answer => return Ok(answer),
        }
    }
}

/// Sends an object. The server's own refusal is kept.
///
/// # Errors
/// When there is no answer.
pub async fn send(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    object: &Object,
    live: Option<&DynamicObject>,
    mode: Mode,
) -> Result<Result<DynamicObject, Status>> {
    let message = format!("cannot apply {} from {}", object.title(), object.source_location());
    let mut complete = fill_generated(object, live)?.value;
    if let (true, Some(live)) = (mode.if_unchanged, live) {
        complete.metadata.uid.clone_from(&live.metadata.uid);
        complete
            .metadata
            .resource_version
            .clone_from(&live.metadata.resource_version);
    }
    let mut parameters = PatchParams::apply(FIELD_MANAGER).validation_strict();
    parameters.dry_run = mode.dry_run;
    parameters.force = mode.force;
    let request = Request::new(api.resource_url())
        .patch(&path_segment(object.name()), &parameters, &Patch::Apply(&complete))
        .map_err(|error| Error::cluster(&message).cause(error))?
        .map(escape_unprintable);
    match cluster.answer(&message, cluster.client.request(request)).await? {
        Ok(stored) => Ok(Ok(stored)),
        Err(kube::Error::Api(status)) => Ok(Err(*status)),
        Err(error) => Err(Error::cluster(message).cause(explain(&error))),
    }
}

/// Escapes characters in JSON that are invalid or line breaks in YAML: the server parses the body of an apply as YAML. <https://yaml.org/spec/1.2.2/#51-character-set>
fn escape_unprintable(json: Vec<u8>) -> Vec<u8> {
    const UNPRINTABLE: [char; 5] = ['\u{2028}', '\u{2029}', '\u{feff}', '\u{fffe}', '\u{ffff}'];
    let is_unprintable = |letter: char| ('\u{7f}'..='\u{9f}').contains(&letter) || UNPRINTABLE.contains(&letter);
    let text = String::from_utf8_lossy(&json);
    if !text.contains(is_unprintable) {
        return json;
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unprintable(letter) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(letter)))
        } else {
            escaped.push(letter)
        }
    }
    escaped.into_bytes()
}

/// The object with the values that are made on its first deployment.
fn fill_generated(object: &Object, before: Option<&DynamicObject>) -> Result<Object> {
    if manifest::generated_keys(object).is_empty() {
        return Ok(object.clone());
    }
    let data = before
        .and_then(|before| before.data.get("data"))
        .cloned()
        .unwrap_or_default();
    let existing: BTreeMap<String, ByteString> = serde_json::from_value(data).unwrap_or_default();
    let mut passwords = (0..manifest::generated_keys(object).len())
        .map(|_| password::new())
        .collect::<Result<Vec<_>>>()?;
    Ok(manifest::with_generated(object, &existing, || {
        passwords.pop().unwrap_or_default()
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::escape_unprintable;

    #[test]
    fn text_is_read_back_as_it_is() {
        let text = json!({"a": "x\u{7f}\u{85} \u{9b}\u{2028} \u{feff}\u{fffe} ä 二 😀 \\u0085 \n"});
        let json = escape_unprintable(serde_json::to_vec(&text).unwrap());
        let letters = String::from_utf8(json).unwrap();
        assert!(
            letters.contains("x\\u007f\\u0085 \\u009b\\u2028 \\ufeff\\ufffe ä 二 😀"),
            "{letters}"
        );
        assert_eq!(serde_json::from_str::<Value>(&letters).unwrap(), text);
        assert_eq!(escape_unprintable(b"{}".to_vec()), b"{}");
    }
}
