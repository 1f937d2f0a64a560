//! Pure: the status for people: a row a pod; where there are many pods, a row a workload, and the pods that are not ready.

use jiff::Timestamp;
use terminal::aligned;

use super::object::{age, short_image};
use super::{ObjectStatus, PodStatus, Status, WorkloadStatus};

/// More pods than fit on a screen are counted.
const MOST_PODS: usize = 40;
/// Limit of the pods that are not ready in the table.
const MOST_NOT_READY: usize = 10;

/// The table for people, at a time.
pub fn table(status: &Status, now: Timestamp) -> String {
    let mut text = match status.pods.len() {
        0 if !status.namespace_exists => {
            format!("context `{}` has no namespace `{}`\n", status.context, status.namespace)
        }
        0 => format!("no pods in namespace `{}`\n", status.namespace),
        1..=MOST_PODS => pods(status.pods.iter(), now),
        _ => workload_summary(status, now),
    };
    if !status.objects.is_empty() {
        text.push_str(&format!("\n{}", objects(&status.objects, now)));
    }
    if let Some(release) = &status.release {
        text.push_str(&format!("\n{}", release.sentence()));
    }
    if let Some(url) = &status.url {
        text.push_str(&format!("\n{url}/\n"));
    }
    text
}

fn workload_summary(status: &Status, now: Timestamp) -> String {
    let mut text = workloads(&status.workloads);
    let not_ready = status.pods.iter().filter(|pod| !pod.ready);
    let (all, number) = (status.pods.len(), not_ready.clone().count());
    if number > 0 {
        text.push_str(&format!("\n{number} of {all} pods are not ready"));
        text.push_str(match number {
            0..=MOST_NOT_READY => ":\n",
            _ => ", the first of them:\n",
        });
        text.push_str(&pods(not_ready.take(MOST_NOT_READY), now));
    }
    text + "\nevery pod: --output json\n"
}

/// One row per object. Workloads show their images here as well, as they may have no pods.
fn objects(objects: &[ObjectStatus], now: Timestamp) -> String {
    let rows = objects.iter().map(|status| {
        let images: Vec<String> = status.images.iter().map(|image| short_image(image)).collect();
        let images = if images.is_empty() {
            "-".to_owned()
        } else {
            images.join(", ")
        };
        [
            status.object.clone(),
            status.state.clone(),
            images,
            format_age(status.created, now),
        ]
    });
    aligned(["OBJECT", "STATE", "IMAGES", "AGE"], rows)
}

fn format_age(created: Option<Timestamp>, now: Timestamp) -> String {
    created.map_or_else(|| "-".to_owned(), |created| age(created, now))
}

fn pods<'p>(pods: impl Iterator<Item = &'p PodStatus>, now: Timestamp) -> String {
    let header = [
        "POD", "NODE", "RUNTIME", "MODE", "IMAGE", "RESTARTS", "READY", "STATE", "AGE",
    ];
    let or_dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let rows = pods.map(|pod| {
        [
            pod.name.clone(),
            or_dash(&pod.node),
            or_dash(&pod.runtime_class),
            or_dash(&pod.mode),
            pod.shown_image(),
            pod.restarts.to_string(),
            if pod.ready { "yes" } else { "no" }.to_owned(),
            pod.state.clone(),
            format_age(pod.created, now),
        ]
    });
    aligned(header, rows)
}

fn workloads(workloads: &[WorkloadStatus]) -> String {
    let header = [
        "WORKLOAD", "PODS", "READY", "NODES", "MODE", "IMAGE", "RESTARTS", "STATES",
    ];
    let joined = |words: Vec<String>| {
        if words.is_empty() {
            "-".to_owned()
        } else {
            words.join(", ")
        }
    };
    let rows = workloads.iter().map(|status| {
        [
            status.workload.clone().unwrap_or_else(|| "-".to_owned()),
            status.pods.to_string(),
            status.ready.to_string(),
            status.nodes.to_string(),
            joined(status.modes.iter().cloned().collect()),
            joined(status.images.iter().cloned().collect()),
            status.restarts.to_string(),
            joined(
                status
                    .states
                    .iter()
                    .map(|(state, count)| format!("{count} {state}"))
                    .collect(),
            ),
        ]
    });
    aligned(header, rows)
}

#[cfg(test)]
mod tests {
    use super::super::{SCHEMA, workloads};
    use super::*;

    #[test]
    fn many_pods_are_counted_and_those_that_are_not_ready_are_shown() {
        let pod = |number: usize| PodStatus {
            name: format!("app-{number}"),
            workload: Some("Deployment/app".into()),
            node: Some(format!("n{}", number % 7)),
            runtime_class: None,
            mode: None,
            image: "i:1".into(),
            image_digest: None,
            restarts: 0,
            ready: number != 3,
            state: if number == 3 { "ErrImagePull" } else { "Running" }.into(),
            created: None,
        };
        let pods: Vec<PodStatus> = (0..5_000).map(pod).collect();
        let status = Status {
            release: None,
            schema: SCHEMA,
            context: "c".into(),
            namespace: "n".into(),
            url: None,
            ready: false,
            workloads: workloads(&pods),
            pods,
            objects: Vec::new(),
            namespace_exists: true,
        };
        assert_eq!(
            table(&status, Timestamp::UNIX_EPOCH),
            "WORKLOAD        PODS  READY  NODES  MODE  IMAGE  RESTARTS  STATES\n\
             Deployment/app  5000  4999   7      -     i:1    0         1 ErrImagePull, 4999 Running\n\n\
             1 of 5000 pods are not ready:\n\
             POD    NODE  RUNTIME  MODE  IMAGE  RESTARTS  READY  STATE         AGE\n\
             app-3  n3    -        -     i:1    0         no     ErrImagePull  -\n\n\
             every pod: --output json\n"
        );
    }

    #[test]
    fn a_namespace_without_pods_shows_what_it_has_or_that_it_is_none() {
        let mut status = Status {
            release: None,
            schema: SCHEMA,
            context: "c".into(),
            namespace: "n".into(),
            url: None,
            ready: false,
            workloads: Vec::new(),
            pods: Vec::new(),
            objects: Vec::new(),
            namespace_exists: false,
        };
        let text = table(&status, Timestamp::UNIX_EPOCH);
        assert_eq!(text, "context `c` has no namespace `n`\n");
        status.namespace_exists = true;
        status.objects = vec![ObjectStatus {
            object: "CronJob/dump".into(),
            created: Some(Timestamp::UNIX_EPOCH),
            state: "`0 3 * * *`, has not run yet".into(),
            images: vec!["docker.io/library/mariadb:11.8".into()],
        }];
        assert_eq!(
            table(&status, Timestamp::from_second(300).unwrap()),
            "no pods in namespace `n`\n\n\
             OBJECT        STATE                         IMAGES        AGE\n\
             CronJob/dump  `0 3 * * *`, has not run yet  mariadb:11.8  5m\n"
        );
    }
}
