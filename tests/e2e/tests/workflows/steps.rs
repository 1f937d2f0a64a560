//! The steps themselves.

use std::collections::BTreeSet;
use std::fs;

use e2e::registry::{PASSWORD, Registry};

use crate::runner::{Runner, detected};
use crate::table::{MACHINES, Row, STEPS, TAG, Way, When};
use crate::workflow::{self, Run, Variables};

/// The workflow and the job of a step's name.
fn place(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap().0.split_once('/').unwrap()
}

#[test]
#[ignore = "with the others of this file"]
fn every_step_is_in_the_table_and_on_a_machine_that_is_known() {
    let runs = workflow::runs();
    let found: BTreeSet<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let listed: BTreeSet<&str> = STEPS.iter().map(|Row(name, ..)| *name).collect();
    assert_eq!(
        found, listed,
        "tests/workflows/table.rs says what is done with each step"
    );
    assert_eq!(listed.len(), STEPS.len(), "a step is in the table twice");
    for run in &runs {
        assert!(MACHINES.iter().any(|(machine, _)| *machine == run.machine), "{run:?}");
    }
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn the_steps_of_ci() {
    let Some(runner) = Runner::start("ci") else { return };
    run_steps(&runner, "ci", &Variables::new());
    let left = runner.as_root("ls /usr/share");
    assert!(!left.stdout.lines().any(|name| name == "dotnet"), "{}", left.stdout);

    // Nodes that are made there are those of this host.
    let question = "host_is_restricted && echo restricted || echo ordinary";
    let there = format!(". scripts/restricted-host/detect.sh; {question}");
    let there = runner.step("ci", &there, &Variables::new()).success();
    assert_eq!(there.stdout, detected(question).success().stdout);

    // A user who is not root and may not become it is told what is missing.
    runner.as_root("rm /etc/sudoers.d/runner");
    runner.begin_job();
    let own = |folder: &str| Variables::from([("DEPLOY_TOOL_CACHE".to_owned(), folder.to_owned())]);
    let output = runner.step("ci", "scripts/packages wrk", &Variables::new());
    output.failure(3, &["this host lacks: wrk", "sudo apt-get install wrk"]);
    // And the Go that is in a runner's PATH is older than what the tools ask for.
    let cache = runner.path("ci", "target/empty-cache");
    let output = runner
        .step("ci", "scripts/check-workflows", &own(cache.to_str().unwrap()))
        .success();
    let message = "actionlint cannot be built, for the reason above: skipped";
    assert!(
        output.stderr.contains("or newer is needed, and this is go1.24"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains(message), "{}", output.stderr);
    let mut required = own(cache.to_str().unwrap());
    required.insert("REQUIRE_CLUSTER".into(), "1".into());
    let output = runner.step("ci", "scripts/check-workflows", &required);
    output.failure(3, &["and REQUIRE_CLUSTER=1"]);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn the_steps_of_nightly() {
    let Some(runner) = Runner::start("nightly") else { return };
    run_steps(&runner, "nightly", &Variables::new());
    let pushed = "git --git-dir ~/origin.git show benchmarks:app.jsonl";
    let output = runner.step("nightly", pushed, &Variables::new()).success();
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert_eq!(runner.recorded(), "gh auth setup-git\n");

    // A second night goes on from the first, and one that has not found the first takes nothing away.
    let keep = "scripts/nightly keep target/night";
    let again = runner.step("nightly", keep, &Variables::new());
    again.failure(
        1,
        &["target/night/app.jsonl has 1 nights, and the branch `benchmarks` has 1"],
    );
    let more = format!("echo '{{}}' >>target/night/app.jsonl\n{keep}");
    runner.step("nightly", &more, &Variables::new()).success();
    let output = runner.step("nightly", pushed, &Variables::new()).success();
    assert_eq!(output.stdout.lines().count(), 2, "{}", output.stdout);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn the_steps_of_release() {
    let Some(runner) = Runner::start("release") else {
        return;
    };
    let registry = Registry::start();
    let authority = runner.path("release", "target/authority.crt");
    runner.step("release", "mkdir -p target", &Variables::new()).success();
    let text = fs::read_to_string(registry.authority()).unwrap();
    runner.as_root(&format!("cat >'{}' <<'END'\n{text}\nEND", authority.display()));
    // In the place of Docker Hub; that there is an identity is what makes cosign sign.
    let here = Variables::from([
        ("REGISTRY".to_owned(), format!("{}/organisation", registry.address)),
        ("SSL_CERT_FILE".to_owned(), authority.display().to_string()),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(),
            "https://identity.invalid".to_owned(),
        ),
    ]);
    run_steps(&runner, "release", &here);
    let sums = fs::read_to_string(runner.path("release", "target/archives/SHA256SUMS")).unwrap();
    assert!(sums.contains(" deploy-tool-x86_64-unknown-linux-gnu.tar.gz"), "{sums}");
    let recorded = runner.recorded();
    assert!(
        recorded.contains(&format!("gh release upload {TAG} target/archives/SHA256SUMS")),
        "{recorded}"
    );
    assert!(!recorded.contains(PASSWORD), "{recorded}");
    let log = registry.log();
    let version = env!("CARGO_PKG_VERSION");
    let tool_images: &[&str] = if whole() {
        &[
            "wasm-builder/manifests/{}-trixie",
            "wasm-node/manifests/{}-v1.36",
            "wasm-node-installer/manifests/{}-trixie",
        ]
    } else {
        &["wasm-empty/manifests/{}-trixie"]
    };
    for image in tool_images {
        let put = format!("PUT /v2/organisation/{}", image.replace("{}", version));
        assert!(log.contains(&put), "`{put}` is not in the registry's log");
    }
    // Another version's tag would take the place of the images that its programs pull.
    let other = "scripts/release/tool-images push target/tool-images v99.0.0";
    let refused = runner.step("release", other, &Variables::new());
    refused.failure(1, &["the tag is v99.0.0, and deploy-tool has version"]);
    let without = format!("scripts/release/tool-images push target/tool-images {TAG}");
    let output = runner.step("release", &without, &Variables::new()).success();
    assert!(
        output.stderr.contains("are not pushed: REGISTRY_PASSWORD is not set"),
        "{}",
        output.stderr
    );
    if !whole() {
        runner
            .step("release", "docker rmi localhost/wasm-empty:trixie", &Variables::new())
            .success();
        return;
    }
    // The program pulls them from where they were pushed, had this been Docker Hub.
    let built_in =
        "tar -xzOf target/archives/*.tar.gz --wildcards '*/deploy-tool' >target/program && chmod +x target/program
        target/program version --output json";
    let output = runner.step("release", built_in, &Variables::new()).success();
    assert!(
        output.stdout.contains(r#""images": "docker.io/organisation""#),
        "{}",
        output.stdout
    );
    // Of the glibc that Ubuntu 22.04 has, or an older one.
    let needs = "tar -xzOf target/archives/*.tar.gz --wildcards '*/deploy-tool' >target/program
        objdump -T target/program | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1";
    let output = runner.step("release", needs, &Variables::new()).success();
    let newest = output.stdout.lines().next().unwrap_or_default();
    let minor: u32 = newest.strip_prefix("GLIBC_2.").unwrap().parse().unwrap();
    assert!(minor <= 35, "the program needs {newest}");
    let size = runner.path("release", "target/program").metadata().unwrap().len();
    println!("the program has {size} bytes");
    assert!(size <= 12_000_000, "{size}");
    for call in [
        format!("cosign sign --yes {}/organisation/orders@sha256:", registry.address),
        "cosign attest --yes --type slsaprovenance1 --predicate target/images/provenance.json".to_owned(),
    ] {
        assert!(recorded.contains(&call), "`{call}` is not in\n{recorded}");
    }
    let log = registry.log();
    for image in ["orders", "events"] {
        let tag = format!("PUT /v2/organisation/{image}/manifests/{}", TAG.trim_start_matches('v'));
        assert!(log.contains(&tag), "`{tag}` is not in the registry's log");
    }
    let pushed = fs::read_to_string(runner.path("release", "target/references")).unwrap();
    assert_eq!(pushed.lines().count(), 2, "{pushed}");
}

fn whole() -> bool {
    std::env::var_os("WORKFLOW_STEPS").is_some_and(|value| value == "all")
}

/// Runs the steps of a workflow in the order of the table. `here` takes the place of what they cannot have here.
fn run_steps(runner: &Runner, workflow: &str, here: &Variables) {
    let runs = workflow::runs();
    let mut job = "";
    for Row(name, way, when, downloads) in STEPS.iter().filter(|Row(name, ..)| place(name).0 == workflow) {
        if place(name).1 != job {
            job = place(name).1;
            runner.begin_job();
        }
        if *when == When::Whole && !whole() && !matches!(way, Way::Never(_)) {
            eprintln!("- {name}: left to `make test-workflows`");
            continue;
        }
        if !whole() && !downloads.is_empty() {
            runner.step(workflow, downloads, &Variables::new()).success();
        }
        for run in runs.iter().filter(|run| run.name == *name) {
            run_step(runner, workflow, run, way, here);
        }
    }
}

fn run_step(runner: &Runner, workflow: &str, run: &Run, way: &Way, here: &Variables) {
    let name = &run.name;
    if let Some((machine, Some(why))) = MACHINES.iter().find(|(machine, _)| *machine == run.machine) {
        eprintln!("- {name}: not run for {machine}, {why}");
        return;
    }
    let commands = match way {
        Way::Never(why) => {
            eprintln!("- {name}: not run, {why}");
            return;
        }
        Way::Instead(commands, why) => {
            eprintln!("  {name}: `{commands}` instead, {why}");
            *commands
        }
        Way::Run => &run.commands,
    };
    let mut environment = run.environment.clone();
    // Images come from where this host has them from.
    environment.remove("IMAGES_FROM");
    for (variable, value) in here {
        if variable != "REGISTRY" || environment.contains_key("REGISTRY") {
            environment.insert(variable.clone(), value.clone());
        }
    }
    let started = std::time::Instant::now();
    let output = runner.step(workflow, commands, &environment);
    assert_eq!(output.code, 0, "{name}\n{}\n{}", output.stdout, output.stderr);
    eprintln!("✓ {name} ({} s)", started.elapsed().as_secs());
}
