//! The report for people.

use diagnostics::size::in_megabytes;
use oci_artifacts::Digest;
use oci_artifacts::inspect::{ModuleReport, PlatformReport, Report};
use terminal::aligned;

/// The report for people.
pub fn image_text(report: &Report) -> String {
    let mut text = head(report);
    if !report.platforms.is_empty() {
        let header = ["PLATFORM", "PULLED", "LAYERS", "ENTRYPOINT", "USER", "CODE"];
        let rows = report.platforms.iter().map(|platform| platform_row(report, platform));
        text.push_str(&format!("\n{}", aligned(header, rows)));
    }
    for module in &report.modules {
        let imports = module.imports.iter().map(|import| {
            let count = import.functions.len().to_string();
            [import.offered_by.clone(), import.namespace.clone(), count]
        });
        text.push_str(&format!(
            "\nmodule {}, {}, {}\n{}",
            short(&module.digest),
            in_megabytes(module.size_bytes as u64),
            code(module),
            aligned(["IMPORTS FROM", "NAMESPACE", "FUNCTIONS"], imports)
        ));
    }
    if !report.attached.is_empty() {
        let rows = report.attached.iter().map(|artifact| {
            [
                artifact.role.clone(),
                artifact.kind.clone(),
                artifact.digest.to_string(),
            ]
        });
        text.push_str(&format!("\n{}", aligned(["ATTACHED", "TYPE", "DIGEST"], rows)));
    }
    text.push('\n');
    for warning in &report.warnings {
        text.push_str(&format!("! {}: {}\n", warning.code, warning.text));
    }
    text.push_str(&match report.warnings.len() {
        0 => "no known trap".to_owned(),
        _ => format!("more: `deploy-tool explain {}`", report.warnings[0].code),
    });
    text
}

fn head(report: &Report) -> String {
    let mut rows: Vec<[String; 2]> = Vec::new();
    rows.extend(report.name.iter().map(|name| ["name".to_owned(), name.clone()]));
    rows.push(["digest".to_owned(), report.digest.to_string()]);
    for (key, value) in &report.annotations {
        let key = key.strip_prefix("org.opencontainers.image.").unwrap_or(key);
        rows.push([key.to_owned(), value.clone()]);
    }
    let mut rows = rows.into_iter();
    let first = rows.next().unwrap_or_default();
    aligned([&first[0], &first[1]], rows)
}

fn platform_row(report: &Report, platform: &PlatformReport) -> [String; 6] {
    let module = report
        .modules
        .iter()
        .find(|module| platform.module.as_ref() == Some(&module.digest));
    let pulled = platform.layers.iter().map(|layer| layer.size_bytes).sum();
    [
        platform.platform.clone(),
        in_megabytes(pulled),
        platform.layers.len().to_string(),
        platform.entrypoint.join(" "),
        platform.user.clone(),
        match (module, &platform.engine) {
            (Some(module), Some(engine)) => format!("{}, WasmEdge {engine}", code(module)),
            (Some(module), None) => code(module),
            (None, _) => "no module".to_owned(),
        },
    ]
}

fn code(module: &ModuleReport) -> String {
    match &module.native_code {
        Some(code) => {
            let form = if code.is_shared_object { ", shared object" } else { "" };
            format!(
                "native for {}/{}, format {}{form}",
                code.os, code.architecture, code.format
            )
        }
        None => "interpreted".to_owned(),
    }
}

fn short(digest: &Digest) -> &str {
    let digest = digest.as_str();
    digest.get(..19).unwrap_or(digest)
}
