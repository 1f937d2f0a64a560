//! What is done with each step of a workflow. A step that is not here fails the test.

use e2e::registry::{PASSWORD, USER};

use Way::{Instead, Never, Run};
use When::{Always, Whole};

/// How a step is run.
pub enum Way {
    /// As it is.
    Run,
    /// Other commands are, which begin as it does.
    Instead(&'static str, &'static str),
    /// It is not, and why.
    Never(&'static str),
}

/// When a step is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// By `make test` and by `make test-workflows`.
    Always,
    /// By `make test-workflows` alone: it compiles for minutes.
    Whole,
}

/// A step: its name as in [`crate::workflow::Run`], how and when it is run, and what makes the files that an action of the
/// same job has downloaded by then, where the steps that made them were not run.
pub struct Row(pub &'static str, pub Way, pub When, pub &'static str);

/// Every step, in the order in which they are run; those of a workflow share their checkout, and so their artifacts.
pub const STEPS: &[Row] = &[
    Row("ci/test: set up the runner", Run, Always, ""),
    Row(
        "ci/test: make test",
        Instead(
            "make check",
            "the tests of clusters take an hour, and are what runs this",
        ),
        Whole,
        "",
    ),
    Row("ci/test: free disk space", Run, Always, ""),
    Row("ci/workflows: set up the runner", Run, Always, ""),
    Row(
        "ci/workflows: make test-workflows",
        Never("it is what runs this"),
        Whole,
        "",
    ),
    Row(
        "ci/dapr: set up the runner",
        Never("ci/test runs the same script"),
        Whole,
        "",
    ),
    Row(
        "ci/dapr: make test-dapr",
        Never("it makes a cluster: `make test-dapr` runs it"),
        Whole,
        "",
    ),
    Row(
        "ci/reproducible: set up the runner",
        Never("ci/test runs the same script"),
        Whole,
        "",
    ),
    Row(
        "ci/reproducible: make reproducible",
        Never("it starts the builder's containers with folders of the host: `make reproducible` runs it"),
        Whole,
        "",
    ),
    Row(
        "hub/test: set up the runner",
        Never("ci/test runs the same script"),
        Whole,
        "",
    ),
    Row(
        "hub/test: make test-hub",
        Never("it starts a host in a container itself: `make test-hub` runs it"),
        Whole,
        "",
    ),
    Row("hub/test: the program alone", Never("the same"), Whole, ""),
    Row("nightly/measure: set up the runner", Run, Always, ""),
    Row(
        "nightly/measure: measure, draw, compare",
        Instead(
            // Two figures of one second say nothing, so the alert line may be crossed: what counts is that both files are written.
            "scripts/nightly measure target/night --rounds 1 --seconds 1 || test -s target/night/app.svg",
            "five minutes of load",
        ),
        Whole,
        "",
    ),
    Row(
        "nightly/keep: push",
        Run,
        Always,
        "mkdir -p target/night && echo '{}' >>target/night/app.jsonl && echo '<svg/>' >target/night/app.svg",
    ),
    Row("release/programs: set up the runner", Run, Always, ""),
    Row(
        "release/programs: program, manual pages and completions",
        Run,
        Whole,
        "",
    ),
    Row("release/images: set up the runner", Run, Always, ""),
    Row("release/images: build", Run, Whole, ""),
    Row(
        "release/tool-images: set up the runner",
        Never("release/images runs the same script"),
        Whole,
        "",
    ),
    Row("release/tool-images: build", Run, Whole, ""),
    // Otherwise an image without anything stands for those of gigabytes.
    Row("release/push: push what deploy-tool pulls", Run, Always, SMALL_IMAGE),
    Row("release/push: push, sign", Run, Whole, ""),
    Row(
        "release/publish: checksums and installer",
        Run,
        Always,
        "mkdir -p target/archives && cd target/archives && tar -czf deploy-tool-x86_64-unknown-linux-gnu.tar.gz --files-from /dev/null",
    ),
    Row(
        "release/publish: release",
        Run,
        Always,
        "printf '%s\\n' localhost/orders@sha256:0 localhost/events@sha256:0 >target/references",
    ),
];

/// An archive as `scripts/release/tool-images build` leaves them.
const SMALL_IMAGE: &str = "mkdir -p target/tool-images && tar -cf - --files-from /dev/null | docker import - localhost/wasm-empty:trixie \
     && docker save localhost/wasm-empty:trixie | gzip >target/tool-images/wasm-empty.tar.gz && docker rmi localhost/wasm-empty:trixie";

/// A release of the version that the project has.
pub const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"), "-rc.1");

/// The machines of the workflows, and why one is not had.
pub const MACHINES: &[(&str, Option<&str>)] = &[
    ("ubuntu-24.04", None),
    (
        "ubuntu-24.04-arm",
        Some("an arm64 machine: the same scripts run on x86-64"),
    ),
    (
        "macos-15",
        Some("macOS: what is portable of its scripts is in portable.rs"),
    ),
];

/// What expressions stand for.
pub const EXPRESSIONS: &[(&str, &str)] = &[
    ("github.ref_name", TAG),
    ("github.token", "token-of-a-test"),
    ("github.event.repository.private", "false"),
    ("vars.DOCKER_NAMESPACE || vars.DOCKER_USERNAME", "organisation"),
    ("vars.DOCKER_USERNAME", USER),
    ("secrets.DOCKER_TOKEN", PASSWORD),
];
