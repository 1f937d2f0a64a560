//! A release that is followed over time, and the objects of which these are made.

use kube_core::GroupVersionKind;

use super::*;

/// A release, followed over time.
pub struct Story {
    pub objects: Objects,
    targets: Vec<Target>,
    pub tracker: Tracker,
}

impl Story {
    pub fn new(targets: &[Target], objects: Objects) -> Self {
        Self::with_policy(targets, objects, Policy::default())
    }

    pub fn with_policy(targets: &[Target], objects: Objects, policy: Policy) -> Self {
        Self {
            objects,
            targets: targets.to_vec(),
            tracker: Tracker::new(targets, policy),
        }
    }

    /// What it has come to.
    pub fn verdict(&mut self, seconds: i64) -> Verdict {
        self.tracker.observe(&self.objects, clock(seconds)).1
    }

    /// How far a target is.
    pub fn status(&mut self, name: &str, seconds: i64) -> RolloutStatus {
        let statuses = self.tracker.observe(&self.objects, clock(seconds)).0;
        let index = self.targets.iter().position(|target| target.name == name).unwrap();
        statuses[index].clone()
    }

    pub fn last_movement(&self) -> Option<Timestamp> {
        self.tracker.last_movement()
    }

    #[track_caller]
    pub fn waits(&mut self, seconds: i64) {
        assert_eq!(self.verdict(seconds), Verdict::Waiting, "at {seconds} s");
    }

    #[track_caller]
    pub fn is_ready(&mut self, seconds: i64) {
        let verdict = self.verdict(seconds);
        assert_eq!(verdict, Verdict::Ready, "at {seconds} s");
    }

    #[track_caller]
    pub fn fails(&mut self, seconds: i64, code: &Code, parts: &[&str]) -> Failed {
        let Verdict::Failed(failed) = self.verdict(seconds) else {
            panic!("has not failed at {seconds} s")
        };
        has(&failed.first, code, parts);
        failed
    }
}

pub fn plain_target(kind: TargetKind, name: &str) -> Target {
    Target {
        database: None,
        ..target(kind, name)
    }
}

pub fn app_target() -> Target {
    plain_target(TargetKind::Deployment, "app")
}

/// A Deployment whose one new pod has this container; `probes` are merged into the container's manifest.
pub fn app_with(container: Value, probes: Value) -> Objects {
    let mut objects = world();
    put_app(&mut objects, container, probes);
    objects
}

/// The pod's container is another way now.
pub fn put_app(objects: &mut Objects, container: Value, probes: Value) {
    let is_ready = container["ready"] == true;
    let available = i32::from(is_ready);
    let mut of_app = deployment(2, 2, [1, 1, available]);
    if let Some(known) = objects.deployments.get("n/app") {
        let known = serde_json::to_value(known).unwrap();
        of_app["status"]["conditions"] = known["status"]["conditions"].clone();
        of_app["spec"] = known["spec"].clone();
    }
    put(&mut objects.deployments, "app", of_app);
    let mut pod = pod("app-1", "app-new", container);
    let manifest = &mut pod["spec"]["containers"][0];
    manifest["readinessProbe"] = Value::Null;
    for (field, value) in probes.as_object().unwrap() {
        manifest[field] = value.clone();
    }
    put(&mut objects.pods, "app-1", pod);
}

pub fn runs_since(seconds: i64) -> Value {
    json!({"state": {"running": {"startedAt": at(seconds).to_string()}}, "started": true})
}

pub fn ready_since(seconds: i64) -> Value {
    let mut container = runs_since(seconds);
    container["ready"] = json!(true);
    container
}

pub fn run(from: i64, to: i64, code: i32) -> Value {
    json!({"terminated": {"exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" },
        "startedAt": at(from).to_string(), "finishedAt": at(to).to_string()}})
}

/// A container that ends at once, between its starts.
pub fn crashed(restarts: i32, last_start: i64, pause: &str) -> Value {
    let message = format!("back-off {pause} restarting failed container=app pod=app-1");
    waiting("CrashLoopBackOff", &message, restarts, run(last_start, last_start, 1))
}

pub fn deadline_exceeded(objects: &mut Objects, seconds: i64) {
    let deployment = objects.deployments.get_mut("n/app").unwrap();
    let condition = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "lastUpdateTime": at(seconds).to_string()}]);
    deployment.status.as_mut().unwrap().conditions = serde_json::from_value(condition).unwrap();
}

pub fn custom(name: &str) -> Target {
    plain_target(
        TargetKind::Generic(GroupVersionKind::gvk("example.org", "v1", "Database")),
        name,
    )
}

pub fn put_custom(objects: &mut Objects, name: &str, status: Value) {
    let object = json!({"apiVersion": "example.org/v1", "kind": "Database",
        "metadata": {"name": name, "namespace": "n", "generation": 2, "creationTimestamp": APPLIED}, "status": status});
    objects.insert(&object).unwrap();
}

pub fn put_job(objects: &mut Objects, name: &str, status: Value) {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "n", "uid": name},
        "spec": {"template": {}}, "status": status});
    objects.insert(&job).unwrap();
}
