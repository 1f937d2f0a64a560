//! Why a container does not run.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Container, ContainerStateTerminated, ContainerStatus, Pod};

use crate::status::Phase;
use crate::text::contains_any;
use crate::{
    Clock, Diagnosis, Evidence, Objects, configuration, dapr, events, exec_format, image, pod_view, probe, thresholds,
};
use diagnostics::code::rollout::{CONTAINER_NOT_CREATED, CRASH_LOOP, OUT_OF_MEMORY};

/// The runtime's messages when a program is not in the image.
const NO_PROGRAM: [&str; 3] = [
    "no such file or directory",
    "executable file not found",
    "permission denied",
];
/// The kubelet's messages when the user of the image violates the securityContext of the pod.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/security_context_others.go>
const WRONG_USER: [&str; 2] = ["runasnonroot", "run as root"];

/// Evaluates why a container does not run; none when it runs, or is an init container that has succeeded.
pub fn evaluate(pod: &Pod, status: &ContainerStatus, init: bool, objects: &Objects, clock: Clock) -> Option<Phase> {
    let context = ContainerContext { pod, status, objects };
    let ends_well = |ended: &ContainerStateTerminated| ended.exit_code == 0 && (init || !context.is_started_again());
    if let Some(ended) = pod_view::ended(status) {
        return (!ends_well(ended)).then(|| context.evaluate_ended(ended));
    }
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    if let Some(waiting) = waiting {
        let reason = waiting.reason.as_deref().unwrap_or("waiting");
        let message = waiting.message.as_deref().unwrap_or_default();
        return Some(context.evaluate_waiting(reason, message, clock));
    }
    // A running container needs no diagnosis; if it exits again, its state changes. An init container has to exit.
    pod_view::running_since(status).filter(|_| init)?;
    Some(Phase::in_progress(format!("init {} runs", context.title())))
}

struct ContainerContext<'a> {
    pod: &'a Pod,
    status: &'a ContainerStatus,
    objects: &'a Objects,
}

impl ContainerContext<'_> {
    fn title(&self) -> String {
        format!("container `{}` of {}", self.status.name, pod_view::title(self.pod))
    }

    fn manifest(&self) -> Option<&Container> {
        pod_view::container(self.pod, &self.status.name)
    }

    fn evaluate_waiting(&self, reason: &str, message: &str, clock: Clock) -> Phase {
        let title = self.title();
        let sentence = || {
            format!("{title}: {reason}: {message}")
                .trim_end_matches([':', ' '])
                .to_owned()
        };
        match reason {
            "ErrImageNeverPull"
            | "InvalidImageName"
            | "ErrImagePull"
            | "ImagePullBackOff"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => {
                image::evaluate(&title, self.pod, self.status, self.objects, clock, (reason, message))
            }
            "CreateContainerConfigError" => self.evaluate_configuration(message, clock),
            "CreateContainerError" | "RunContainerError" => self.evaluate_start_error(message),
            "CrashLoopBackOff" => match pod_view::ended_before(self.status) {
                Some(ended) => self.evaluate_ended(ended),
                None => Phase::in_progress(sentence()),
            },
            "ContainerCreating" | "PodInitializing" => Phase::in_progress(format!("{title} is being created")),
            _ => Phase::in_progress(sentence()),
        }
    }

    /// The kubelet cannot put the container's settings together.
    fn evaluate_configuration(&self, message: &str, clock: Clock) -> Phase {
        if configuration::is_not_yet_known(message) {
            return Phase::in_progress(format!("{}: {message}", self.title()));
        }
        let is_late = clock.waited(pod_view::created(self.pod)) >= thresholds::CONFIGURATION;
        if let Some(missing) = configuration::diagnose(&self.title(), self.pod, message) {
            return missing.blocked().clear(is_late).into();
        }
        let diagnosis = self.diagnose_creation(message);
        // The kubelet compares the manifest with the image: neither changes by itself.
        if contains_any(message, &WRONG_USER) && self.manifest().is_some_and(image::is_fixed) {
            return diagnosis.failed();
        }
        diagnosis.blocked().clear(is_late).into()
    }

    /// The runtime does not create or start it.
    fn evaluate_start_error(&self, message: &str) -> Phase {
        let diagnosis = exec_format::diagnose(self.pod, self.status, message);
        let is_absent = diagnosis.is_some() || contains_any(message, &NO_PROGRAM);
        let diagnosis = diagnosis.unwrap_or_else(|| self.diagnose_creation(message));
        if is_absent && self.is_permanent(message) {
            return diagnosis.failed();
        }
        let is_clear = is_absent || self.attempts(message) >= thresholds::ENDS;
        self.waiting_for_retry(diagnosis, is_clear).into()
    }

    /// Whether the program would be the same the next time, as it was the last time: it comes from the image, and that
    /// stays.
    fn is_permanent(&self, message: &str) -> bool {
        let Some(container) = self.manifest() else {
            return false;
        };
        let mounts = container.volume_mounts.iter().flatten();
        let is_mounted = mounts
            .map(|mount| mount.mount_path.trim_end_matches('/'))
            .any(|path| message.contains(path));
        self.attempts(message) >= 2 && !is_mounted && image::is_fixed(container)
    }

    /// How often it has been started, or was to be and was given this answer.
    fn attempts(&self, message: &str) -> i32 {
        let answered = events::list_for(self.objects, &self.pod.metadata).filter(|event| {
            let text = events::message(event).trim_start_matches("Error: ");
            event.reason.as_deref() == Some("Failed") && !text.is_empty() && message.starts_with(text)
        });
        let answered = answered.map(events::count).max().unwrap_or(0);
        answered.max(self.status.restart_count + 1)
    }

    /// A diagnosis of a container that the kubelet starts again and again.
    fn waiting_for_retry(&self, diagnosis: Diagnosis, is_clear: bool) -> crate::Waiting {
        let ended = pod_view::ended(self.status).or(pod_view::ended_before(self.status));
        let started = ended.and_then(|ended| ended.started_at.as_ref()).map(|time| time.0);
        let next = self.next_start(ended);
        let sentence = match next {
            Some(next) => format!("{}; it is started again at {}", diagnosis.sentence, time_of_day(next)),
            None => diagnosis.sentence.clone(),
        };
        let waiting = diagnosis.blocked().with_reason(sentence).clear(is_clear);
        let waiting = waiting.attempted(started, next);
        if self.status.restart_count + 1 >= thresholds::ENDS {
            waiting.crash_loop()
        } else {
            waiting
        }
    }

    /// When the kubelet restarts it: the back-off in its message, counted from the end of the last run.
    fn next_start(&self, ended: Option<&ContainerStateTerminated>) -> Option<Timestamp> {
        let waiting = self.status.state.as_ref()?.waiting.as_ref()?;
        let pause = back_off(waiting.message.as_deref()?)?;
        Some(ended?.finished_at.as_ref()?.0 + pause)
    }

    fn diagnose_creation(&self, message: &str) -> Diagnosis {
        // The runtime wraps its reason into the names of everything that passed it on.
        let reason = message
            .rsplit_once("create failed: ")
            .map_or(message, |(_, reason)| reason);
        let sentence = format!(
            "{} cannot be created on node `{}`: {reason}",
            self.title(),
            pod_view::node(self.pod)
        );
        Diagnosis::new(
            &CONTAINER_NOT_CREATED,
            sentence,
            "correct what it names in the container: `command`, `workingDir`, `securityContext` or `volumeMounts`",
        )
    }

    /// A container that has ended and does not run at this moment.
    fn evaluate_ended(&self, ended: &ContainerStateTerminated) -> Phase {
        let reason = ended.reason.as_deref().unwrap_or_default();
        let message = ended.message.as_deref().unwrap_or_default();
        if reason == "StartError" {
            return self.evaluate_start_error(message);
        }
        if let Some((diagnosis, words)) = self.ran_natively(ended) {
            return if self.is_permanent(words) {
                diagnosis.failed()
            } else {
                self.waiting_for_retry(diagnosis, true).into()
            };
        }
        if let Some(diagnosis) = self.failed_component(ended) {
            return self
                .waiting_for_retry(diagnosis, self.status.restart_count + 1 >= thresholds::ENDS)
                .into();
        }
        let title = self.title();
        // Ends of long ago, as by a restart of the host, are in the count too: only short runs are a start that fails.
        let is_short = pod_view::run_time(ended).is_none_or(|run| run < thresholds::SHORT_RUN);
        let ends = if is_short { self.status.restart_count + 1 } else { 1 };
        let once = !self.is_started_again();
        if reason == "OOMKilled" {
            let is_clear = once || ends >= thresholds::OUT_OF_MEMORY_ENDS;
            return self.waiting_for_retry(self.out_of_memory(ends), is_clear).into();
        }
        if let Some((diagnosis, times)) = probe::diagnose_repeated_kills(self.pod, self.status, self.objects) {
            return self
                .waiting_for_retry(diagnosis, times >= thresholds::PROBE_KILLS)
                .into();
        }
        let times = if ends == 1 { "once" } else { &format!("{ends} times") };
        let ending = format!("exit code {}{}", ended.exit_code, describe_reason(reason, message));
        let sentence = format!("{title} has ended {times}, last with {ending}");
        let diagnosis = Diagnosis::new(&CRASH_LOOP, sentence, self.advice(ended));
        let diagnosis = diagnosis.with(probe::logs(self.pod, self.status));
        self.waiting_for_retry(diagnosis, once || ends >= thresholds::ENDS)
            .into()
    }

    /// The diagnosis when the end of its log shows that it was executed as a native program.
    fn ran_natively(&self, ended: &ContainerStateTerminated) -> Option<(Diagnosis, &str)> {
        let words = self.objects.last_words.get(ended.container_id.as_ref()?)?;
        let diagnosis = exec_format::diagnose(self.pod, self.status, words)
            .or_else(|| exec_format::diagnose_silent(self.pod, self.status, ended.exit_code, words));
        Some((diagnosis?, words))
    }

    /// The diagnosis when the end of a sidecar's log names a component that failed.
    fn failed_component(&self, ended: &ContainerStateTerminated) -> Option<Diagnosis> {
        let words = self.objects.last_words.get(ended.container_id.as_ref()?)?;
        dapr::failed_component(self.pod, self.status, words)
    }

    fn out_of_memory(&self, ends: i32) -> Diagnosis {
        let limit = self
            .manifest()
            .and_then(|container| container.resources.as_ref()?.limits.as_ref()?.get("memory"))
            .map_or(String::new(), |limit| format!(" of {}", limit.0));
        let title = self.title();
        let sentence = format!("{title} needs more memory than its limit{limit} and was ended ({ends} times)");
        let next = "raise `resources.limits.memory` (64Mi is plenty for a small Wasm service), or make it need less";
        let memory = Evidence::Memory {
            namespace: pod_view::namespace(self.pod).to_owned(),
            pod: pod_view::name(self.pod).to_owned(),
            container: self.status.name.clone(),
            node: pod_view::node(self.pod).to_owned(),
        };
        Diagnosis::new(&OUT_OF_MEMORY, sentence, next)
            .with(memory)
            .with(probe::logs(self.pod, self.status))
    }

    /// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
    fn is_started_again(&self) -> bool {
        let policy = self.pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
        policy != Some("Never") || self.manifest().is_some_and(pod_view::is_restartable)
    }

    fn advice(&self, ended: &ContainerStateTerminated) -> String {
        let spec = self.pod.spec.as_ref();
        let is_wasm = spec.is_some_and(|spec| spec.runtime_class_name.is_some());
        if is_wasm && ended.exit_code == 0 {
            "a service must not end: its last lines say why it did. Under crun and WasmEdge the exit code says nothing: whatever \
             the guest's is, Kubernetes sees 0 and `Completed`"
                .to_owned()
        } else {
            "its last lines say why: correct the settings or the service".to_owned()
        }
    }
}

/// `back-off 1m20s restarting failed container=…`: the pause after the last end.
fn back_off(message: &str) -> Option<SignedDuration> {
    let (pause, _) = message.split_once("back-off ")?.1.split_once(" restarting")?;
    let (minutes, seconds) = pause.split_once('m').unwrap_or(("0", pause));
    let seconds = seconds.strip_suffix('s').unwrap_or("0");
    Some(SignedDuration::from_secs(
        60 * minutes.parse::<i64>().ok()? + seconds.parse::<i64>().ok()?,
    ))
}

/// 13:05:09 UTC
fn time_of_day(time: Timestamp) -> String {
    time.strftime("%H:%M:%S UTC").to_string()
}

fn describe_reason(reason: &str, message: &str) -> String {
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
