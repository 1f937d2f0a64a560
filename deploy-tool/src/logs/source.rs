//! The containers of a pod, and whether they have written anything yet.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod};

/// One container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether it has a log.
    pub state: State,
}

/// Whether there is a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is one.
    Written {
        /// The run that wrote it: each start of a container is another one.
        run: String,
        /// Whether it may write more.
        running: bool,
    },
    /// There is none, and why.
    Silent(String),
}

/// What a container waits for that the node has not looked at yet.
const NOT_BEGUN: &str = "its node has not begun";

/// Whether a waiting reason is a normal one during the start.
pub fn is_transient(reason: &str) -> bool {
    [NOT_BEGUN, "ContainerCreating", "PodInitializing"].contains(&reason)
}

/// The containers whose logs are followed: all, or those of a name. A succeeded init container is left out, unless it is
/// named.
pub fn sources(pod: &Pod, only: Option<&str>) -> Vec<Source> {
    let spec = pod.spec.as_ref();
    let status = pod.status.as_ref();
    let first = spec
        .and_then(|spec| spec.init_containers.as_ref())
        .into_iter()
        .flatten();
    let then = spec.map(|spec| spec.containers.iter()).into_iter().flatten();
    let states = status
        .and_then(|status| status.init_container_statuses.as_ref())
        .into_iter()
        .flatten();
    let states: Vec<&ContainerStatus> = states
        .chain(
            status
                .and_then(|status| status.container_statuses.as_ref())
                .into_iter()
                .flatten(),
        )
        .collect();
    let of = |container: &Container| states.iter().find(|status| status.name == container.name).copied();
    let first = first.filter(|container| only.is_some() || !of(container).is_some_and(has_done_its_work));
    first
        .chain(then)
        .filter(|container| only.is_none_or(|only| container.name == only))
        .map(|container| Source {
            pod: pod.metadata.name.clone().unwrap_or_default(),
            container: container.name.clone(),
            state: state(pod, of(container)),
        })
        .collect()
}

fn has_done_its_work(status: &ContainerStatus) -> bool {
    let ended = status.state.as_ref().and_then(|state| state.terminated.as_ref());
    ended.is_some_and(|ended| ended.exit_code == 0)
}

/// As the kubelet chooses: the run there is, else the one that ended last.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kubelet_pods.go> (validateContainerLogStatus)
fn state(pod: &Pod, status: Option<&ContainerStatus>) -> State {
    let Some(status) = status else {
        return State::Silent(not_placed(pod));
    };
    let written = |run: &str, running| State::Written {
        run: run.to_owned(),
        running,
    };
    let state = status.state.as_ref();
    if state.is_some_and(|state| state.running.is_some()) {
        return written(status.container_id.as_deref().unwrap_or_default(), true);
    }
    let ended = [state, status.last_state.as_ref()].into_iter().flatten();
    let mut runs = ended.filter_map(|state| state.terminated.as_ref()?.container_id.as_deref());
    if let Some(run) = runs.find(|run| !run.is_empty()) {
        return written(run, false);
    }
    let waiting = state.and_then(|state| state.waiting.as_ref());
    let reason = waiting
        .and_then(|waiting| waiting.reason.as_deref())
        .unwrap_or(NOT_BEGUN);
    State::Silent(match waiting.and_then(|waiting| waiting.message.as_deref()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    })
}

fn not_placed(pod: &Pod) -> String {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    let unplaced = conditions.find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    match unplaced.and_then(|condition| condition.message.as_deref()) {
        Some(message) => format!("it fits on no node: {message}"),
        None => NOT_BEGUN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(init: &Value, main: &Value) -> Pod {
        let status = |name: &str, state: &Value| {
            let mut status = json!({"name": name, "ready": false, "restartCount": 0, "image": "", "imageID": ""});
            for (key, value) in state.as_object().unwrap() {
                status[key] = value.clone();
            }
            status
        };
        serde_json::from_value(json!({
            "metadata": {"name": "p"},
            "spec": {"initContainers": [{"name": "init"}], "containers": [{"name": "main"}]},
            "status": {"initContainerStatuses": [status("init", init)], "containerStatuses": [status("main", main)]},
        }))
        .unwrap()
    }

    fn written(run: &str, running: bool) -> State {
        State::Written {
            run: run.into(),
            running,
        }
    }

    #[test]
    fn the_run_there_is_or_the_last_one_or_why_there_is_none() {
        let done = json!({"state": {"terminated": {"exitCode": 0, "containerID": "i"}}});
        let cases = [
            (
                json!({"containerID": "a", "state": {"running": {}}}),
                written("a", true),
            ),
            (
                json!({"state": {"terminated": {"exitCode": 1, "containerID": "a"}}}),
                written("a", false),
            ),
            (
                json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 1, "containerID": "b"}}}),
                written("b", false),
            ),
            (
                json!({"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}),
                State::Silent("ErrImagePull: not found".into()),
            ),
            (
                json!({"state": {"waiting": {"reason": "PodInitializing"}}}),
                State::Silent("PodInitializing".into()),
            ),
        ];
        for (status, expected) in cases {
            let found = sources(&pod(&done, &status), None);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].state, expected);
        }
    }

    #[test]
    fn init_containers_until_they_have_done_their_work_or_by_name() {
        let names = |init: &Value, only: Option<&str>| -> Vec<String> {
            sources(&pod(init, &json!({})), only)
                .into_iter()
                .map(|source| source.container)
                .collect()
        };
        let done = json!({"state": {"terminated": {"exitCode": 0, "containerID": "i"}}});
        let failed = json!({"state": {"terminated": {"exitCode": 1, "containerID": "i"}}});
        let runs = json!({"containerID": "i", "state": {"running": {}}});
        assert_eq!(names(&done, None), ["main"]);
        assert_eq!(names(&failed, None), ["init", "main"]);
        assert_eq!(names(&runs, None), ["init", "main"]);
        assert_eq!(names(&done, Some("init")), ["init"]);
        assert!(names(&done, Some("other")).is_empty());
    }

    #[test]
    fn a_pod_without_a_node() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]},
            "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]},
        }))
        .unwrap();
        assert_eq!(
            sources(&pod, None)[0].state,
            State::Silent("it fits on no node: 0/3 nodes are available".into())
        );
    }
}
