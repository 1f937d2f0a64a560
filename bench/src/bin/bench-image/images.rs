//! Edge: what is built and pushed.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use bench::process::output;
use serde_json::{Value, json};

use crate::programs::LABEL;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The service as `docker build` takes it: the image that oci/app defines, with a module that is compiled already.
const DOCKERFILE: &str = "FROM scratch
COPY services /etc/services
COPY app.wasm /app.wasm
USER 65532
STOPSIGNAL SIGKILL
LABEL module.wasm.image/variant=compat-smart
ENTRYPOINT [\"/app.wasm\"]
";

/// Writes the folder of a service. Its module carries a note, in a custom section that engines ignore: equal notes make
/// equal modules.
/// <https://webassembly.github.io/spec/core/binary/modules.html#custom-section>
pub fn write_service(folder: &Path, module: &[u8], note: &str) -> Result<()> {
    const NAME: &[u8] = b"bench";
    fs::create_dir_all(folder)?;
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).context("too long a note");
    let section = [&[length(NAME)?], NAME, note.as_bytes()].concat();
    // Sizes below 128 are one byte of LEB128.
    let changed = [module, &[0, length(&section)? & 0x7f], &section].concat();
    fs::write(folder.join("app.wasm"), changed)?;
    fs::copy("oci/services", folder.join("services"))?;
    fs::write(folder.join("Dockerfile"), format!("{DOCKERFILE}LABEL {LABEL}\n"))?;
    Ok(())
}

/// Writes an image with one layer of so many millions of random bytes, as an OCI layout.
pub fn write_layout(folder: &Path, megabytes: u32) -> Result<()> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let content = blobs.join("content");
    let random = File::open("/dev/urandom")?;
    std::io::copy(
        &mut random.take(u64::from(megabytes) * 1_000_000),
        &mut File::create(&content)?,
    )?;
    let tar = blobs.join("tar");
    output(
        Command::new("tar")
            .arg("--create")
            .arg("--file")
            .arg(&tar)
            .arg("--directory")
            .arg(&blobs)
            .arg("content"),
    )?;
    fs::remove_file(content)?;
    let layer = name_blob(&blobs, LAYER, &tar)?;
    let configuration = json!({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/none"]},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}});
    let configuration = document(&blobs, CONFIGURATION, &configuration)?;
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": [layer]});
    let manifest = document(&blobs, MANIFEST, &manifest)?;
    fs::write(
        folder.join("index.json"),
        json!({"schemaVersion": 2, "manifests": [manifest]}).to_string(),
    )?;
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(())
}

fn document(blobs: &Path, media_type: &str, value: &Value) -> Result<Value> {
    let path = blobs.join("document");
    File::create(&path)?.write_all(value.to_string().as_bytes())?;
    name_blob(blobs, media_type, &path)
}

/// Names a blob by its digest. Returns its descriptor.
fn name_blob(blobs: &Path, media_type: &str, path: &Path) -> Result<Value> {
    let said = output(Command::new("sha256sum").arg(path))?;
    let digits = said.split_whitespace().next().context("sha256sum says nothing")?;
    let size = fs::metadata(path)?.len();
    fs::rename(path, blobs.join(digits))?;
    Ok(json!({"mediaType": media_type, "digest": format!("sha256:{digits}"), "size": size}))
}
