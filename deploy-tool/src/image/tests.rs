use super::*;
use serde_json::{Value, json};

fn definition() -> Definition {
    Definition {
        package: "app".into(),
        profile: "release".into(),
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

fn image(module: &[u8]) -> Image {
    pack(&Contents {
        definition: &definition(),
        module,
        files: vec![b"http\t80/tcp\n".to_vec()],
        plain_module_digest: "abc".into(),
        engine: "0.14.1".into(),
    })
    .unwrap()
}

/// When this fails, every image gets a new digest: that is a change for users, to be made on purpose.
#[test]
fn golden_digest() {
    let digest = image(b"\0asm\x01\0\0\0").digest();
    assert_eq!(
        digest,
        "sha256:386c01883db2a4eb4cefe44ffc6d2abd5315f29d27dc643cbeb930d35aa347df"
    );
}

#[test]
fn the_digest_follows_the_contents() {
    assert_eq!(image(b"one"), image(b"one"));
    assert_ne!(image(b"one").digest(), image(b"two").digest());
}

#[test]
fn the_configuration_says_how_to_run_it() {
    let image = image(b"one");
    let configuration: Value = serde_json::from_slice(&image.configuration).unwrap();
    assert_eq!(configuration["os"], "linux");
    assert_eq!(configuration["architecture"], "amd64");
    assert_eq!(configuration["created"], "1970-01-01T00:00:00Z");
    assert_eq!(
        configuration["config"],
        json!({
            "User": "65532", "Entrypoint": ["/app.wasm"], "WorkingDir": "/", "StopSignal": "SIGKILL",
            "Labels": {
                "deploy-tool.module": "abc", "deploy-tool.wasmedge": "0.14.1",
                "module.wasm.image/variant": "compat-smart",
            },
        })
    );
    assert_eq!(configuration["rootfs"]["diff_ids"][0], digest::oci(&image.layer));
    let manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
    assert_eq!(manifest["annotations"]["module.wasm.image/variant"], "compat-smart");
    assert_eq!(manifest["config"]["digest"], digest::oci(&image.configuration));
    assert_eq!(manifest["layers"][0]["size"], image.layer.len());
}

#[test]
fn the_archive_is_a_layout_that_names_the_image() {
    let image = image(b"one");
    let bytes = archive(&image).unwrap();
    assert_eq!(bytes, archive(&image).unwrap());
    let mut found = std::collections::BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        found.insert(entry.path().unwrap().display().to_string(), content);
    }
    for blob in [&image.layer, &image.configuration, &image.manifest] {
        assert_eq!(&found[&format!("blobs/sha256/{}", digest::hex(blob))], blob);
    }
    let index: Value = serde_json::from_slice(&found["index.json"]).unwrap();
    let named = &index["manifests"][0];
    assert_eq!(named["digest"], image.digest());
    assert_eq!(named["annotations"]["io.containerd.image.name"], image.reference());
    assert_eq!(
        image.reference(),
        format!("localhost/orders:sha256-{}", digest::hex(&image.manifest))
    );
}
