//! `deploy-tool logs [NAME…]`: what containers write, of one pod or of all of them, once or on and on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, BoxStream, SelectAll, StreamExt};
use jiff::SignedDuration;
use kube::api::LogParams;

use crate::cli::{ClusterArguments, LogsArguments};
use crate::logs::stream as logs;
use crate::logs::{Follow, Key, Line, Opening, Selection, State, WatchedPods, print, split};
use cluster::Cluster;
use diagnostics::code;
use diagnostics::{Error, Result};
use terminal::Printer;

/// How many logs are followed at once: each is a connection to the API server and from there to a node.
const MOST_AT_ONCE: usize = 50;
/// How many logs are opened ahead of the one that is being printed.
const OPENED_AHEAD: usize = 8;
/// How many last lines of each container are shown when there are several.
const TAIL_OF_SEVERAL: i64 = 10;
/// How soon a log is opened again whose connection has broken.
const REOPEN_INTERVAL: Duration = Duration::from_secs(1);

/// Runs the command.
///
/// # Errors
/// When there are no such pods or containers, or the cluster does not answer.
pub async fn run(printer: &Printer, arguments: LogsArguments) -> Result<()> {
    let release = arguments.cluster_arguments.release()?;
    let cluster = Cluster::connect(&arguments.cluster_arguments.context).await?;
    let namespace = release.namespace.clone();
    let cluster_arguments = format!("namespace `{namespace}` of context `{}`", cluster.context);
    let release = arguments.cluster_arguments.release.as_ref().map(|_| &release);
    let selections = logs::select(&cluster, &namespace, &arguments.names, release, &cluster_arguments).await?;
    let reading = Reading {
        printer,
        cluster,
        namespace,
        selections,
        arguments,
    };
    if reading.arguments.follow {
        reading.follow().await
    } else {
        reading.print_once().await
    }
}

/// Follows what some pods of a namespace write from now on. The namespace and the pods may come later.
///
/// # Errors
/// When the cluster does not answer.
pub async fn follow_new(
    printer: &Printer,
    cluster: &Cluster,
    cluster_arguments: ClusterArguments,
    namespace: &str,
    selections: Vec<Selection>,
) -> Result<()> {
    let arguments = LogsArguments {
        names: Vec::new(),
        follow: true,
        since: Some(REOPEN_INTERVAL),
        tail: None,
        previous: false,
        container: None,
        cluster_arguments,
    };
    let reading = Reading {
        printer,
        cluster: cluster.clone(),
        namespace: namespace.to_owned(),
        selections,
        arguments,
    };
    reading.follow().await
}

/// What all parts need.
struct Reading<'a> {
    printer: &'a Printer,
    cluster: Cluster,
    namespace: String,
    selections: Vec<Selection>,
    arguments: LogsArguments,
}

/// An item of a followed log.
enum LogEvent {
    Line(Key, String),
    End(Key, String),
    Refused(Key, String, String),
}

impl Reading<'_> {
    async fn print_once(&self) -> Result<()> {
        let container = self.arguments.container.as_deref();
        let found = logs::containers(&self.cluster, &self.namespace, &self.selections, container).await?;
        if found.is_empty() {
            return self.explain_empty().await;
        }
        let several = found.len() > 1;
        for source in &found {
            if let State::Silent(reason) = &source.state {
                let (container, pod) = (&source.container, &source.pod);
                self.printer.warning(&format!(
                    "container `{container}` of pod `{pod}` has not started: {reason}"
                ));
            }
        }
        let written = found
            .iter()
            .filter(|source| matches!(source.state, State::Written { .. }));
        let parameters = LogParams {
            previous: self.arguments.previous,
            ..self.parameters(several)
        };
        let opened = stream::iter(written).map(async |source| {
            let key = (source.pod.as_str(), source.container.as_str());
            (
                key,
                logs::lines(&self.cluster, &self.namespace, key, parameters.clone()).await,
            )
        });
        let mut opened = opened.buffered(OPENED_AHEAD).boxed_local();
        while let Some(((pod, container), lines)) = opened.next().await {
            match lines {
                Err(reason) => self
                    .printer
                    .warning(&format!("container `{container}` of pod `{pod}`: {reason}")),
                Ok(mut lines) => {
                    while let Some(raw) = lines.next().await {
                        let (time, line) = split(&raw);
                        if !print(
                            self.printer,
                            &Line {
                                pod,
                                container,
                                time,
                                line,
                            },
                            several,
                        ) {
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// No container is selected: because there is no pod, or none has a container of that name.
    async fn explain_empty(&self) -> Result<()> {
        let all = logs::containers(&self.cluster, &self.namespace, &self.selections, None).await?;
        let Some(name) = self.arguments.container.as_ref().filter(|_| !all.is_empty()) else {
            self.printer
                .warning(&format!("no matching pods in namespace `{}`", self.namespace));
            return Ok(());
        };
        let names: BTreeSet<&str> = all.iter().map(|source| source.container.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        Err(Error::input(format!("none of these pods has a container `{name}`"))
            .code(&code::scale::NO_SUCH_CONTAINER)
            .cause(format!("they have: {}", names.join(", "))))
    }

    async fn follow(&self) -> Result<()> {
        let container = self.arguments.container.as_deref();
        let mut changes = logs::watch(&self.cluster, &self.namespace, &self.selections, container);
        let mut watched = WatchedPods::new(self.selections.len());
        let mut follow = Follow::new(MOST_AT_ONCE);
        let mut open: SelectAll<BoxStream<'static, LogEvent>> = SelectAll::new();
        let mut ticks = tokio::time::interval(REOPEN_INTERVAL);
        let (mut several, mut beginning) = (false, true);
        let mut refused = BTreeMap::<Key, String>::new();
        loop {
            tokio::select! {
                Some((selection, change)) = changes.next() => {
                    let sentences = watched.update(selection, change, &mut follow);
                    sentences.iter().for_each(|sentence| self.printer.warning(sentence));
                }
                Some(read) = open.next() => match read {
                    LogEvent::Line(key, raw) => {
                        let (time, line) = split(&raw);
                        refused.remove(&key);
                        let (pod, container) = (key.0.as_str(), key.1.as_str());
                        let new = follow.read(&key, time);
                        if new && !print(self.printer, &Line { pod, container, time, line }, several) {
                            return Ok(());
                        }
                    }
                    LogEvent::End(key, run) => follow.close_log(&key, &run),
                    LogEvent::Refused(key, run, reason) => {
                        // It is retried each second, and an unreachable server affects all pods: each reason is printed once.
                        if !refused.values().any(|known| *known == reason) {
                            self.printer.warning(&format!("container `{}` of pod `{}`: {reason}", key.1, key.0));
                        }
                        refused.insert(key.clone(), reason);
                        follow.close_log(&key, &run);
                    }
                },
                _ = ticks.tick() => follow.tick(),
            }
            // Waits for the first lists of all kinds: otherwise the first pod would be taken for the only one.
            if watched.are_listed() {
                several |= follow.len() > 1;
                for opening in follow.take_openings() {
                    open.push(self.open_log(opening, beginning, several));
                }
                beginning = false;
                if let Some(sentence) = follow.left_out() {
                    self.printer.warning(&sentence);
                }
            }
        }
    }

    /// A log that is followed, from its opening to its end. What joins later is read from its start.
    fn open_log(&self, opening: Opening, beginning: bool, several: bool) -> BoxStream<'static, LogEvent> {
        let Opening { key, run, first, after } = opening;
        let parameters = if first && beginning {
            self.parameters(several)
        } else {
            LogParams {
                since_time: after,
                ..LogParams::default()
            }
        };
        let parameters = LogParams {
            follow: true,
            ..parameters
        };
        let (cluster, namespace, end) = (self.cluster.clone(), self.namespace.clone(), key.clone());
        let lines = async move {
            match logs::lines(&cluster, &namespace, (&key.0, &key.1), parameters).await {
                Ok(lines) => lines
                    .map(move |line| LogEvent::Line(key.clone(), line))
                    .chain(stream::iter([LogEvent::End(end, run)]))
                    .boxed(),
                Err(reason) => stream::iter([LogEvent::Refused(end, run, reason)]).boxed(),
            }
        };
        stream::once(lines).flatten().boxed()
    }

    /// How much of what has been written already is shown.
    fn parameters(&self, several: bool) -> LogParams {
        let all = !several || self.arguments.since.is_some();
        let since = self
            .arguments
            .since
            .and_then(|since| SignedDuration::try_from(since).ok());
        LogParams {
            tail_lines: self.arguments.tail.map(i64::from).or((!all).then_some(TAIL_OF_SEVERAL)),
            since_seconds: since.map(|since| since.as_secs()),
            ..LogParams::default()
        }
    }
}
