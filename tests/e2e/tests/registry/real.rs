//! The registry itself: what arrives, what is not sent again, and what other clients say of it.

use std::path::Path;

use e2e::registry::{Image, PASSWORD, Registry, USER};
use e2e::{CommandOutput, deploy_tool_command};
use serde_json::Value;

use crate::Push;

/// Of a process that pushes, whatever the image's size.
const MOST_KILOBYTES: u64 = 64 << 10;

fn skopeo(registry: &Registry, arguments: &[&str]) -> CommandOutput {
    let login = format!("{USER}:{PASSWORD}");
    let options = [arguments, &["--creds", &login, "--cert-dir", "/tls"]].concat();
    registry.exec(&[&["skopeo"], options.as_slice()].concat())
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn what_is_pushed_arrives_and_is_not_sent_twice() {
    let registry = Registry::start();
    let image = Image::new(1, &[3_000_000, 40]);
    let name = format!("{}/shop/orders", registry.address);
    let push = Push::with_login(&image, &registry, "shop/orders:v1", PASSWORD);
    let output = push.run().success();
    assert_eq!(output.stdout.trim(), format!("{name}@{}", image.digest));
    assert!(output.stderr.contains("uploaded 5 blobs"), "{}", output.stderr);

    let again = push.run().success();
    assert!(
        again.stderr.contains("unchanged, it was there already"),
        "{}",
        again.stderr
    );
    assert_eq!(again.stdout, output.stdout);

    // Another tag moves no blob, and another repository of the registry only takes them over.
    let retagged =
        Push::with_login(&image, &registry, "shop/orders", PASSWORD).with(&["--tag", "v2", "--output", "json"]);
    let result: Value = serde_json::from_str(retagged.run().success().stdout.lines().last().unwrap()).unwrap();
    assert_eq!(result["data"]["uploadedBlobs"], 0);
    assert_eq!(result["data"]["changed"], true);
    let mounted = Push::with_login(&image, &registry, "shop/copy:v1", PASSWORD).with(&["--mount-from", &name]);
    let output = mounted.run().success();
    assert!(
        output.stderr.contains("took 5 blobs from another repository"),
        "{}",
        output.stderr
    );

    // A client that is not ours agrees, blob by blob.
    let found = skopeo(
        &registry,
        &[
            "inspect",
            "--format",
            "{{.Digest}}",
            "docker://localhost:5000/shop/orders:v2",
        ],
    );
    assert_eq!(found.success().stdout.trim(), image.digest);
    skopeo(
        &registry,
        &[
            "copy",
            "--all",
            "--preserve-digests",
            "--src-cert-dir",
            "/tls",
            "docker://localhost:5000/shop/orders:v1",
            "oci:/tmp/copy:v1",
        ],
    );
    let tags = skopeo(&registry, &["list-tags", "docker://localhost:5000/shop/orders"])
        .success()
        .stdout;
    assert!(!tags.contains("latest"), "{tags}");
    // What is attached to the image is found by it, on a registry that keeps no account of that itself.
    let list = image.digest.replace(':', "-");
    let list = skopeo(
        &registry,
        &[
            "inspect",
            "--raw",
            &format!("docker://localhost:5000/shop/orders:{list}"),
        ],
    );
    assert!(list.success().stdout.contains(&image.referrer));
}

/// Nobody reads a layer before the registry does; who is to blame for its bytes is told all the same.
#[test]
#[ignore = "needs Docker, see main.rs"]
fn an_image_that_is_damaged_here_is_named() {
    let registry = Registry::start();
    let image = Image::new(3, &[2_000_000]);
    let blobs = std::fs::read_dir(Path::new(image.path()).join("blobs/sha256")).unwrap();
    let layer = blobs
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let mut bytes = std::fs::read(&layer).unwrap();
    bytes[1_000_000] ^= 1;
    std::fs::write(&layer, bytes).unwrap();
    let push = Push::with_login(&image, &registry, "shop/damaged:v1", PASSWORD);
    push.run().failure(1, &["DT0601", "has other bytes", image.path()]);
    let name = "docker://localhost:5000/shop/damaged:v1";
    assert_ne!(skopeo(&registry, &["inspect", name]).code, 0, "a tag names it");
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn a_large_image_takes_little_memory() {
    let registry = Registry::start_plain(&[]);
    let image = Image::new(2, &[150_000_000]);
    let to = format!("{}/large:v1", registry.address);
    let mut child = deploy_tool_command(&["push", image.path(), "--to", &to])
        .spawn()
        .unwrap();
    let used = wait4::Wait4::wait4(&mut child).unwrap();
    assert!(used.status.success());
    // In KiB on Linux: https://man7.org/linux/man-pages/man2/getrusage.2.html
    let kilobytes = used.rusage.maxrss / 1024;
    println!("150 MB pushed with {kilobytes} kB of memory");
    assert!(kilobytes < MOST_KILOBYTES, "{kilobytes} kB");
}
