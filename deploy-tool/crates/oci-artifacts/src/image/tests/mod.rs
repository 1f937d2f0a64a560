mod stored;

use std::collections::BTreeMap;

use super::*;
use crate::{Digest, digest};
use diagnostics::code;
use serde_json::{Value, json};

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn definition() -> Definition {
    Definition {
        package: "app".into(),
        workspace: None,
        profile: "release".into(),
        features: Vec::new(),
        name: "localhost/orders".into(),
        module: "/app.wasm".into(),
        user: "65532".into(),
        stop_signal: "SIGKILL".into(),
        files: vec![ExtraFile {
            path: "/etc/services".into(),
            source: "services".into(),
        }],
    }
}

pub(super) fn image(compiled: Option<&[u8]>, revision: Option<&str>) -> Layout {
    let definition = definition();
    let contents = Contents {
        definition: &definition,
        module: MODULE,
        compiled: compiled.map(|bytes| Compiled {
            bytes,
            engine: "0.14.1",
        }),
        files: vec![b"http\t80/tcp\n".to_vec()],
        annotations: BTreeMap::from([("org.opencontainers.image.title".into(), "app".into())]),
        index_annotations: revision
            .map(|revision| ("org.opencontainers.image.revision".into(), revision.into()))
            .into_iter()
            .collect(),
    };
    let variants = variants(&contents).unwrap().into_iter().map(|variant| {
        let compressed = compress(&variant.tar).unwrap();
        (variant, compressed)
    });
    pack(&contents, variants.collect()).unwrap()
}

fn document(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// When this fails, every image gets a new digest: that is a change for users, to be made on purpose.
#[test]
fn golden_digest() {
    // Enough that another version of the compressor would show.
    let bytes: Vec<u8> = (0..100_000_u32)
        .map(|number| (number.wrapping_mul(number) >> 7) as u8)
        .collect();
    assert_eq!(
        image(Some(&bytes), None).digest(),
        "sha256:bf0d9fc73d4c0037b96c5c777a332847adda8632439364d30345d22269c22c8a"
    );
}

#[test]
fn the_digest_follows_the_contents() {
    assert_eq!(image(Some(b"one"), None), image(Some(b"one"), None));
    assert_ne!(image(Some(b"one"), None).digest(), image(Some(b"two"), None).digest());
    // A revision changes the index and leaves the images as they are.
    let (without, with) = (image(None, None), image(None, Some("abc")));
    assert_ne!(without.digest(), with.digest());
    assert_eq!(without.manifests, with.manifests);
}

#[test]
fn each_platform_has_its_module_and_says_how_to_run_it() {
    let image = image(Some(b"compiled"), Some("abc"));
    let index = document(image.root.bytes());
    assert_eq!(index["annotations"]["org.opencontainers.image.revision"], "abc");
    let platforms: Vec<&Value> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|descriptor| &descriptor["platform"])
        .collect();
    assert_eq!(
        platforms,
        [
            &json!({"architecture": "amd64", "os": "linux"}),
            &json!({"architecture": "arm64", "os": "linux"}),
        ]
    );
    for (manifest, module, engine) in [
        (&image.manifests[0], b"compiled".as_slice(), Some("0.14.1")),
        (&image.manifests[1], MODULE, None),
    ] {
        let manifest = document(manifest.bytes());
        assert_eq!(
            manifest["annotations"],
            json!({"module.wasm.image/variant": "compat-smart", "org.opencontainers.image.title": "app"})
        );
        let blob = |descriptor: &Value| {
            image
                .blob(&descriptor["digest"].as_str().unwrap().parse().unwrap())
                .unwrap()
        };
        let layer = flate2::read::GzDecoder::new(blob(&manifest["layers"][0]).bytes());
        let tar = std::io::Read::bytes(layer).collect::<Result<Vec<u8>, _>>().unwrap();
        let configuration = document(blob(&manifest["config"]).bytes());
        assert_eq!(configuration["rootfs"]["diff_ids"][0], *Digest::of(&tar).as_str());
        let mut labels = json!({
            "deploy-tool.module": digest::hex(MODULE), "module.wasm.image/variant": "compat-smart",
        });
        if let Some(engine) = engine {
            labels["deploy-tool.wasmedge"] = engine.into();
        }
        assert_eq!(
            configuration["config"],
            json!({
                "User": "65532", "Entrypoint": ["/app.wasm"], "WorkingDir": "/", "StopSignal": "SIGKILL",
                "Labels": labels,
            })
        );
        let mut archive = tar::Archive::new(tar.as_slice());
        let mut first = archive.entries().unwrap().next().unwrap().unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut first, &mut bytes).unwrap();
        assert_eq!(
            (first.path().unwrap().to_str(), bytes.as_slice()),
            (Some("app.wasm"), module)
        );
    }
}

#[test]
fn what_cannot_be_read_is_not_taken_for_empty() {
    let blob = Blob::from_bytes(specification::INDEX, b"{".to_vec());
    let says = |error: LayoutError| error.to_string();
    let manifest = specification::Manifest::from_blob(&blob).unwrap_err();
    assert!(says(manifest).contains("is not a valid Manifest"));
    let index = specification::Index::from_blob(&blob).unwrap_err();
    assert!(says(index).contains("is not a valid Index"));
    let mut layout = image(None, None);
    layout.referrers.push(blob);
    assert!(layout.index().is_err() && layout.clone().without_attachments().is_err());
    // Whatever others have attached, the image is told.
    let report = crate::inspect::image(&layout, &[]).unwrap();
    assert_eq!(report.attached[0].kind, "unknown");
}

#[test]
fn without_native_code_there_is_one_layer() {
    let layers = |image: &Layout| {
        let layers = image
            .blobs
            .iter()
            .filter(|blob| blob.media_type == specification::LAYER);
        layers.count()
    };
    assert_eq!(layers(&image(None, None)), 1);
    assert_eq!(layers(&image(Some(b"compiled"), None)), 2);
}

#[test]
fn an_archive_that_is_compressed_or_cut_off_is_told_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    for (bytes, says) in [
        (&b"\x1f\x8b\x08\0\0\0\0\0"[..], "it is compressed with gzip"),
        (b"\x28\xb5\x2f\xfd\0\0\0\0", "unpack it first: `unzstd"),
        (&[b'x'; 700], ""),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = super::store::read(&path).unwrap_err();
        assert_eq!(error.number(), Some(&code::image::MALFORMED), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(
        super::store::read(&folder.path().join("absent")).unwrap_err().number(),
        None
    );
}
