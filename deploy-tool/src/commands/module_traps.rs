//! The traps of modules for `inspect`: by their bill of materials, or else by the paths in the module.

use std::collections::BTreeSet;

use diagnostics::code::image::CRATE_TRAP;
use oci_artifacts::bom::TRAP_PROPERTY;
use oci_artifacts::inspect::Warning;
use oci_artifacts::wasm::crates;
use serde::Deserialize;
use wasm_build::traps::crates::check_crates;
use wasm_build::traps::{GuestCrate, GuestGraph, Weight};

/// Limit of the warnings about sources from a bill of materials.
const MOST_SHOWN: usize = 20;
/// The crates with hyper's server, which writes head and body in two packets by default.
const HYPER: [&str; 2] = ["hyper_wasi", "hyper"];

/// The fields of a bill of materials that are read. They are empty in one of another tool.
#[derive(Default, Deserialize)]
struct Bill {
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    version: String,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: String,
}

/// The traps in bills of materials: of crates, and of sources.
pub fn bom_warnings(bills: &[Vec<u8>]) -> Vec<Warning> {
    let mut texts = BTreeSet::new();
    for bytes in bills {
        let bill: Bill = serde_json::from_slice(bytes).unwrap_or_default();
        let properties = bill.metadata.properties.iter();
        let of_sources = properties.filter(|property| property.name.starts_with(TRAP_PROPERTY));
        texts.extend(of_sources.take(MOST_SHOWN).map(|property| property.value.clone()));
        let crates = bill.components.into_iter();
        texts.extend(crate_traps(
            crates.map(|guest_crate| (guest_crate.name, guest_crate.version)),
            |_| true,
        ));
    }
    warnings(texts)
}

/// The traps that modules show where nothing is known of how they were made.
pub fn module_warnings<'module>(modules: impl IntoIterator<Item = &'module [u8]>) -> Vec<Warning> {
    let mut texts = BTreeSet::new();
    for bytes in modules {
        let named = crates::named(bytes).into_iter();
        // It has compiled.
        let is_reported = |weight| weight != Weight::Compile;
        texts.extend(crate_traps(
            named.map(|guest_crate| (guest_crate.name, guest_crate.version)),
            is_reported,
        ));
        let serves = HYPER.iter().find(|name| crates::names_file(bytes, name, "server/"));
        texts.extend(serves.map(|name| {
            format!(
                "{name} serves in it, which writes head and body in two packets unless it is told otherwise, 44 ms for each \
                 answer of a kept connection; the module does not show whether it is [two-packets]; fix: \
                 `.http1_writev(false)` on the server's builder, where it is missing"
            )
        }));
    }
    warnings(texts)
}

fn warnings(texts: BTreeSet<String>) -> Vec<Warning> {
    texts.into_iter().map(|text| Warning::new(&CRATE_TRAP, text)).collect()
}

fn crate_traps(
    crates: impl Iterator<Item = (String, String)>,
    is_reported: impl Fn(Weight) -> bool,
) -> impl Iterator<Item = String> {
    let crates = crates.map(|(name, version)| GuestCrate {
        path: vec![name.clone()],
        name,
        version,
        ..GuestCrate::default()
    });
    let graph = GuestGraph {
        crates: crates.collect(),
        is_exact: true,
        ..GuestGraph::default()
    };
    let findings = check_crates(&graph).into_iter();
    let reported = findings.filter(move |finding| is_reported(finding.weight));
    reported.map(|finding| format!("{} [{}]; fix: {}", finding.what, finding.trap, finding.fix))
}
