//! Why a container does not run.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use super::{Clock, Evidence, Objects, Problem, State, events, image, thresholds};

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

struct Container<'a> {
    pod: &'a Pod,
    status: &'a ContainerStatus,
    objects: &'a Objects,
}

impl Container<'_> {
    fn title(&self) -> String {
        format!(
            "container `{}` of pod `{}`",
            self.status.name,
            self.pod.metadata.name.as_deref().unwrap_or_default()
        )
    }

    fn node(&self) -> &str {
        self.pod
            .spec
            .as_ref()
            .and_then(|spec| spec.node_name.as_deref())
            .unwrap_or("?")
    }

    fn logs(&self) -> Evidence {
        Evidence::Logs {
            namespace: self.pod.metadata.namespace.clone().unwrap_or_default(),
            pod: self.pod.metadata.name.clone().unwrap_or_default(),
            container: self.status.name.clone(),
        }
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
            "CreateContainerConfigError" => {
                let created = self.pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
                let since = created.into_iter().chain(Some(clock.since)).max();
                let long = since.is_none_or(|since| clock.now.duration_since(since) >= thresholds::CONFIGURATION);
                let next = "apply the Secret or ConfigMap that the message names, with that key";
                if long {
                    Problem::new(sentence, next).failed()
                } else {
                    State::Waiting(sentence)
                }
            }
            "CreateContainerError" | "RunContainerError" => match self.not_executable(message) {
                Some(problem) => problem.failed(),
                None if self.status.restart_count + 1 >= thresholds::ENDS => {
                    Problem::new(sentence, "correct the container as the message says").failed()
                }
                None => State::Waiting(sentence),
            },
            "CrashLoopBackOff" => match last {
                Some(ended) => self.ended(ended),
                None => State::Waiting(sentence),
            },
            "ContainerCreating" | "PodInitializing" => State::Waiting(format!("{title} is being created")),
            _ => State::Waiting(sentence.trim_end_matches([':', ' ']).to_owned()),
        }
    }

    /// A container that has ended and does not run at this moment.
    fn ended(&self, ended: &ContainerStateTerminated) -> State {
        let reason = ended.reason.as_deref().unwrap_or_default();
        let message = ended.message.as_deref().unwrap_or_default();
        if let Some(problem) = self.not_executable(message) {
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
            let sentence = format!(
                "{title} needs more memory than its limit{} and was ended ({ends} times)",
                self.memory_limit()
            );
            let next = "raise `resources.limits.memory` (a Wasm service needs at least 64Mi), or make it need less";
            let problem = Problem::new(sentence.clone(), next).with(self.logs());
            return if ends >= thresholds::OUT_OF_MEMORY_ENDS {
                problem.failed()
            } else {
                State::Waiting(sentence)
            };
        }
        let how = format!("exit code {}{}", ended.exit_code, how(reason, message));
        let sentence = format!("{title} has ended {ends} times, last with {how}");
        if ends < thresholds::ENDS {
            return State::Waiting(sentence);
        }
        Problem::new(format!("{sentence}{}", self.probe_killed_it()), self.advice(ended))
            .with(self.logs())
            .failed()
    }

    fn memory_limit(&self) -> String {
        let containers = self
            .pod
            .spec
            .as_ref()
            .map(|spec| spec.containers.iter())
            .into_iter()
            .flatten();
        let mut limits = containers
            .filter(|container| container.name == self.status.name)
            .filter_map(|container| container.resources.as_ref()?.limits.as_ref()?.get("memory"));
        limits.next().map_or(String::new(), |limit| format!(" of {}", limit.0))
    }

    /// The kubelet ends containers whose liveness or startup probe fails.
    fn probe_killed_it(&self) -> String {
        let killed = events::newest(self.objects, self.pod.metadata.uid.as_deref(), "Killing");
        match killed.map(events::message).filter(|message| message.contains("probe")) {
            Some(message) => format!("; the kubelet ended it: {message}"),
            None => String::new(),
        }
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

    /// The kernel was given the module itself: crun did not hand it to WasmEdge.
    fn not_executable(&self, message: &str) -> Option<Problem> {
        says_not_executable(message).then(|| {
            let sentence = format!("{} on node `{}`: {message}", self.title(), self.node());
            Problem::new(sentence, NOT_EXECUTABLE_ADVICE).in_the_light_of(message)
        })
    }
}

/// What to do when a module is run as a native program.
pub const NOT_EXECUTABLE_ADVICE: &str = "the pod template needs the annotation `module.wasm.image/variant: compat-smart` and a \
     runtimeClassName whose handler is crun, the image's entrypoint must end in .wasm, and the node's containerd entry must list \
     `module.wasm.image/*` under pod_annotations";

/// The kernel's answer to a file that is no program for this machine.
pub fn says_not_executable(text: &str) -> bool {
    text.to_ascii_lowercase().contains("exec format error")
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
