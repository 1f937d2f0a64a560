//! `deploy-tool version`: its version, and those it is made for.

use serde::Serialize;

use crate::settings::KUBERNETES_VERSIONS;
use host::tool_image;
use oci_artifacts::wasm::ENGINE_VERSION;
use terminal::Printer;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    schema: &'static str,
    version: &'static str,
    /// The commit that a released program is made from, see scripts/release/binary.
    revision: Option<&'static str>,
    kubernetes: &'static [&'static str],
    engine: &'static str,
    engine_version: &'static str,
    /// From where it pulls the images that it works with.
    images: Option<&'static str>,
}

/// Runs the command.
pub fn run(printer: &Printer) {
    let version = Version {
        schema: "deploy-tool.dev/version/v1",
        version: env!("CARGO_PKG_VERSION"),
        revision: option_env!("DEPLOY_TOOL_REVISION"),
        kubernetes: KUBERNETES_VERSIONS,
        engine: "WasmEdge",
        engine_version: ENGINE_VERSION,
        images: tool_image::release_registry(),
    };
    let images = version.images.map(|images| format!("\nImages      {images}"));
    let revision = version.revision.map(|revision| format!(" ({revision})"));
    let text = format!(
        "deploy-tool {}{}\nKubernetes  {}\n{}    {}{}",
        version.version,
        revision.unwrap_or_default(),
        version.kubernetes.join(", "),
        version.engine,
        version.engine_version,
        images.unwrap_or_default(),
    );
    printer.result(&version, &text);
}
