//! What is printed for programs is what docs/schema says. The cluster tests hold the output of real runs against it too.

#![allow(clippy::unwrap_used, clippy::panic)]

mod check;

use std::path::{Path, PathBuf};

use check::faults;
use deploy_tool::built::Built;
use deploy_tool::cli::RegistryArguments;
use deploy_tool::{commands, report};
use nodes::doctor;
use nodes::node;
use oci_artifacts::image::{self, Contents, Definition, Layout, store};
use oci_artifacts::registry::Pushed;
use releases::manifest::Wave;
use releases::plan::{Action, Conflict, Difference, Plan, Step, VisibleValue, document};
use releases::release::listing::Listing;
use releases::release::{History, HolderIdentity, Identity, Name, Record, Revision, State};
use serde::Serialize;
use serde_json::{Value, json};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn schema(name: &str) -> Value {
    let path = docs().join("schema").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn assert_follows(name: &str, document: &impl Serialize) {
    let document = serde_json::to_value(document).unwrap();
    assert_eq!(faults(&schema(name), &document), [""; 0], "{document:#}");
}

fn release() -> Name {
    Name::new(Some("shop"), None, &[]).unwrap()
}

fn history(states: &[State]) -> History {
    let record = |(number, state): (u32, &State)| Record {
        revision: Revision {
            number,
            state: *state,
            reason: "up".into(),
            message: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
            finished: (*state != State::Pending).then_some(jiff::Timestamp::UNIX_EPOCH),
            deployer: HolderIdentity {
                host: "me@here".into(),
                cache_id: "/cache".into(),
                boot_id: "/cache".into(),
                process: 7,
            },
            objects: Vec::new(),
            inventory: [].into(),
            kept: [].into(),
            completed: [].into(),
        },
        uid: String::new(),
        version: String::new(),
        renewed: jiff::Timestamp::UNIX_EPOCH,
    };
    History::new((1..).zip(states).map(record).collect())
}

/// They are made from the code, one of each type: see crates/terminal/src/event.rs.
#[test]
fn events() {
    let page = std::fs::read_to_string(docs().join("json.md")).unwrap();
    let (_, rest) = page.split_once("<!-- events -->\n```json\n").unwrap();
    let (examples, _) = rest.split_once("```").unwrap();
    let events: Vec<Value> = examples
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    events.iter().for_each(|event| assert_follows("event", event));
    let forms = schema("event")["oneOf"].as_array().unwrap().len();
    let types: std::collections::BTreeSet<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types.len(), forms, "an example of each form");
}

#[test]
fn status() {
    let pod = json!({"metadata": {"name": "a-1"}, "spec": {"containers": [{"name": "a", "image": "i"}]},
        "status": {"phase": "Running"}});
    let pods = vec![report::pod_status(&serde_json::from_value(pod).unwrap(), None)];
    for states in [&[][..], &[State::Pending], &[State::Deployed, State::Failed]] {
        let status = report::Status {
            schema: report::SCHEMA,
            context: "c".into(),
            namespace: "shop".into(),
            release: report::release(&release(), &history(states)),
            url: None,
            ready: false,
            workloads: report::workloads(&pods),
            pods: pods.clone(),
            objects: vec![report::ObjectStatus {
                object: "CronJob/dump".into(),
                created: None,
                state: "has not run yet".into(),
                images: vec!["i".into()],
            }],
            namespace_exists: true,
        };
        assert_follows("status", &status);
    }
}

#[test]
fn doctor() {
    let mut chain = doctor::Chain::for_node("n");
    chain.link("handler", || doctor::Verdict::Healthy("there".into()));
    chain.link("pod", || doctor::missing("x", &[]));
    let links = chain.end(&["handler", "pod", "image"]);
    assert_eq!(links.len(), 3);
    assert_follows("doctor", &doctor::Report::new("c", "default", "x", links));
}

#[test]
fn nodes() {
    let failure = diagnostics::Error::cluster("damaged").code(&diagnostics::code::node::ENGINE);
    let rows = vec![
        node::Row::found("one", Some("1"), Some("1".into()), "as installed".into()),
        node::Row::failed("two", None, &failure),
    ];
    assert_follows("nodes", &node::Report::new("c", rows));
}

#[test]
fn plan() {
    let identity = |group: &str, namespace: Option<&str>| Identity {
        group: group.into(),
        version: "v1".into(),
        kind: "K".into(),
        namespace: namespace.map(str::to_owned),
        name: "n".into(),
    };
    let difference = |before, after| Difference {
        path: "data.a".into(),
        before,
        after,
    };
    let step = |identity| Step {
        action: Action::Prune,
        differences: vec![
            difference(None, Some(VisibleValue::Value(json!({"any": ["thing"]})))),
            difference(Some(VisibleValue::Secret { bytes: 3 }), Some(VisibleValue::Generated)),
        ],
        notes: vec!["left".into()],
        undecided: vec![Conflict {
            title: "Deployment `app`".into(),
            field: "spec.replicas".into(),
            manager: "kubectl".into(),
            time: Some(jiff::Timestamp::UNIX_EPOCH),
        }],
        ..Step::new(Wave::Storage, identity)
    };
    let plan = Plan {
        release: release(),
        steps: vec![step(identity("", None)), step(identity("apps", Some("shop")))],
        exact: false,
    };
    assert_follows("plan", &document(&plan));
}

#[test]
fn revisions() {
    let history = history(&[State::Deployed, State::Failed, State::Pending]);
    assert_follows("history", &Listing::new("c", &release(), &history));
}

#[test]
fn image() {
    assert_follows("build", &Built::default());
    let pushed = Pushed {
        tags: vec!["1.2.3".into()],
        ..Pushed::default()
    };
    assert_follows("push", &pushed);
}

/// An image of the orders service, of a module that does nothing.
fn packed(annotations: std::collections::BTreeMap<String, String>) -> Layout {
    let definition = Definition::parse("app", include_str!("../../../oci/app/image.yaml")).unwrap();
    let contents = Contents {
        definition: &definition,
        module: b"\0asm\x01\0\0\0",
        compiled: None,
        files: vec![Vec::new()],
        annotations,
        index_annotations: [].into(),
    };
    let variants = image::variants(&contents).unwrap().into_iter().map(|variant| {
        let packed = image::compress(&variant.tar).unwrap();
        (variant, packed)
    });
    image::pack(&contents, variants.collect()).unwrap()
}

#[tokio::test]
async fn inspected() {
    let mut layout = packed([("a".to_owned(), "b".to_owned())].into());
    image::attach(&mut layout, "x/y", b"{}".to_vec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (stored, module) = (folder.path().join("image"), folder.path().join("app.wasm"));
    store::write(&stored, &layout).unwrap();
    // With an import, and native code.
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x07\x01\x01e\x01f\0\0".to_vec();
    bytes.extend(b"\0\x0c\x08wasmedge\x01\x01\x01");
    std::fs::write(&module, bytes).unwrap();
    for path in [&stored, &module] {
        let report = commands::inspect::report(path.to_str().unwrap(), &RegistryArguments::default(), |_| {})
            .await
            .unwrap();
        assert!(!report.warnings.is_empty() && !report.modules.is_empty());
        assert_follows("inspect", &report);
    }
}

#[tokio::test]
async fn bundled() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, bundle) = (folder.path().join("image.tar"), folder.path().join("bundle"));
    store::write_archive(&archive, &packed([].into())).unwrap();
    let paths = [&archive, &bundle].map(|path| path.display().to_string());
    let words = [
        "deploy-tool",
        "bundle",
        &paths[0],
        &paths[1],
        "--env",
        "A=b",
        "--rootless",
    ];
    let deploy_tool::cli::Command::Bundle(arguments) = deploy_tool::cli::parse(words.map(Into::into)).unwrap().command
    else {
        panic!("it is the verb bundle");
    };
    let report = commands::bundle::bundle(&arguments, |_| {}).await.unwrap();
    assert_follows("bundle", &report);
    // What is there already is not written over.
    let again = commands::bundle::bundle(&arguments, |_| {}).await.unwrap_err();
    assert!(again.message().contains("is there already"), "{again}");
}

#[test]
fn docker() {
    let report = commands::docker::status::Report {
        schema: commands::docker::status::SCHEMA,
        engine: "28.5.1".into(),
        configuration: "/etc/docker/daemon.json".into(),
        runtimes: [("crun".into(), "/opt/crun".into())].into(),
        problems: vec!["x".into()],
        containers: vec!["a".into()],
    };
    assert_follows("docker", &report);
}

#[test]
fn version() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
    let output = command.args(["version", "--output", "json"]).output().unwrap();
    assert_follows("version", &serde_json::from_slice::<Value>(&output.stdout).unwrap());
}

/// The check itself finds what is wrong.
#[test]
fn faults_are_found() {
    let plan = schema("plan");
    let good = json!({"schema": "deploy-tool.dev/plan/v1", "release": "a/a", "empty": true,
        "counts": {"create": 0, "change": 0, "keep": 0, "prune": 0}, "steps": []});
    assert_eq!(faults(&plan, &good), [""; 0]);
    for (field, value) in [
        ("schema", json!("deploy-tool.dev/plan/v2")),
        ("empty", json!("yes")),
        ("counts", json!({"create": 0, "change": 0, "keep": 0})),
        (
            "counts",
            json!({"create": 0, "change": 0, "keep": 0, "prune": 0, "more": 0}),
        ),
        ("steps", json!([{}])),
        ("new", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(!faults(&plan, &bad).is_empty(), "{bad}");
    }
    let event = json!({"schema": "deploy-tool.dev/event/v1", "time": "now", "type": "warning", "text": "x", "more": 1});
    assert_eq!(faults(&schema("event"), &event), ["/more is not described"]);
    assert!(
        !faults(&json!({"pattern": "x"}), &json!("x")).is_empty(),
        "an unknown keyword"
    );
}
