//! Pure: build scripts that compile C code, or look for a native library.

use super::finding::{Finding, Location, Remedy, Weight};
use super::source::Uses;
use super::walk::SourceFile;

/// The crates for native code in build scripts, and the missing tool for each.
const CRATES: [(&str, &str); 7] = [
    (
        "autotools",
        "compiles C code, and the builder has no C compiler for Wasm",
    ),
    ("bindgen", "reads headers of C, and the builder has no libclang"),
    ("cc", "compiles C code, and the builder has no C compiler for Wasm"),
    (
        "cmake",
        "compiles C code, and the builder has neither CMake nor a C compiler for Wasm",
    ),
    ("pkg_config", "looks for a native library, and there is none for Wasm"),
    ("system_deps", "looks for a native library, and there is none for Wasm"),
    ("vcpkg", "looks for a native library, and there is none for Wasm"),
];
/// The instruction of a build script to link a native library, after `cargo:` or `cargo::`.
const LINKS: &str = "rustc-link-lib=";
/// Signs of conditions on the target or features in a build script.
const CONDITIONS: [&str; 3] = ["CARGO_CFG_", "CARGO_FEATURE_", "\"TARGET\""];
const FIX: &str = "a crate in Rust alone; what is for the native build only: `if std::env::var(\"CARGO_CFG_TARGET_OS\").as_deref() == Ok(\"wasi\") \
                   { return; }` in the build script, and `#[cfg(not(target_os = \"wasi\"))]` where it is called";

/// What a build script does with C code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeCode {
    /// What it does, and the missing tool.
    pub what: String,
    line: usize,
    /// Whether it has conditions on the target or features, so that it may do something else for Wasm.
    pub is_conditional: bool,
}

/// What a file of a build script does with C code.
pub fn native_code(uses: &Uses) -> Option<NativeCode> {
    let by_crate = uses.paths.iter().filter_map(|(path, line)| {
        let first = path.split("::").next()?;
        let (name, what) = CRATES
            .iter()
            .find(|(name, _)| *name == first && path.len() > name.len())?;
        Some((*line, format!("the build script {what} (`{name}`)")))
    });
    let links = uses.literals.iter().filter(|(text, _)| text.contains(LINKS));
    let by_line = links.map(|(_, line)| {
        let what = "the build script links a native library, and there is none for Wasm";
        (*line, what.to_owned())
    });
    let (line, what) = by_crate.chain(by_line).min()?;
    let has_condition = |(text, _): &(String, usize)| CONDITIONS.iter().any(|one| text.contains(one));
    Some(NativeCode {
        what,
        line,
        is_conditional: uses.names.contains("cfg") || uses.literals.iter().any(has_condition),
    })
}

/// The traps of a package's own build scripts, by their files.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let found = files.iter().filter_map(|file| Some((file, native_code(&file.uses)?)));
    let finding = |(file, code): (&SourceFile, NativeCode)| {
        let (weight, remedy, what) = if code.is_conditional {
            (
                Weight::Wrong,
                Remedy::Line,
                format!("unless it does not for Wasm: {}", code.what),
            )
        } else {
            (Weight::Compile, Remedy::Redesign, code.what)
        };
        Finding {
            trap: "c-code",
            weight,
            remedy,
            location: Location::File {
                path: file.path.clone(),
                line: code.line,
            },
            what,
            fix: FIX.to_owned(),
        }
    };
    found.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traps::source;

    fn code(text: &str) -> Option<NativeCode> {
        native_code(&source::uses(text, &["tls".to_owned()].into()).unwrap())
    }

    #[test]
    fn what_takes_c_code_is_told_by_its_line() {
        for (text, line, word) in [
            (
                "fn main() {\n    cc::Build::new().file(\"x.c\").compile(\"x\");\n}",
                2,
                "C compiler",
            ),
            (
                "use cmake::Config;\nfn main() { Config::new(\"x\").build(); }",
                1,
                "CMake",
            ),
            ("fn main() {\n\n bindgen::builder().generate(); }", 3, "libclang"),
            (
                "fn main() { pkg_config::probe_library(\"z\").unwrap(); }",
                1,
                "native library",
            ),
            ("fn main() { println!(\"cargo::rustc-link-lib=z\"); }", 1, "links"),
            ("fn main() { println!(\"cargo:rustc-link-lib=static=z\"); }", 1, "links"),
            (
                "#[cfg(feature = \"tls\")]\nfn x() {\n cc::Build::new(); }",
                3,
                "C compiler",
            ),
        ] {
            let found = code(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.line, found.is_conditional), (line, false), "{text}");
            assert!(found.what.contains(word), "{}", found.what);
        }
    }

    #[test]
    fn what_a_script_does_under_a_condition_may_not_be_done() {
        for condition in [
            "if std::env::var(\"CARGO_CFG_TARGET_OS\").unwrap() == \"wasi\" { return; }",
            "if env::var_os(\"CARGO_FEATURE_TEST\").is_none() { return; }",
            "if env::var(\"TARGET\").unwrap().starts_with(\"wasm32\") { return; }",
            "if cfg!(feature = \"x\") { return; }",
        ] {
            let found = code(&format!("fn main() {{ {condition} cc::Build::new(); }}")).unwrap();
            assert!(found.is_conditional, "{condition}");
        }
    }

    #[test]
    fn other_build_scripts_are_fine() {
        for text in [
            "fn main() { println!(\"cargo:rerun-if-changed=build.rs\"); }",
            "// cc::Build::new()\nfn main() { let cc = 1; prost_build::compile_protos(&[\"a\"], &[\".\"]).unwrap(); }",
            "#[cfg(feature = \"native\")]\nfn x() { cc::Build::new(); }\nfn main() {}",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
