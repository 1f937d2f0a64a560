//! The known traps, each with its number.

use super::report::{ModuleReport, PlatformReport, Report, Warning};
use crate::image::Layout;
use crate::wasm::{ENGINE_VERSION, NATIVE_CODE_FORMAT};
use diagnostics::code::{Code, image as codes};

/// The architecture for which modules are compiled ahead of time.
const COMPILED: &str = "amd64";

/// The traps of an image.
pub fn for_image(report: &Report) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = report.name.as_deref().and_then(name).into_iter().collect();
    for platform in &report.platforms {
        let module = report
            .modules
            .iter()
            .find(|module| platform.module.as_ref() == Some(&module.digest));
        let on_platform = |code, text: String| Warning::new(code, format!("{}: {text}", platform.platform));
        let found = of_platform(platform, module);
        warnings.extend(found.into_iter().map(|(code, text)| on_platform(code, text)));
    }
    warnings.extend(for_modules(report));
    warnings
}

/// What the image names and does not have.
pub fn absent(layout: &Layout) -> Vec<Warning> {
    let text = |platform: String| format!("{platform} is only named: its image is not there");
    let platforms = layout.absent_platforms().into_iter();
    platforms
        .map(|platform| Warning::new(&codes::PLATFORM_ABSENT, text(platform)))
        .collect()
}

/// The traps of modules, whatever platform they are for.
pub fn for_modules(report: &Report) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for module in &report.modules {
        if let Some(problem) = &module.problem {
            warnings.push(Warning::new(&codes::CANNOT_RUN, problem));
        }
        let foreign_code = module
            .native_code
            .as_ref()
            .filter(|code| code.format != NATIVE_CODE_FORMAT);
        warnings.extend(foreign_code.map(|code| {
            let text = format!(
                "the native code has format {}, of WasmEdge {}; WasmEdge {ENGINE_VERSION} takes format {NATIVE_CODE_FORMAT}",
                code.format,
                engines(code.format)
            );
            Warning::new(&codes::OTHER_ENGINE, text)
        }));
    }
    warnings
}

fn name(name: &str) -> Option<Warning> {
    let (_, tag) = name
        .rsplit_once(':')
        .filter(|(_, tag)| !tag.contains('/'))
        .unwrap_or_default();
    let exact = name.contains('@') || !matches!(tag, "" | "latest");
    (!exact).then(|| Warning::new(&codes::LATEST, format!("its name is `{name}`")))
}

fn of_platform(platform: &PlatformReport, module: Option<&ModuleReport>) -> Vec<(&'static Code, String)> {
    let mut found: Vec<(&Code, String)> = Vec::new();
    if let Some(why) = &platform.not_seen {
        found.push((&codes::NOT_SEEN, why.clone()));
    }
    let is_wasm_platform = platform.platform.starts_with("wasi") || platform.architecture.starts_with("wasm");
    if is_wasm_platform {
        found.push((&codes::WASM_PLATFORM, "no node pulls it".to_owned()));
    }
    let is_wasm = is_wasm_platform || platform.variant.is_some() || !platform.module_paths.is_empty();
    // What follows is no trap of ordinary containers.
    if !is_wasm {
        return found;
    }
    if platform.variant.is_none() {
        let text = "its manifest lacks the annotation module.wasm.image/variant";
        found.push((&codes::NO_VARIANT, text.to_owned()));
    }
    let path = platform.entrypoint.first().map_or("", String::as_str);
    if !path.starts_with('/') || !path.ends_with(".wasm") {
        let modules: Vec<&str> = platform.module_paths.iter().map(String::as_str).collect();
        let has = if modules.is_empty() {
            String::new()
        } else {
            format!("; it has {}", modules.join(", "))
        };
        found.push((&codes::ENTRYPOINT, format!("its entrypoint is `{path}`{has}")));
    }
    let user = platform.user.split(':').next().unwrap_or_default();
    if user.parse::<u32>().map_or(true, |user| user == 0) {
        found.push((&codes::ROOT, format!("its user is `{}`", platform.user)));
    }
    let Some(module) = module else { return found };
    let looks_up = module
        .imports
        .iter()
        .any(|import| import.functions.contains("sock_getaddrinfo"));
    if looks_up && !platform.has_services {
        found.push((
            &codes::NO_SERVICES,
            "it looks up host names and has no /etc/services".to_owned(),
        ));
    }
    match &module.native_code {
        Some(code) if code.architecture != platform.architecture || code.os != "linux" => found.push((
            &codes::OTHER_ENGINE,
            format!("its native code is for {}/{}", code.os, code.architecture),
        )),
        Some(_) => found.extend(other_engine(platform)),
        None if platform.architecture == COMPILED => {
            found.push((&codes::INTERPRETED, "its module has no native code".to_owned()));
        }
        None => {}
    }
    found
}

fn other_engine(platform: &PlatformReport) -> Option<(&'static Code, String)> {
    let engine = platform.engine.as_deref().filter(|engine| *engine != ENGINE_VERSION)?;
    let text = format!("it was compiled by WasmEdge {engine}, and the nodes have {ENGINE_VERSION}");
    Some((&codes::OTHER_ENGINE, text))
}

/// <https://github.com/WasmEdge/WasmEdge/blob/master/include/aot/version.h>
fn engines(format: u32) -> &'static str {
    match format {
        1 => "0.14.1 and earlier",
        2 => "0.15 to 0.17",
        _ => "another version",
    }
}
