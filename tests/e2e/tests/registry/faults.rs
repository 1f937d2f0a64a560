//! What networks, proxies and busy registries do: the image arrives whole, or the tag stays as it was and the message says
//! why.

use e2e::registry::proxy::{Fault, Proxy};
use e2e::registry::{Image, Registry};

use crate::Push;

struct Place {
    registry: Registry,
    proxy: Proxy,
}

impl Place {
    fn new() -> Self {
        let registry = Registry::start_plain(&[]);
        let proxy = Proxy::start(&registry.address);
        Self { registry, proxy }
    }

    fn push(&self, image: &Image) -> Push {
        Push::new(image, &format!("{}/shop:v1", self.proxy.address))
    }

    /// The digest behind the tag; skopeo checks nothing else.
    fn tagged(&self) -> Option<String> {
        let format = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}"];
        let output = self
            .registry
            .exec(&[&["skopeo"], &format[..], &["docker://localhost:5000/shop:v1"]].concat());
        (output.code == 0).then(|| output.stdout.trim().to_owned())
    }

    /// Pulls everything, and compares every digest.
    #[track_caller]
    fn holds(&self, image: &Image) {
        assert_eq!(self.tagged().as_deref(), Some(image.digest.as_str()));
        let copy = ["copy", "--all", "--preserve-digests", "--src-tls-verify=false"];
        let places = ["docker://localhost:5000/shop:v1", "oci:/tmp/copy"];
        self.registry
            .exec(&[&["skopeo"], &copy[..], &places].concat())
            .success();
    }
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn an_upload_that_is_cut_goes_on_where_it_was() {
    let place = Place::new();
    let image = Image::new(10, &[6_000_000]);
    place.proxy.fail("PATCH", "/uploads/", Fault::CutAndKept(2_000_000), 2);
    place.push(&image).run().success();
    place.holds(&image);
    // Three blobs beside the layer; the layer was begun once.
    let passed = place.proxy.passed();
    let count = |method: &str| {
        passed
            .iter()
            .filter(|request| request.starts_with(method) && request.contains("/uploads/"))
            .count()
    };
    assert_eq!(["POST", "GET", "PATCH"].map(count), [4, 2, 6], "{passed:#?}");
    assert_eq!(place.proxy.faults_left(), 0);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn an_upload_that_the_registry_has_given_up_is_begun_anew() {
    let place = Place::new();
    let image = Image::new(15, &[6_000_000]);
    place.proxy.fail("PATCH", "/uploads/", Fault::CutRequest(2_000_000), 2);
    place.push(&image).run().success();
    place.holds(&image);
    assert_eq!(place.proxy.faults_left(), 0);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn whatever_passes_is_waited_for() {
    let place = Place::new();
    let image = Image::new(11, &[300_000, 200_000]);
    let busy = Fault::Answer(429, &[("retry-after", "1")], "");
    for (method, path, fault, times) in [
        ("HEAD", "/blobs/", busy.clone(), 2),
        ("POST", "/uploads/", Fault::Answer(503, &[], "<html>busy</html>"), 2),
        ("PATCH", "/uploads/", Fault::Answer(500, &[], ""), 2),
        ("PUT", "/uploads/", Fault::CutAnswer, 2),
        ("PATCH", "/uploads/", Fault::CutAnswer, 1),
        ("PUT", "/manifests/", busy, 2),
        ("PUT", "/manifests/", Fault::CutAnswer, 2),
        ("GET", "/v2/", Fault::CutRequest(0), 1),
    ] {
        place.proxy.fail(method, path, fault, times);
    }
    place.push(&image).run().success();
    place.holds(&image);
    assert_eq!(place.proxy.faults_left(), 0);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn what_does_not_pass_leaves_the_tag_as_it_was() {
    let place = Place::new();
    let mut before = Image::new(12, &[1_000]);
    place.push(&before).run().success();
    let lie = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let full = r#"{"errors":[{"code":"DENIED","message":"quota exceeded"}]}"#;
    let cases = [
        (
            "PATCH",
            "/uploads/",
            Fault::CutRequest(1_000),
            "DT0710",
            "run the same command again",
        ),
        ("PATCH", "/uploads/", Fault::Damage, "DT0712", "DIGEST_INVALID"),
        (
            "PUT",
            "/uploads/",
            Fault::Header("docker-content-digest", lie),
            "DT0712",
            "it names sha256:0000",
        ),
        (
            "PUT",
            "/manifests/sha256",
            Fault::Header("docker-content-digest", lie),
            "DT0712",
            "it names sha256:0000",
        ),
        (
            "PATCH",
            "/uploads/",
            Fault::Answer(413, &[], "<html>too large</html>"),
            "DT0713",
            "too large",
        ),
        (
            "PATCH",
            "/uploads/",
            Fault::Answer(507, &[], full),
            "DT0713",
            "quota exceeded",
        ),
        (
            "POST",
            "/uploads/",
            Fault::Answer(429, &[("retry-after", "3600")], ""),
            "DT0711",
            "429",
        ),
        ("POST", "/uploads/", Fault::Answer(500, &[], ""), "DT0714", "500"),
        (
            "GET",
            "/v2/",
            Fault::Answer(404, &[], "<html>shop</html>"),
            "DT0708",
            "answers 404",
        ),
    ];
    for (seed, (method, path, fault, number, sentence)) in (100..).zip(cases) {
        println!("{method} {path}: {fault:?}");
        // One of its own each time: what came through the last time would not be sent again.
        let new = Image::new(seed, &[100_000]);
        place.proxy.fail(method, path, fault, 100);
        place
            .push(&new)
            .run()
            .failure(2, &[&format!("error {number}:"), sentence]);
        assert_eq!(place.tagged().as_deref(), Some(before.digest.as_str()));
        place.proxy.heal();
        place.push(&new).run().success();
        place.holds(&new);
        before = new;
    }
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn what_stalls_is_begun_anew() {
    let place = Place::new();
    let image = Image::new(14, &[100_000]);
    place.proxy.fail("PATCH", "/uploads/", Fault::Stall, 1);
    place.push(&image).run().success();
    place.holds(&image);
}
