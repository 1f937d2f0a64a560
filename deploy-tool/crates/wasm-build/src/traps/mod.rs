//! Traps: code that is known to fail or to be slow in a Wasm guest, found in manifests, lock files and sources.
//! docs/wasi-crates.md lists each by its name.

mod build_script;
pub mod check;
pub mod compiler;
pub mod crates;
pub mod finding;
pub mod graph;
pub mod paths;
pub mod source;
pub mod walk;

pub use finding::{Finding, Location, Remedy, Weight};
pub use graph::{CrateSource, GuestCrate, GuestGraph};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The names that the code gives, and those of the page.
    #[test]
    fn every_trap_is_documented() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let page = read("docs/wasi-crates.md");
        let (_, table) = page.split_once("| name | seen in |").unwrap();
        let documented = table
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let documented: BTreeSet<&str> = documented.collect();
        let sources = [
            "deploy-tool/crates/wasm-build/src/traps/build_script.rs",
            "deploy-tool/crates/wasm-build/src/traps/crates/mod.rs",
            "deploy-tool/crates/wasm-build/src/traps/crates/rules.rs",
            "deploy-tool/crates/wasm-build/src/traps/paths/mod.rs",
            "deploy-tool/src/adoption/survey.rs",
        ]
        .map(read);
        let code = sources.iter().map(|text| text.split("mod tests").next().unwrap());
        let code: String = code.collect();
        let starts = ["trap: ", "finding("]
            .into_iter()
            .flat_map(|start| code.split(start).skip(1));
        let given = starts.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        let given: BTreeSet<&str> = given.collect();
        assert_eq!(given, documented);
    }
}
