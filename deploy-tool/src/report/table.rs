//! Pure: the status for people: a row a pod; where there are many pods, a row a workload, and the pods that are not ready.

use terminal::aligned;

use super::{PodStatus, Status, WorkloadStatus};

/// More pods than fit on a screen are counted.
const MOST_PODS: usize = 40;
/// Of the pods that are not ready, the first ones show what is wrong.
const MOST_NOT_READY: usize = 10;

/// The table for people.
pub fn table(status: &Status) -> String {
    let mut text = match status.pods.len() {
        0 => format!("no pods in namespace `{}`\n", status.namespace),
        1..=MOST_PODS => pods(status.pods.iter()),
        _ => counted(status),
    };
    if let Some(release) = &status.release {
        text.push_str(&format!("\n{}", release.sentence()));
    }
    if let Some(url) = &status.url {
        text.push_str(&format!("\n{url}/\n"));
    }
    text
}

fn counted(status: &Status) -> String {
    let mut text = workloads(&status.workloads);
    let not_ready = status.pods.iter().filter(|pod| !pod.ready);
    let (all, number) = (status.pods.len(), not_ready.clone().count());
    if number > 0 {
        text.push_str(&format!("\n{number} of {all} pods are not ready"));
        text.push_str(match number {
            0..=MOST_NOT_READY => ":\n",
            _ => ", the first of them:\n",
        });
        text.push_str(&pods(not_ready.take(MOST_NOT_READY)));
    }
    text + "\nevery pod: --output json\n"
}

fn pods<'p>(pods: impl Iterator<Item = &'p PodStatus>) -> String {
    let header = ["POD", "NODE", "RUNTIME", "MODE", "IMAGE", "RESTARTS", "READY", "STATE"];
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
        ]
    });
    aligned(header, rows)
}

fn workloads(workloads: &[WorkloadStatus]) -> String {
    let header = [
        "WORKLOAD", "PODS", "READY", "NODES", "MODE", "IMAGE", "RESTARTS", "STATES",
    ];
    let joined = |words: Vec<String>| match words.is_empty() {
        true => "-".to_owned(),
        false => words.join(", "),
    };
    let rows = workloads.iter().map(|one| {
        [
            one.workload.clone().unwrap_or_else(|| "-".to_owned()),
            one.pods.to_string(),
            one.ready.to_string(),
            one.nodes.to_string(),
            joined(one.modes.iter().cloned().collect()),
            joined(one.images.iter().cloned().collect()),
            one.restarts.to_string(),
            joined(
                one.states
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
        };
        assert_eq!(
            table(&status),
            "WORKLOAD        PODS  READY  NODES  MODE  IMAGE  RESTARTS  STATES\n\
             Deployment/app  5000  4999   7      -     i:1    0         1 ErrImagePull, 4999 Running\n\n\
             1 of 5000 pods are not ready:\n\
             POD    NODE  RUNTIME  MODE  IMAGE  RESTARTS  READY  STATE\n\
             app-3  n3    -        -     i:1    0         no     ErrImagePull\n\n\
             every pod: --output json\n"
        );
    }
}
