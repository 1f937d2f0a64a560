//! Edge: the pods whose logs are read, and their logs.

use std::pin::Pin;

use futures::io::{AsyncBufRead, AsyncBufReadExt};
#[cfg(test)]
use futures::stream::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt};

use crate::logs::{Change, JOB_LABEL, Selection, Source, sources};
use crate::workload::list as workloads;
use crate::workload::{Kind, Reference, choose};
use cluster::client::explain;
use cluster::{Cluster, list};
use diagnostics::{Error, Result};
use releases::release;

/// The kinds whose pods can be meant by a name alone.
const KINDS: [Kind; 5] = [
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
];

/// A longer line is cut, in bytes: a container may write one that never ends.
const LONGEST_LINE: usize = 1 << 20;

/// What the arguments mean: a workload's pods, a pod, or everything of the release or namespace.
///
/// # Errors
/// When one of them means nothing.
pub async fn select(
    cluster: &Cluster,
    namespace: &str,
    names: &[Reference],
    release: Option<&release::Name>,
    location: &str,
) -> Result<Vec<Selection>> {
    if names.is_empty() && release.is_none() {
        return Ok(vec![Selection::default()]);
    }
    let pods_alone = !names.is_empty() && names.iter().all(|name| name.kind == Some(Kind::Pod));
    let all = if pods_alone {
        Vec::new()
    } else {
        workloads::visible(cluster, namespace, &kinds(names)).await?
    };
    let (mut selections, mut others) = (Vec::new(), Vec::new());
    for name in names {
        let known = all.iter().any(|info| name.matches(&info.workload));
        if !known && name.kind.is_none_or(|kind| kind == Kind::Pod) {
            let message = format!("cannot look up pod `{}`", name.name);
            let api = workloads::api(cluster, namespace, Kind::Pod);
            if cluster.call(&message, api.get_opt(&name.name)).await?.is_some() {
                selections.push(Selection::by_name(&name.name));
                continue;
            }
        }
        others.push(name.clone());
    }
    if !others.is_empty() || names.is_empty() {
        let chosen = choose(&others, &all, release, location)?;
        for info in chosen {
            let labels = match info.workload.kind {
                Kind::CronJob => jobs_of(cluster, namespace, &info.workload.name).await?,
                _ => info.selector.clone(),
            };
            selections.extend(labels.map(Selection::by_labels));
        }
    }
    Ok(selections)
}

/// Which kinds the names can mean: those that run pods, and those that are named.
fn kinds(names: &[Reference]) -> Vec<Kind> {
    let mut kinds = KINDS.to_vec();
    let named = names.iter().filter_map(|name| name.kind);
    kinds.extend(named.filter(|kind| *kind == Kind::Service));
    kinds.dedup();
    kinds
}

/// The pods of the Jobs that a CronJob has made and that are still there.
async fn jobs_of(cluster: &Cluster, namespace: &str, cron_job: &str) -> Result<Option<String>> {
    let api: Api<Job> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot list the jobs of namespace `{namespace}`");
    let name = |job: Job| {
        let mut owners = job.owner_references().iter();
        owners
            .any(|owner| owner.kind == "CronJob" && owner.name == cron_job)
            .then(|| job.name_any())
    };
    let jobs = list::extract(cluster, &api, &ListParams::default(), &message, name).await?;
    if jobs.is_empty() {
        return Err(
            Error::input(format!("CronJob `{cron_job}` has no Jobs whose logs could be read"))
                .cause("it has not run yet, or its history limits keep none")
                .hint("when it runs: `deploy-tool status`"),
        );
    }
    Ok(Some(format!("{JOB_LABEL} in ({})", jobs.join(","))))
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
) -> Result<Vec<Source>> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot list the pods of namespace `{namespace}`");
    let mut found = Vec::new();
    for selection in selections {
        let mut parameters = ListParams::default();
        parameters.label_selector.clone_from(&selection.labels);
        parameters.field_selector.clone_from(&selection.fields);
        let of_pod = |pod: Pod| Some(sources(&pod, container));
        found.extend(
            list::extract(cluster, &api, &parameters, &message, of_pod)
                .await?
                .concat(),
        );
    }
    found.sort_by(|left, right| (&left.pod, &left.container).cmp(&(&right.pod, &right.container)));
    found.dedup_by(|left, right| (&left.pod, &left.container) == (&right.pod, &right.container));
    Ok(found)
}

/// The changes of the selected pods, of each selection by its number. It never ends, and starts over when it is too old.
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
        Ok(Event::Apply(pod) | Event::InitApply(pod)) => Change::Applied(sources(&pod, container)),
        Ok(Event::Delete(pod)) => Change::Deleted(pod.name_any()),
        Ok(Event::Init) => Change::ListStarted,
        Ok(Event::InitDone) => Change::Listed,
        Err(
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error),
        ) => Change::WatchFailed(explain(&error)),
        Err(error) => Change::WatchFailed(error.to_string()),
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
        // A broken connection is an end of the stream: the follower opens it again.
        let line = next_line(&mut reader).await.ok()??;
        Some((line, reader))
    })
    .boxed())
}

/// The next line, with the end of one that has no end left out. Nothing at the end of the stream.
async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut left_out = 0;
    loop {
        let buffer = reader.fill_buf().await?;
        if buffer.is_empty() {
            break;
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        let kept = length.min(LONGEST_LINE.saturating_sub(line.len()));
        line.extend_from_slice(&buffer[..kept]);
        left_out += length - kept;
        reader.consume_unpin(length);
        if end.is_some() {
            break;
        }
    }
    if line.is_empty() {
        return Ok(None);
    }
    let mut line = String::from_utf8_lossy(&line).into_owned();
    if left_out > 0 {
        line.push_str(&format!("… ({left_out} more bytes)\n"));
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes piece by piece, as a connection does.
    async fn read(pieces: &[&[u8]]) -> Vec<String> {
        let pieces: Vec<std::io::Result<Vec<u8>>> = pieces.iter().map(|piece| Ok(piece.to_vec())).collect();
        let mut reader = stream::iter(pieces).into_async_read();
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut reader).await.unwrap() {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_read_whole_but_for_one_without_an_end() {
        assert_eq!(read(&[b"a\nb", b"c\n", b"\nlast"]).await, ["a\n", "bc\n", "\n", "last"]);
        assert_eq!(read(&[b"\xff\n"]).await, ["\u{fffd}\n"]);
        let endless = [b'x'; 4096];
        let mut pieces = vec![&endless[..]; LONGEST_LINE / 4096 + 3];
        pieces.push(b"\nnext\n");
        let lines = read(&pieces).await;
        assert!(lines[0].ends_with("x… (12289 more bytes)\n"), "{}", lines[0].len());
        assert!(lines[0].len() < LONGEST_LINE + 50);
        assert_eq!(lines[1], "next\n");
    }
}
