//! What `deploy-tool inspect` says of images with and without known traps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use deploy_tool::cli::RegistryArguments;
use deploy_tool::commands::inspect;
use deploy_tool::report::image_text as text;
use oci_artifacts::image::specification::{INDEX, Index, MANIFEST, Manifest, Platform};
use oci_artifacts::image::{self, Blob, Compiled, Contents, Definition, ExtraFile, Layout, store};
use oci_artifacts::inspect::{Report, SERVICES};

#[path = "../crates/oci-artifacts/src/wasm/example.rs"]
mod example;
use example::module as bytes_of_module;

const WASI: &str = "wasi_snapshot_preview1";
const RUNS: [(&str, u8); 2] = [("_start", 0), ("memory", 2)];

/// How an image is built that has, or has not, a trap.
struct Built {
    definition: Definition,
    import: (&'static str, &'static str),
    engine: Option<&'static str>,
    format: u8,
    with_services: bool,
}

impl Default for Built {
    fn default() -> Self {
        let definition = include_str!("../../oci/app/image.yaml");
        Self {
            definition: Definition::parse("app", definition).unwrap(),
            import: (WASI, "sock_getaddrinfo"),
            engine: Some("0.14.1"),
            format: 1,
            with_services: true,
        }
    }
}

impl Built {
    fn layout(mut self) -> Layout {
        let services = ExtraFile {
            path: SERVICES.into(),
            source: String::new(),
        };
        self.definition.files = self.with_services.then_some(services).into_iter().collect();
        let module = bytes_of_module(self.import, &RUNS, &[]);
        let mut compiled = bytes_of_module(self.import, &RUNS, &["wasmedge"]);
        let head = compiled.len() - 4;
        compiled[head] = self.format;
        let contents = Contents {
            definition: &self.definition,
            module: &module,
            compiled: self.engine.map(|engine| Compiled {
                bytes: &compiled,
                engine,
            }),
            files: vec![b"http 80/tcp\n".to_vec()],
            annotations: BTreeMap::from([("org.opencontainers.image.title".into(), "app".into())]),
            index_annotations: BTreeMap::new(),
        };
        let variants = image::variants(&contents).unwrap().into_iter().map(|variant| {
            let compressed = image::compress(&variant.tar).unwrap();
            (variant, compressed)
        });
        image::pack(&contents, variants.collect()).unwrap()
    }
}

/// The image of the first platform alone, changed.
fn single(mut layout: Layout, change: impl Fn(&mut Manifest)) -> Layout {
    let mut manifest = Manifest::from_blob(&layout.manifests[0]).unwrap();
    change(&mut manifest);
    layout.root = Blob::from_bytes(MANIFEST, serde_json::to_vec(&manifest).unwrap());
    layout.manifests.clear();
    layout
}

fn report(what: &str) -> diagnostics::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(inspect::report(what, &RegistryArguments::default(), |_| {}))
}

fn reported(layout: &Layout) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    store::write(&path, layout).unwrap();
    report(path.to_str().unwrap()).unwrap()
}

fn numbers(report: &Report) -> Vec<&str> {
    report.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

#[test]
fn a_good_image_has_no_trap_and_everything_is_told() {
    let mut layout = Built::default().layout();
    image::attach(&mut layout, oci_artifacts::bom::MEDIA_TYPE, b"{}".to_vec()).unwrap();
    let report = reported(&layout);
    assert_eq!(report.warnings, []);
    assert_eq!(report.name, layout.name);
    assert_eq!(report.attached[0].kind, "application/vnd.cyclonedx+json");
    let platforms: Vec<&str> = report.platforms.iter().map(|entry| entry.platform.as_str()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    let engines: Vec<Option<&str>> = report.platforms.iter().map(|entry| entry.engine.as_deref()).collect();
    assert_eq!(engines, [Some("0.14.1"), None]);
    assert_eq!(report.modules.len(), 2);
    assert_eq!(report.modules[0].imports[0].offered_by, "WasmEdge sockets");
    let text = text(&report);
    for expected in [
        "title   app\n",
        "linux/amd64  0.0 MB  1       /app.wasm   65532  native for linux/amd64, format 1, WasmEdge 0.14.1\n",
        "linux/arm64  0.0 MB  1       /app.wasm   65532  interpreted\n",
        "WasmEdge sockets  wasi_snapshot_preview1  1\n",
        "no known trap",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn each_trap_has_its_number() {
    let good = Built::default;
    let with = |change: fn(&mut Definition)| {
        let mut built = good();
        change(&mut built.definition);
        built.layout()
    };
    let named = |name: &str| Layout {
        name: Some(name.to_owned()),
        ..good().layout()
    };
    let wasi = |mut layout: Layout| {
        let mut index = Index::from_blob(&layout.root).unwrap();
        index.manifests[1].platform = Some(Platform {
            architecture: "wasm".into(),
            os: "wasi".into(),
            variant: None,
        });
        layout.root = Blob::from_bytes(INDEX, serde_json::to_vec(&index).unwrap());
        layout
    };
    let cases: [(&[&str], Layout); 14] = [
        (&[], single(good().layout(), |_| {})),
        (
            &["DT0602"],
            single(good().layout(), |manifest| manifest.annotations.clear()),
        ),
        (
            &["DT0603", "DT0603"],
            with(|definition| definition.module = "/app".into()),
        ),
        (
            &["DT0603", "DT0603"],
            with(|definition| definition.module = "/bin/app".into()),
        ),
        (
            &["DT0604", "DT0604"],
            Built {
                with_services: false,
                ..good()
            }
            .layout(),
        ),
        (
            &["DT0605"],
            Built {
                engine: Some("0.15.0"),
                ..good()
            }
            .layout(),
        ),
        (&["DT0605"], Built { format: 2, ..good() }.layout()),
        (&["DT0606"], wasi(good().layout())),
        (&["DT0607"], named("docker.io/x/y:latest")),
        (&["DT0607"], named("localhost:5000/y")),
        (
            &["DT0609", "DT0608"],
            Built {
                import: ("env", "puts"),
                engine: None,
                ..good()
            }
            .layout(),
        ),
        (&["DT0609"], Built { engine: None, ..good() }.layout()),
        (
            &["DT0610", "DT0610"],
            with(|definition| definition.user = "root".into()),
        ),
        (
            &["DT0611"],
            single(good().layout(), |manifest| {
                manifest.layers[0].media_type = "tar+zstd".into()
            }),
        ),
    ];
    for (expected, layout) in cases {
        let report = reported(&layout);
        assert_eq!(numbers(&report), expected, "{:?}", report.warnings);
        for number in expected {
            assert!(diagnostics::code::find(number).is_some());
        }
    }
}

#[test]
fn native_code_of_another_architecture_is_a_trap() {
    let mut layout = Built::default().layout();
    let mut index = Index::from_blob(&layout.root).unwrap();
    let arm = index.manifests[1].platform.clone();
    index.manifests.truncate(1);
    index.manifests[0].platform = arm;
    layout.root = Blob::from_bytes(INDEX, serde_json::to_vec(&index).unwrap());
    assert_eq!(numbers(&reported(&layout)), ["DT0605"]);
}

#[test]
fn a_module_alone_is_told_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.wasm");
    let told = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        report(path.to_str().unwrap()).unwrap()
    };
    let good = told(&bytes_of_module((WASI, "fd_write"), &RUNS, &["wasmedge"]));
    assert_eq!((good.warnings.len(), good.platforms.len()), (0, 0));
    assert_eq!(good.modules[0].native_code.as_ref().unwrap().architecture, "amd64");
    let plugin = told(&bytes_of_module(("wasi_ephemeral_nn", "load"), &RUNS, &[]));
    assert_eq!(plugin.modules[0].imports[0].offered_by, "WasmEdge plugin wasi_nn");
    assert_eq!(numbers(&plugin), ["DT0608"]);
    assert_eq!(numbers(&told(b"\0asm\x0d\0\x01\0")), ["DT0608"]);
    assert_eq!(numbers(&told(b"\0asmnothing")), ["DT0608"]);
    assert!(report("/nowhere").is_err());
}

/// Whatever is in a file, it is told or refused: nothing panics, and nothing is taken for a module that runs.
#[test]
fn damaged_modules_are_told_as_such() {
    let good = bytes_of_module((WASI, "fd_write"), &RUNS, &["wasmedge"]);
    assert_eq!(oci_artifacts::inspect::module(&good).warnings, []);
    for end in 0..good.len() - 20 {
        assert_eq!(
            numbers(&oci_artifacts::inspect::module(&good[..end])),
            ["DT0608"],
            "cut off at {end}"
        );
    }
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[place] ^= 1 << bit;
            let report = oci_artifacts::inspect::module(&bytes);
            assert_eq!(report.modules.len(), 1);
            text(&report);
        }
    }
}

#[test]
fn crates_of_the_bill_that_are_traps_are_told_with_the_fix() {
    let with_bill = |crates: &[(&str, &str)]| {
        let mut layout = Built::default().layout();
        let crates: Vec<_> = crates
            .iter()
            .map(|(name, version)| serde_json::json!({"name": name, "version": version}))
            .collect();
        let bill = serde_json::json!({"bomFormat": "CycloneDX", "components": crates});
        image::attach(
            &mut layout,
            oci_artifacts::bom::MEDIA_TYPE,
            bill.to_string().into_bytes(),
        )
        .unwrap();
        reported(&layout)
    };
    let report = with_bill(&[("mio_wasi", "0.8.8"), ("tokio_wasi", "1.25.2"), ("tokio", "1.40.0")]);
    assert_eq!(numbers(&report), ["DT0615", "DT0615"]);
    let text = text(&report);
    for expected in ["mio_wasi 0.8.8", "cargo update -p mio_wasi", "[two-runtimes]"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let fine = [
        ("mio_wasi", "0.8.9"),
        ("tokio_wasi", "1.25.2"),
        ("hyper_wasi", "0.15.2"),
    ];
    assert_eq!(numbers(&with_bill(&fine)), [""; 0]);
}

/// A module does not show how its server writes: what `build` saw in the sources is in the bill.
#[test]
fn traps_of_the_sources_are_told_of_the_image() {
    let with_properties = |properties: serde_json::Value| {
        let mut layout = Built::default().layout();
        let bill = serde_json::json!({"bomFormat": "CycloneDX", "metadata": {"properties": properties}});
        let bytes = bill.to_string().into_bytes();
        image::attach(&mut layout, oci_artifacts::bom::MEDIA_TYPE, bytes).unwrap();
        reported(&layout)
    };
    let told = "src/main.rs:14 [two-packets]: slow; fix: `.http1_writev(false)`";
    let report = with_properties(serde_json::json!([
        {"name": "deploy-tool:trap:two-packets", "value": told},
        {"name": "cdx:reproducible", "value": "true"},
    ]));
    assert_eq!(numbers(&report), ["DT0615"]);
    assert!(text(&report).contains(told), "{}", text(&report));
    assert_eq!(numbers(&with_properties(serde_json::json!([]))), [""; 0]);
}

/// Somebody else's module says by the places of its panics what is in it.
#[test]
fn crates_that_a_module_names_are_told_where_there_is_no_bill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.wasm");
    let told = |names: &str| {
        let mut bytes = bytes_of_module((WASI, "fd_write"), &RUNS, &[]);
        let section = [&[1, b'x'], names.as_bytes()].concat();
        bytes.extend([&[0, u8::try_from(section.len()).unwrap()], section.as_slice()].concat());
        std::fs::write(&path, bytes).unwrap();
        report(path.to_str().unwrap()).unwrap()
    };
    let spins = told("/mio_wasi-0.8.8/src/lib.rs");
    assert_eq!(numbers(&spins), ["DT0615"]);
    assert!(text(&spins).contains("cargo update -p mio_wasi"), "{}", text(&spins));
    let serves = told("/hyper_wasi-0.15.2/src/server/conn.rs");
    assert_eq!(numbers(&serves), ["DT0615"]);
    assert!(text(&serves).contains("[two-packets]"), "{}", text(&serves));
    assert_eq!(numbers(&told("/hyper_wasi-0.15.2/src/client/conn.rs")), [""; 0]);
}
