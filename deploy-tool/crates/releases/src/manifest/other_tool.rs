//! Pure: recognizes files of kustomize and Helm by their names or contents.

use std::path::Path;

use serde_json::{Map, Value};

use super::problem::Problem;
use diagnostics::Error;
use diagnostics::code::input::OTHER_TOOL;

/// What Helm runs at one moment. <https://helm.sh/docs/topics/charts_hooks/>
const HOOK_ANNOTATION: &str = "helm.sh/hook";

/// The names that kustomize looks for in a folder. `kind` is optional in such a file.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The error for a folder with such a file, with a hint what to do instead of applying it.
pub fn refuse_folder(folder: &Path, names: &[&str]) -> Option<Error> {
    let has = |wanted: &[&'static str]| wanted.iter().find(|name| names.contains(name)).copied();
    let (file, tool, hint) = match has(&KUSTOMIZATIONS) {
        Some(file) => (file, "kustomize", kustomize(folder)),
        None => (has(&["Chart.yaml"])?, "Helm", helm(folder)),
    };
    Some(
        Error::input(format!("the folder `{}` is made for {tool}", folder.display()))
            .code(&OTHER_TOOL)
            .cause(format!("it has a {file}, and what lies beside it is only its input"))
            .hint(hint),
    )
}

/// The same of a single document.
pub fn refuse(file: &str, object: &Map<String, Value>) -> Option<Problem> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let folder = match Path::new(file).parent() {
        _ if !file.contains(['/', '.']) => Path::new("FOLDER"),
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("."),
    };
    let is_chart = matches!(text("apiVersion"), "v1" | "v2")
        && !object.contains_key("kind")
        && object.contains_key("name")
        && object.contains_key("version");
    let name = Path::new(file)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_kustomization = text("apiVersion").starts_with("kustomize.config.k8s.io/")
        || KUSTOMIZATIONS.contains(&name) && !object.contains_key("kind");
    let (message, hint) = if is_kustomization {
        ("this is a file of kustomize", kustomize(folder))
    } else if is_chart {
        ("this describes a chart of Helm", helm(folder))
    } else {
        return hook(object);
    };
    Some(Problem::new(&OTHER_TOOL, "", message, hint))
}

fn hook(object: &Map<String, Value>) -> Option<Problem> {
    let metadata = object.get("metadata")?;
    let moment = metadata.get("annotations")?.get(HOOK_ANNOTATION)?;
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let name = metadata.get("name").and_then(Value::as_str).unwrap_or_default();
    Some(Problem::new(
        &OTHER_TOOL,
        format!("/metadata/annotations/{}", HOOK_ANNOTATION.replace('/', "~1")),
        format!(
            "{kind} `{name}` is a hook of Helm ({}), run at one moment and not kept",
            moment.as_str().unwrap_or_default()
        ),
        "leave it out: `helm template NAME CHART --no-hooks`; or remove the annotation, and it is applied as any other object",
    ))
}

fn kustomize(folder: &Path) -> String {
    format!(
        "let kustomize make the objects: `kubectl kustomize {} | deploy-tool apply -f -`",
        folder.display()
    )
}

fn helm(folder: &Path) -> String {
    format!(
        "let Helm make the objects: `helm template NAME {} --no-hooks | deploy-tool apply -f -`",
        folder.display()
    )
}
