//! Why a container does not run.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use super::{Clock, Evidence, Objects, Problem, State, executable, image, pod, probe, says, thresholds};
use diagnostics::code::rollout::{CONFIGURATION_MISSING, CONTAINER_NOT_CREATED, CRASH_LOOP, OUT_OF_MEMORY};

/// Says why a container does not run; none when it does, or has ended well as an init container.
pub fn state(pod: &Pod, status: &ContainerStatus, init: bool, objects: &Objects, clock: Clock) -> Option<State> {
    let about = Container { pod, status, objects };
    let state = status.state.as_ref();
    let ended_well = |ended: &ContainerStateTerminated| init && ended.exit_code == 0;
    if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
        return (!ended_well(ended)).then(|| about.ended(ended));
    }
    let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        let reason = waiting.reason.as_deref().unwrap_or("waiting");
        let message = waiting.message.as_deref().unwrap_or_default();
        return Some(about.waiting(reason, message, last, clock));
    }
    // It runs right now; should it end again, its state will say so.
    None
}

/// The kubelet has just begun to watch a Secret or ConfigMap, and has not heard of it in time: it asks again.
/// <https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/util/manager/watch_based_manager.go>
fn is_not_yet_known(message: &str) -> bool {
    message.contains("failed to sync ") && message.contains(" cache: ")
}

struct Container<'a> {
    pod: &'a Pod,
    status: &'a ContainerStatus,
    objects: &'a Objects,
}

impl Container<'_> {
    fn title(&self) -> String {
        format!("container `{}` of {}", self.status.name, pod::title(self.pod))
    }

    fn waiting(&self, reason: &str, message: &str, last: Option<&ContainerStateTerminated>, clock: Clock) -> State {
        let title = self.title();
        let sentence = format!("{title}: {reason}: {message}");
        match reason {
            "ErrImageNeverPull"
            | "InvalidImageName"
            | "ErrImagePull"
            | "ImagePullBackOff"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => {
                image::state(&title, self.pod, self.status, self.objects, (reason, message))
            }
            "CreateContainerConfigError" => match missing_configuration(&title, self.pod, message) {
                Some(problem) => {
                    let created = pod::created(self.pod);
                    let since = created.into_iter().chain(Some(clock.since)).max();
                    let late = since.is_none_or(|since| clock.now.duration_since(since) >= thresholds::CONFIGURATION);
                    if late {
                        problem.failed()
                    } else {
                        State::Waiting(sentence)
                    }
                }
                None if is_not_yet_known(message) => State::Waiting(sentence),
                // The kubelet compares the manifest with the image: neither changes by itself.
                None => self.not_created(message).failed(),
            },
            "CreateContainerError" | "RunContainerError" => self.refused(message),
            "CrashLoopBackOff" => match last {
                Some(ended) => self.ended(ended),
                None => State::Waiting(sentence),
            },
            "ContainerCreating" | "PodInitializing" => State::Waiting(format!("{title} is being created")),
            _ => State::Waiting(sentence.trim_end_matches([':', ' ']).to_owned()),
        }
    }

    /// The runtime does not create or start it.
    fn refused(&self, message: &str) -> State {
        if let Some(problem) = executable::problem(self.pod, self.status, message) {
            return problem.failed();
        }
        let problem = self.not_created(message);
        // What is not in the image will not be there the next time.
        let for_good = says(
            message,
            &[
                "no such file or directory",
                "executable file not found",
                "permission denied",
            ],
        );
        if for_good || self.status.restart_count + 1 >= thresholds::ENDS {
            problem.failed()
        } else {
            State::Waiting(problem.sentence)
        }
    }

    fn not_created(&self, message: &str) -> Problem {
        // The runtime wraps its reason into the names of everything that passed it on.
        let reason = message
            .rsplit_once("create failed: ")
            .map_or(message, |(_, reason)| reason);
        let sentence = format!(
            "{} cannot be created on node `{}`: {reason}",
            self.title(),
            pod::node(self.pod)
        );
        Problem::new(
            &CONTAINER_NOT_CREATED,
            sentence,
            "correct what it names in the container: `command`, `workingDir`, `securityContext` or `volumeMounts`",
        )
    }

    /// A container that has ended and does not run at this moment.
    fn ended(&self, ended: &ContainerStateTerminated) -> State {
        let reason = ended.reason.as_deref().unwrap_or_default();
        let message = ended.message.as_deref().unwrap_or_default();
        if reason == "StartError" {
            return self.refused(message);
        }
        let words = ended
            .container_id
            .as_ref()
            .and_then(|id| self.objects.last_words.get(id));
        let run_natively = |words: &String| {
            executable::problem(self.pod, self.status, words)
                .or_else(|| executable::without_a_word(self.pod, self.status, ended.exit_code, words))
        };
        if let Some(problem) = words.and_then(run_natively) {
            return problem.failed();
        }
        let title = self.title();
        // Ends of long ago, as by a restart of the host, are in the count too: only short runs are a start that fails.
        let ends = if was_short(ended) {
            self.status.restart_count + 1
        } else {
            1
        };
        if reason == "OOMKilled" {
            return self.out_of_memory(ends);
        }
        if let Some(problem) = probe::killed(self.pod, self.status, self.objects) {
            return problem.failed();
        }
        let times = if ends == 1 { "once" } else { &format!("{ends} times") };
        let how = format!("exit code {}{}", ended.exit_code, how(reason, message));
        let sentence = format!("{title} has ended {times}, last with {how}");
        if ends < thresholds::ENDS && self.is_started_again() {
            return State::Waiting(sentence);
        }
        Problem::new(&CRASH_LOOP, sentence, self.advice(ended))
            .with(probe::logs(self.pod, self.status))
            .failed()
    }

    fn out_of_memory(&self, ends: i32) -> State {
        let limit = pod::container(self.pod, &self.status.name)
            .and_then(|container| container.resources.as_ref()?.limits.as_ref()?.get("memory"))
            .map_or(String::new(), |limit| format!(" of {}", limit.0));
        let title = self.title();
        let sentence = format!("{title} needs more memory than its limit{limit} and was ended ({ends} times)");
        if ends < thresholds::OUT_OF_MEMORY_ENDS && self.is_started_again() {
            return State::Waiting(sentence);
        }
        let next = "raise `resources.limits.memory` (64Mi is plenty for a small Wasm service), or make it need less";
        let memory = Evidence::Memory {
            namespace: self.pod.metadata.namespace.clone().unwrap_or_default(),
            pod: self.pod.metadata.name.clone().unwrap_or_default(),
            container: self.status.name.clone(),
            node: pod::node(self.pod).to_owned(),
        };
        Problem::new(&OUT_OF_MEMORY, sentence, next)
            .with(memory)
            .with(probe::logs(self.pod, self.status))
            .failed()
    }

    /// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
    fn is_started_again(&self) -> bool {
        let policy = self.pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
        policy != Some("Never")
    }

    fn advice(&self, ended: &ContainerStateTerminated) -> String {
        let wasm = self
            .pod
            .spec
            .as_ref()
            .is_some_and(|spec| spec.runtime_class_name.is_some());
        if wasm && ended.exit_code == 0 {
            "a service must not end: its last lines say why it did. Under crun and WasmEdge the exit code says nothing: whatever \
             the guest's is, Kubernetes sees 0 and `Completed`"
                .to_owned()
        } else {
            "its last lines say why: correct the settings or the service".to_owned()
        }
    }
}

/// A Secret or ConfigMap that is not there, or not with that key, if that is what the kubelet says.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kubelet_pods.go>
pub fn missing_configuration(title: &str, pod: &Pod, message: &str) -> Option<Problem> {
    let (kind, name) = missing(message)?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let command = match kind {
        "Secret" => "create secret generic",
        _ => "create configmap",
    };
    let (sentence, next) = match key(message) {
        Some(key) => (
            format!("{title} needs the key `{key}` of {kind} `{name}`, which is not in it"),
            format!("add the key to the {kind}, or correct the reference"),
        ),
        None => (
            format!("{title} needs {kind} `{name}`, which is not there"),
            format!(
                "apply it with the workload, or make it: \
                 `kubectl --namespace {namespace} {command} {name} --from-literal=KEY=VALUE`"
            ),
        ),
    };
    Some(Problem::new(&CONFIGURATION_MISSING, sentence, next).showing(vec![message.to_owned()]))
}

/// `secret "x" not found`, `couldn't find key k in Secret n/x`, and the same of a ConfigMap.
fn missing(message: &str) -> Option<(&'static str, &str)> {
    for (kind, absent, without) in [
        ("Secret", "secret \"", " in Secret "),
        ("ConfigMap", "configmap \"", " in ConfigMap "),
    ] {
        if let Some((_, rest)) = message.split_once(absent)
            && let Some((name, rest)) = rest.split_once('"')
            && rest.starts_with(" not found")
        {
            return Some((kind, name));
        }
        if let Some((start, place)) = message.split_once(without)
            && start.contains("find key")
        {
            return Some((kind, place.rsplit('/').next().unwrap_or(place).trim()));
        }
    }
    None
}

fn key(message: &str) -> Option<&str> {
    message.split_once("find key ")?.1.split_whitespace().next()
}

fn was_short(ended: &ContainerStateTerminated) -> bool {
    let (start, end) = (ended.started_at.as_ref(), ended.finished_at.as_ref());
    start
        .zip(end)
        .is_none_or(|(start, end)| end.0.duration_since(start.0) < thresholds::SHORT_RUN)
}

fn how(reason: &str, message: &str) -> String {
    let parts: Vec<&str> = [reason, message.trim()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(": "))
    }
}
