//! Why a module was executed as a native program: the kernel refuses a Wasm file with `exec format error`, and a shared
//! object without an entry point ends by a segmentation fault at address 0.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::text::contains_any;
use crate::{ContainerLog, Diagnosis, Objects, dapr, pod_view, probe, thresholds};
use diagnostics::code::rollout::{
    ANNOTATION_LOST, ENTRYPOINT_NOT_WASM, HANDLER_WITHOUT_WASM, IMAGE_FOR_ANOTHER_PLATFORM,
};

/// What makes crun run a container in WasmEdge.
/// <https://github.com/containers/crun/blob/main/docs/wasm-wasi-example.md>
const WASM_ANNOTATION: &str = "module.wasm.image/variant";
/// The file suffixes that crun treats as Wasm with the annotation `compat-smart`.
const WASM_ENDINGS: [&str; 2] = [".wasm", ".wat"];
/// 128 and the number of SIGSEGV: how a shared object ends that is not a program.
const SEGMENTATION_FAULT: i32 = 139;
/// Limit on the logs that are read in one rollout: further ends of containers have the same reason.
const MOST_LAST_WORDS: usize = 4 * thresholds::LAST_WORDS;

/// The containers whose logs should be read, by their id: those that exited right after their start, and sidecars, whose
/// log names the component that failed. Limited to a few first exits and a few later ones, as all pods of a rollout exit
/// for the same reason.
pub fn unread_logs(objects: &Objects) -> Vec<(String, ContainerLog)> {
    let pods = objects.pods.values().filter(|pod| !pod_view::is_leaving(pod));
    let statuses = pods.flat_map(|pod| pod_view::containers(pod).map(move |(_, status)| (pod, status)));
    let ended: Vec<(&str, &Pod, &ContainerStatus)> = statuses
        .filter_map(|(pod, status)| Some((ended_id(status)?, pod, status)))
        .collect();
    let all_left = MOST_LAST_WORDS.saturating_sub(objects.last_words.len());
    let unread_of = |is_restarted: bool| {
        let containers = ended
            .iter()
            .filter(move |(_, _, status)| (status.restart_count > 0) == is_restarted);
        let (known, unread): (Vec<_>, Vec<_>) = containers.partition(|(id, ..)| objects.last_words.contains_key(*id));
        let left = thresholds::LAST_WORDS.saturating_sub(known.len());
        unread.into_iter().take(left)
    };
    let unread = unread_of(false).chain(unread_of(true)).take(all_left);
    unread
        .map(|(id, pod, status)| ((*id).to_owned(), probe::container_log(pod, status)))
        .collect()
}

/// The id of a container that ended as soon as it was started, and badly.
fn ended_id(status: &ContainerStatus) -> Option<&str> {
    let ended = pod_view::ended(status).or_else(|| {
        status.state.as_ref()?.waiting.as_ref()?;
        pod_view::ended_before(status)
    })?;
    let at_once = pod_view::run_time(ended)? < thresholds::NO_RUN;
    let id = ended.container_id.as_deref()?;
    (ended.exit_code != 0 && (at_once || status.name == dapr::SIDECAR)).then_some(id)
}

/// The diagnosis, if a text says that the kernel refused the program: the runtime's error, or the end of the container's
/// log, which is the only place where crun and runc report it.
pub fn diagnose(pod: &Pod, status: &ContainerStatus, message: &str) -> Option<Diagnosis> {
    let line = message
        .lines()
        .find(|line| contains_any(line, &["exec format error"]))?;
    let class = pod.spec.as_ref().and_then(|spec| spec.runtime_class_name.as_deref());
    let annotated = is_annotated(pod);
    let program = program(line);
    let is_module = program.is_none_or(|program| WASM_ENDINGS.iter().any(|ending| program.ends_with(ending)));
    let shown = program.map_or("its entrypoint".to_owned(), |program| format!("`{program}`"));
    let start = start(pod, status);
    let diagnosis = match (annotated, class) {
        (false, None) if !is_module => Diagnosis::new(
            &IMAGE_FOR_ANOTHER_PLATFORM,
            format!("{start}: {shown} is not a program for this node's processor"),
            "build the image for the nodes' platform: `kubectl get nodes --label-columns kubernetes.io/arch`",
        ),
        (false, _) => {
            let ran = format!("{start}: {shown} was run as a native program, not by WasmEdge");
            annotation_lost(&ran, class)
        }
        (true, _) if !is_module => Diagnosis::new(
            &ENTRYPOINT_NOT_WASM,
            format!("{start}: {shown} was run as a native program, not by WasmEdge: it does not end in .wasm"),
            "let the image's entrypoint, or the container's `command`, be the module's path with its ending .wasm",
        ),
        (true, Some(class)) => Diagnosis::new(
            &HANDLER_WITHOUT_WASM,
            format!(
                "{start}: {shown} was run as a native program, not by WasmEdge, though the pod has the annotation: the \
                 runtime behind `runtimeClassName: {class}` does not run Wasm"
            ),
            format!(
                "look which handler it is, `kubectl get runtimeclass {class}`: on the node it must be crun with WasmEdge, \
                 and containerd's entry for it must list `module.wasm.image/*` under pod_annotations; `deploy-tool cluster \
                 up` makes such nodes"
            ),
        ),
        (true, None) => Diagnosis::new(
            &HANDLER_WITHOUT_WASM,
            format!("{start}: {shown} was run by the node's ordinary runtime: the pod has no runtimeClassName"),
            "set `runtimeClassName: crun-wasm` in the pod template",
        ),
    };
    Some(diagnosis.detail(vec![line.to_owned()]))
}

/// The diagnosis, if a container of a pod for Wasm has ended as a shared object does that is run as a native program: at once,
/// without a word.
pub fn diagnose_silent(pod: &Pod, status: &ContainerStatus, exit_code: i32, log: &str) -> Option<Diagnosis> {
    let class = pod.spec.as_ref()?.runtime_class_name.as_deref()?;
    let is_silent_segfault = exit_code == SEGMENTATION_FAULT && log.trim().is_empty() && !is_annotated(pod);
    let ran = "its entrypoint ended by a segmentation fault before it said a word, as a module compiled to a shared object does \
               that is run as a native program";
    is_silent_segfault.then(|| annotation_lost(&format!("{}: {ran}", start(pod, status)), Some(class)))
}

fn start(pod: &Pod, status: &ContainerStatus) -> String {
    format!(
        "container `{}` of {} on node `{}`",
        status.name,
        pod_view::title(pod),
        pod_view::node(pod)
    )
}

fn is_annotated(pod: &Pod) -> bool {
    let annotations = pod.metadata.annotations.as_ref();
    annotations.is_some_and(|all| all.contains_key(WASM_ANNOTATION))
}

fn annotation_lost(ran: &str, class: Option<&str>) -> Diagnosis {
    Diagnosis::new(
        &ANNOTATION_LOST,
        format!("{ran}: the pod has no annotation `{WASM_ANNOTATION}`"),
        format!(
            "write `{WASM_ANNOTATION}: compat-smart` under `spec.template.metadata.annotations`{}",
            class_advice(class)
        ),
    )
}

fn class_advice(class: Option<&str>) -> &'static str {
    match class {
        Some(_) => "",
        None => ", and set `runtimeClassName: crun-wasm` beside its containers",
    }
}

/// The program's path. crun: exec container process `/app.wasm`: Exec format error; runc: exec /app.wasm: exec format error.
fn program(line: &str) -> Option<&str> {
    if let Some((_, rest)) = line.split_once("exec container process `") {
        return rest.split_once('`').map(|(program, _)| program);
    }
    let (_, rest) = line.split_once("exec ")?;
    let (program, _) = rest.split_once(": ")?;
    Some(program.trim_matches('"')).filter(|program| program.starts_with('/'))
}
