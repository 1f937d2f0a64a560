//! Packs a WebAssembly module as an OCI image, and says what the image is:
//!
//! ```sh
//! cargo run --example pack -- app.wasm target/image
//! ```
//!
//! The folder is an OCI layout: `skopeo copy oci:target/image docker://registry.example/app:1` takes it as it is. The same
//! module gives the same digest, on every machine.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use oci_artifacts::image::{self, Contents, Definition, Layout, store};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        return Err("usage: pack MODULE FOLDER".into());
    };
    let layout = pack(&std::fs::read(module)?)?;
    store::write(Path::new(folder), &layout)?;
    println!("{folder}: {}", layout.digest());
    for (platform, manifest) in oci_artifacts::inspect::images(&layout)? {
        let platform = platform.map(|platform| platform.to_string()).unwrap_or_default();
        println!(
            "  {platform}: {} ({} bytes)",
            manifest.digest,
            image::layout::pulled_size(manifest)?
        );
    }
    Ok(())
}

/// An image of a module alone, without code compiled ahead of time.
fn pack(module: &[u8]) -> Result<Layout, Box<dyn Error>> {
    let definition = Definition::for_package("app");
    let contents = Contents {
        definition: &definition,
        module,
        compiled: None,
        files: Vec::new(),
        annotations: BTreeMap::from([("org.opencontainers.image.title".to_owned(), "app".to_owned())]),
        index_annotations: BTreeMap::new(),
    };
    let mut compressed = Vec::new();
    for variant in image::variants(&contents)? {
        let layer = image::compress(&variant.tar)?;
        compressed.push((variant, layer));
    }
    Ok(image::pack(&contents, compressed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_with_the_same_digest() -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("image");
        let layout = pack(b"\0asm\x01\0\0\0")?;
        store::write(&path, &layout)?;
        let read = store::read(&path)?;
        assert_eq!(read.digest(), layout.digest());
        assert_eq!(pack(b"\0asm\x01\0\0\0")?.digest(), layout.digest());
        assert_ne!(pack(b"\0asm\x01\0\0\0\0\x02\x01x")?.digest(), layout.digest());
        Ok(())
    }
}
