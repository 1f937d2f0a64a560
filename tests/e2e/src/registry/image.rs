//! An image of random bytes, as a layout in a folder.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::random::Random;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An image with layers of random bytes, and something attached to it.
pub struct Image {
    folder: tempfile::TempDir,
    /// The digest of its index.
    pub digest: String,
    /// The digest of what is attached to it.
    pub referrer: String,
}

impl Image {
    /// One for Linux on x86-64 with layers of these sizes.
    pub fn new(seed: u64, layers: &[usize]) -> Self {
        Self::for_architecture("amd64", seed, layers)
    }

    /// One for Linux on a processor.
    pub fn for_architecture(architecture: &str, seed: u64, layers: &[usize]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs(folder.path().join("blobs/sha256"));
        fs::create_dir_all(&blobs.0).unwrap();
        let mut random = Random::new(seed);
        let layers: Vec<Value> = layers.iter().map(|size| blobs.layer(&mut random, *size)).collect();
        let diff_ids: Vec<Value> = layers.iter().map(|layer| layer["digest"].clone()).collect();
        let configuration = json!({"architecture": architecture, "os": "linux", "config": {"Entrypoint": ["/none"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let configuration = blobs.json(CONFIGURATION, &configuration);
        let mut manifest = blobs.json(
            MANIFEST,
            &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": layers}),
        );
        manifest["platform"] = json!({"architecture": architecture, "os": "linux"});
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = blobs.json(
            kind,
            &json!({"schemaVersion": 2, "mediaType": kind, "manifests": [manifest]}),
        );
        let list = json!({"schemaVersion": 2, "manifests": [index]});
        fs::write(folder.path().join("index.json"), list.to_string()).unwrap();
        fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let mut image = Self {
            folder,
            digest: text(&index["digest"]),
            referrer: String::new(),
        };
        image.referrer = image.attach("text/plain", &json!("attached"));
        image
    }

    /// Attaches a document. Returns the digest of its manifest.
    pub fn attach(&self, kind: &str, document: &Value) -> String {
        let blobs = Blobs(self.folder.path().join("blobs/sha256"));
        let path = self.folder.path().join("index.json");
        let mut list: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let empty = blobs.json("application/vnd.oci.empty.v1+json", &json!({}));
        let attached = blobs.json(kind, document);
        let referrer = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": empty,
            "layers": [attached], "subject": list["manifests"][0]});
        let referrer = blobs.json(MANIFEST, &referrer);
        let digest = text(&referrer["digest"]);
        list["manifests"].as_array_mut().unwrap().push(referrer);
        fs::write(path, list.to_string()).unwrap();
        digest
    }

    /// The folder.
    pub fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

struct Blobs(PathBuf);

impl Blobs {
    fn json(&self, media_type: &str, value: &Value) -> Value {
        let path = self.0.join("new");
        fs::write(&path, value.to_string()).unwrap();
        self.named(media_type, &path)
    }

    /// A tar file with one file of random bytes.
    fn layer(&self, random: &mut Random, size: usize) -> Value {
        let content = self.0.join("content");
        let mut file = BufWriter::new(File::create(&content).unwrap());
        for _ in 0..size / 2 {
            file.write_all(&(random.below(1 << 16) as u16).to_le_bytes()).unwrap();
        }
        file.into_inner().unwrap();
        let path = self.0.join("new");
        let tar = [
            "--create",
            "--sort=name",
            "--mtime=@0",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
        ];
        let status = Command::new("tar")
            .args(tar)
            .arg("--file")
            .arg(&path)
            .arg("--directory")
            .arg(&self.0)
            .arg("content")
            .status();
        assert!(status.unwrap().success());
        fs::remove_file(content).unwrap();
        self.named(LAYER, &path)
    }

    /// Names a blob by its digest. Returns its descriptor.
    fn named(&self, media_type: &str, path: &Path) -> Value {
        let output = Command::new("sha256sum").arg(path).output().unwrap().stdout;
        let digits = String::from_utf8(output).unwrap()[..64].to_owned();
        let size = fs::metadata(path).unwrap().len();
        fs::rename(path, self.0.join(&digits)).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{digits}"), "size": size})
    }
}
