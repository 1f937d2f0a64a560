//! Finds events of an object.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::Objects;

/// When an event happened last. Components write it into different fields.
pub fn last_time(event: &Event) -> Option<Timestamp> {
    let series = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref())
        .map(|time| time.0);
    let times = [
        series,
        event.last_timestamp.as_ref().map(|time| time.0),
        event.event_time.as_ref().map(|time| time.0),
        event.metadata.creation_timestamp.as_ref().map(|time| time.0),
    ];
    times.into_iter().flatten().max()
}

/// When an event happened for the first time.
pub fn first_time(event: &Event) -> Option<Timestamp> {
    let first = event.first_timestamp.as_ref().map(|time| time.0);
    first.or_else(|| last_time(event))
}

/// How often it happened.
pub fn count(event: &Event) -> i32 {
    let series = event.series.as_ref().and_then(|series| series.count);
    series.max(event.count).unwrap_or(1)
}

/// The newest event of a reason about an object.
pub fn newest<'a>(objects: &'a Objects, object: &ObjectMeta, reason: &str) -> Option<&'a Event> {
    list_for(objects, object)
        .filter(|event| event.reason.as_deref() == Some(reason))
        .max_by_key(|event| last_time(event))
}

/// The newest failure of one of a container's probes: `kind` is `startup`, `liveness` or `readiness`.
/// The kubelet uses one reason for all probes of a pod; only the message names the kind of the probe.
pub fn probe_failure<'a>(objects: &'a Objects, pod: &Pod, container: &str, kind: &str) -> Option<&'a Event> {
    let path = format!("{{{container}}}");
    list_for(objects, &pod.metadata)
        .filter(|event| event.reason.as_deref() == Some("Unhealthy"))
        .filter(|event| {
            let field = event.involved_object.field_path.as_deref();
            field.is_none_or(|field| field.ends_with(&path))
        })
        .filter(|event| {
            let words: Vec<&str> = message(event).splitn(3, ' ').collect();
            matches!(words[..], [of, "probe", _] if of.eq_ignore_ascii_case(kind))
        })
        .max_by_key(|event| last_time(event))
}

/// All events about an object.
pub fn list_for<'a>(objects: &'a Objects, object: &ObjectMeta) -> impl Iterator<Item = &'a Event> + use<'a> {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let (namespace, name) = (part(&object.namespace), part(&object.name));
    let uid = object.uid.clone();
    // Another object may have had the name before.
    list_by_name(objects, &namespace, &name).filter(move |event| uid.is_some() && event.involved_object.uid == uid)
}

/// All events about objects of a name.
pub fn list_by_name<'a>(
    objects: &'a Objects,
    namespace: &str,
    name: &str,
) -> impl Iterator<Item = &'a Event> + use<'a> {
    let start = format!("{namespace}/{name}/");
    objects
        .events
        .range(start.clone()..)
        .take_while(move |(key, _)| key.starts_with(&start))
        .map(|(_, event)| event)
}

/// An event's text.
pub fn message(event: &Event) -> &str {
    event.message.as_deref().unwrap_or_default().trim()
}
