//! Edge: the pods whose logs are read, and their logs.

use std::pin::Pin;

use futures::io::{AsyncBufRead, AsyncBufReadExt};
use futures::stream::{self, BoxStream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt};

use crate::logs::{Source, sources};
use crate::workload::list as workloads;
use crate::workload::{Kind, Reference, choose};
use cluster::client::explain;
use cluster::{Cluster, list};
use diagnostics::Outcome;
use releases::release;

/// The kinds whose pods can be meant by a name.
const KINDS: [Kind; 4] = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job];

/// Some pods of a namespace: by labels, by name, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    labels: Option<String>,
    fields: Option<String>,
}

/// What has become of the selected pods.
pub enum Change {
    /// A pod's containers.
    Seen(Vec<Source>),
    /// A pod is no more.
    Gone(String),
    /// A list begins, of everything that is selected.
    Begins,
    /// The list is complete.
    Listed,
    /// The watch is broken, and tries again.
    Trouble(String),
}

/// What the arguments mean: a workload's pods, a pod, or everything of the release or namespace.
///
/// # Errors
/// When one of them means nothing.
pub async fn select(
    cluster: &Cluster,
    namespace: &str,
    names: &[Reference],
    release: Option<&release::Name>,
    place: &str,
) -> Outcome<Vec<Selection>> {
    if names.is_empty() && release.is_none() {
        return Ok(vec![Selection::default()]);
    }
    let all = workloads::all(cluster, namespace, &KINDS).await?;
    let (mut selections, mut others) = (Vec::new(), Vec::new());
    for name in names {
        let known = all.iter().any(|one| name.means(&one.workload));
        if !known && name.kind.is_none_or(|kind| kind == Kind::Pod) {
            let what = format!("cannot look up pod `{}`", name.name);
            let api = workloads::api(cluster, namespace, Kind::Pod);
            if cluster.call(&what, api.get_opt(&name.name)).await?.is_some() {
                selections.push(Selection {
                    fields: Some(format!("metadata.name={}", name.name)),
                    ..Selection::default()
                });
                continue;
            }
        }
        others.push(name.clone());
    }
    if !others.is_empty() || names.is_empty() {
        let chosen = choose(&others, &all, release, place)?;
        let labels = chosen.into_iter().filter_map(|one| one.selector.clone());
        selections.extend(labels.map(|labels| Selection {
            labels: Some(labels),
            ..Selection::default()
        }));
    }
    Ok(selections)
}

/// The containers of the selected pods, by pod and container.
///
/// # Errors
/// When the server does not answer.
pub async fn containers(
    cluster: &Cluster,
    namespace: &str,
    selections: &[Selection],
    container: Option<&str>,
) -> Outcome<Vec<Source>> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let what = format!("cannot list the pods of namespace `{namespace}`");
    let mut found = Vec::new();
    for selection in selections {
        let mut parameters = ListParams::default();
        parameters.label_selector.clone_from(&selection.labels);
        parameters.field_selector.clone_from(&selection.fields);
        let of_pod = |pod: Pod| Some(sources(&pod, container));
        found.extend(list::reduced(cluster, &api, &parameters, &what, of_pod).await?.concat());
    }
    found.sort_by(|one, other| (&one.pod, &one.container).cmp(&(&other.pod, &other.container)));
    found.dedup_by(|one, other| (&one.pod, &one.container) == (&other.pod, &other.container));
    Ok(found)
}

/// The changes of the selected pods, of each selection by its number. It never ends, and begins anew when it is too old.
pub fn watch(
    cluster: &Cluster,
    namespace: &str,
    selections: &[Selection],
    container: Option<&str>,
) -> BoxStream<'static, (usize, Change)> {
    let streams = selections.iter().enumerate().map(|(number, selection)| {
        let mut config = watcher::Config::default();
        config.label_selector.clone_from(&selection.labels);
        config.field_selector.clone_from(&selection.fields);
        let container = container.map(str::to_owned);
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
        let changes = watcher(api, config).default_backoff();
        changes
            .map(move |change| (number, of_event(change, container.as_deref())))
            .boxed()
    });
    stream::select_all(streams).boxed()
}

fn of_event(event: watcher::Result<Event<Pod>>, container: Option<&str>) -> Change {
    match event {
        Ok(Event::Apply(pod) | Event::InitApply(pod)) => Change::Seen(sources(&pod, container)),
        Ok(Event::Delete(pod)) => Change::Gone(pod.name_any()),
        Ok(Event::Init) => Change::Begins,
        Ok(Event::InitDone) => Change::Listed,
        Err(
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error),
        ) => Change::Trouble(explain(&error)),
        Err(other) => Change::Trouble(other.to_string()),
    }
}

/// The lines of one log, each with its time in front. An error is its last line.
///
/// # Errors
/// When it cannot be opened: the server's own words.
pub async fn lines(
    cluster: &Cluster,
    namespace: &str,
    source: (&str, &str),
    parameters: LogParams,
) -> Result<BoxStream<'static, String>, String> {
    let (pod, container) = source;
    let parameters = LogParams {
        container: Some(container.to_owned()),
        timestamps: true,
        ..parameters
    };
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let opened = tokio::time::timeout(cluster::REQUEST_TIMEOUT, api.log_stream(pod, &parameters)).await;
    let reader: Pin<Box<dyn AsyncBufRead + Send>> = match opened {
        Ok(Ok(reader)) => Box::pin(reader),
        Ok(Err(error)) => return Err(explain(&error)),
        Err(_) => return Err("the API server has not answered in time".to_owned()),
    };
    Ok(stream::unfold(reader, async |mut reader| {
        let mut line = Vec::new();
        // A connection that breaks is an end like any other: whoever follows opens it again.
        let length = reader.read_until(b'\n', &mut line).await.unwrap_or(0);
        (length > 0 || !line.is_empty()).then(|| (String::from_utf8_lossy(&line).into_owned(), reader))
    })
    .boxed())
}
