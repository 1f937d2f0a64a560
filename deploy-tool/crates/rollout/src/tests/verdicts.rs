//! The rule, row by row: a release that comes up is never failed, and one that does not stay up is never ready.

use kube_core::GroupVersionKind;

use super::*;
use diagnostics::code::rollout::*;

/// A release, followed over time.
pub struct Story {
    pub objects: Objects,
    targets: Vec<Target>,
    tracker: Tracker,
}

impl Story {
    pub fn of(targets: &[Target], objects: Objects) -> Self {
        Self::with(targets, objects, Policy::default())
    }

    pub fn with(targets: &[Target], objects: Objects, policy: Policy) -> Self {
        Self {
            objects,
            targets: targets.to_vec(),
            tracker: Tracker::new(targets, policy),
        }
    }

    /// What it has come to.
    pub fn at(&mut self, seconds: i64) -> Verdict {
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
        assert_eq!(self.at(seconds), Verdict::Waiting, "at {seconds} s");
    }

    #[track_caller]
    pub fn is_ready(&mut self, seconds: i64) {
        let verdict = self.at(seconds);
        assert_eq!(verdict, Verdict::Ready, "at {seconds} s");
    }

    #[track_caller]
    pub fn fails(&mut self, seconds: i64, code: &Code, parts: &[&str]) -> Failed {
        let Verdict::Failed(failed) = self.at(seconds) else {
            panic!("has not failed at {seconds} s")
        };
        has(&failed.first, code, parts);
        failed
    }
}

pub fn one(kind: TargetKind, name: &str) -> Target {
    Target {
        database: None,
        ..target(kind, name)
    }
}

pub fn app_target() -> Target {
    one(TargetKind::Deployment, "app")
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

fn deadline_exceeded(objects: &mut Objects, seconds: i64) {
    let deployment = objects.deployments.get_mut("n/app").unwrap();
    let condition = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "lastUpdateTime": at(seconds).to_string()}]);
    deployment.status.as_mut().unwrap().conditions = serde_json::from_value(condition).unwrap();
}

pub fn custom(name: &str) -> Target {
    one(
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

#[test]
fn row_01_slow_readiness_is_no_failure() {
    let probes = json!({"readinessProbe": {"initialDelaySeconds": 90, "exec": {"command": ["true"]}}});
    let mut story = Story::of(&[app_target()], app_with(runs_since(0), probes));
    for seconds in 0..6 {
        event(
            &mut story.objects,
            "app-1",
            "Unhealthy",
            "Readiness probe failed: no",
            91 + 10 * seconds,
            1,
        );
    }
    story.waits(60);
    in_course(story.status("app", 60), "is starting");
    in_course(story.status("app", 130), "is not ready: Readiness probe failed: no");
    story.waits(150);
    let status = story.status("app", 150);
    assert!(
        status.sentence().contains("its probes give it 131 s"),
        "{}",
        status.sentence()
    );
    waiting_of(status, WaitClass::Blocked);
}

#[test]
fn row_02_a_deadline_counts_from_what_was_applied() {
    // (a) It is of this generation, the container crashes, everything else is done.
    let mut story = Story::of(&[app_target()], app_with(crashed(2, 11, "20s"), json!({})));
    story.waits(12);
    put_app(&mut story.objects, crashed(8, 115, "5m0s"), json!({}));
    deadline_exceeded(&mut story.objects, 115);
    story.fails(119, &CRASH_LOOP, &["has ended 9 times"]);
    // (b) It is of two hours ago, and only a ConfigMap has changed.
    let probes = json!({"readinessProbe": {"exec": {"command": ["true"]}}});
    let mut story = Story::of(&[app_target()], app_with(runs_since(-7200), probes));
    deadline_exceeded(&mut story.objects, -7200);
    story.waits(5);
    story.waits(604);
    story.fails(605, &READINESS_PROBE, &["is not ready"]);
}

#[test]
fn row_03_a_secret_that_an_operator_makes() {
    let missing = waiting(
        "CreateContainerConfigError",
        "secret \"db-app\" not found",
        0,
        json!({}),
    );
    let mut story = Story::of(&[custom("database"), app_target()], app_with(missing, json!({})));
    put_custom(
        &mut story.objects,
        "database",
        json!({"conditions": [{"type": "Reconciling", "status": "True"}]}),
    );
    story.waits(1);
    story.waits(70);
    let reason = story.status("app", 70).sentence();
    assert!(
        reason.contains("Secret `db-app`, which is not there; Database `database` may still make it"),
        "{reason}"
    );
    // However long it takes, while it is at it.
    story.waits(5000);
    put_custom(
        &mut story.objects,
        "database",
        json!({"conditions": [{"type": "Ready", "status": "True"}]}),
    );
    story.waits(5001);
    // The Deployment's own time is over; the kubelet has a whole attempt after the operator's last movement.
    story.waits(5130);
    story.fails(5131, &CONFIGURATION_MISSING, &["db-app"]);
    // Nothing of the release could make it: the Deployment's 600 s, and a minute in which its controller does not say so.
    let missing = waiting(
        "CreateContainerConfigError",
        "secret \"db-app\" not found",
        0,
        json!({}),
    );
    let mut story = Story::of(&[app_target()], app_with(missing, json!({})));
    story.waits(1);
    story.waits(660);
    story.fails(661, &CONFIGURATION_MISSING, &["db-app"]);
}

#[test]
fn row_04_a_crash_loop_gets_another_attempt_after_what_it_may_have_waited_for() {
    let database = one(TargetKind::StatefulSet, "db");
    let mut objects = app_with(crashed(5, 80, "2m40s"), json!({}));
    let starting = waiting("ContainerCreating", "", 0, json!({}));
    put(&mut objects.pods, "db-0", database_pod("r2", starting));
    let mut story = Story::of(&[database, app_target()], objects);
    story.waits(80);
    put(
        &mut story.objects.pods,
        "db-0",
        database_pod(
            "r2",
            json!({"ready": true, "state": {"running": {"startedAt": at(90).to_string()}}}),
        ),
    );
    story.waits(90);
    // The last attempt was before the database was there.
    story.waits(230);
    let waiting = waiting_of(story.status("app", 230), WaitClass::Blocked);
    assert_eq!(waiting.next_attempt, Some(at(240)));
    assert!(
        waiting.reason.contains("it is started again at 00:04:00 UTC"),
        "{}",
        waiting.reason
    );
    put_app(&mut story.objects, crashed(6, 240, "5m0s"), json!({}));
    story.fails(241, &CRASH_LOOP, &["has ended 7 times"]);
}

#[test]
fn row_05_a_container_without_probe_has_to_run_for_a_while() {
    let mut story = Story::of(&[app_target()], app_with(ready_since(0), json!({})));
    story.waits(4);
    settling(story.status("app", 4), "has to stay so for 10 s");
    story.is_ready(10);
}

#[test]
fn row_06_after_a_restart_for_longer_than_the_run_before() {
    let mut container = ready_since(20);
    container["restartCount"] = json!(1);
    container["lastState"] = run(10, 18, 0);
    let mut story = Story::of(&[app_target()], app_with(container, json!({})));
    story.waits(29);
    settling(story.status("app", 29), "has to stay so for 17 s");
    story.waits(36);
    story.is_ready(38);
}

#[test]
fn row_07_a_liveness_probe_that_fails_has_its_say() {
    let probes = json!({"livenessProbe": {"initialDelaySeconds": 5, "exec": {"command": ["true"]}}});
    let mut story = Story::of(&[app_target()], app_with(ready_since(0), probes));
    event(
        &mut story.objects,
        "app-1",
        "Unhealthy",
        "Liveness probe failed: no",
        15,
        2,
    );
    story.waits(20);
    settling(story.status("app", 35), "has to stay so for 36 s");
    story.is_ready(36);
}

fn without_node() -> Objects {
    let mut objects = app_with(json!({}), json!({}));
    let pod = objects.pods.get_mut("n/app-1").unwrap();
    pod.spec.as_mut().unwrap().node_name = None;
    pod.status = serde_json::from_value(json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
        "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu."}]}))
    .unwrap();
    objects
}

#[test]
fn row_08_a_node_on_its_way_is_waited_for() {
    let mut story = Story::of(&[app_target()], without_node());
    event(
        &mut story.objects,
        "app-1",
        "TriggeredScaleUp",
        "pod triggered scale-up",
        20,
        1,
    );
    story.waits(1);
    deadline_exceeded(&mut story.objects, 140);
    story.waits(200);
    assert!(story.tracker.nodes_come(&story.objects, clock(200)));
    story.waits(919);
    // A quarter of an hour is over, and so is the Deployment's own time.
    story.fails(921, &UNSCHEDULABLE, &["Insufficient cpu"]);
}

#[test]
fn row_09_without_a_node_the_deployments_own_deadline_decides() {
    let mut story = Story::of(&[app_target()], without_node());
    event(
        &mut story.objects,
        "app-1",
        "NotTriggerScaleUp",
        "pod didn't trigger scale-up",
        290,
        31,
    );
    story.waits(1);
    story.waits(300);
    clear(story.status("app", 300), &UNSCHEDULABLE, &["Insufficient cpu"]);
    deadline_exceeded(&mut story.objects, 600);
    story.fails(601, &UNSCHEDULABLE, &["Insufficient cpu"]);
}

#[test]
fn row_10_a_quota_frees_itself() {
    let mut objects = world();
    put(&mut objects.deployments, "app", deployment(2, 2, [4, 0, 4]));
    let mut leaving = pod("app-0", "app-old", json!({"ready": true}));
    leaving["metadata"]["deletionTimestamp"] = json!(at(10).to_string());
    put(&mut objects.pods, "app-0", leaving);
    event(
        &mut objects,
        "app-new",
        "FailedCreate",
        "pods \"x\" is forbidden: exceeded quota: q",
        2,
        3,
    );
    for policy in [Policy::default(), Policy { fail_fast: true }] {
        let mut story = Story::with(&[app_target()], objects.clone(), policy);
        story.waits(3);
        blocked(story.status("app", 30), &QUOTA, &["exceeded quota: q"]);
        story.waits(30);
        // The controller is made to try again at once when a pod has gone.
        let mut target = app_target();
        target.surplus_gone = false;
        assert_eq!(
            refused_before(&target, &story.objects, at(10)).map(|it| it.kind),
            Some("ReplicaSet")
        );
    }
}

#[test]
fn row_11_what_is_no_image_name_never_is() {
    let invalid = waiting("InvalidImageName", "invalid reference format", 0, json!({}));
    let mut story = Story::of(&[app_target()], app_with(invalid, json!({})));
    story.fails(3, &IMAGE_NAME_INVALID, &["invalid reference format"]);
}

#[test]
fn row_12_an_image_may_still_be_pushed() {
    let missing = || waiting("ErrImagePull", "registry.example/app:1: not found", 0, json!({}));
    let mut story = Story::of(&[app_target()], app_with(missing(), json!({})));
    story.waits(15);
    clear(story.status("app", 15), &IMAGE_NOT_FOUND, &["not found"]);
    let mut story = Story::with(
        &[app_target()],
        app_with(missing(), json!({})),
        Policy { fail_fast: true },
    );
    story.fails(15, &IMAGE_NOT_FOUND, &["not found"]);
}

#[test]
fn row_13_a_program_for_another_machine_twice() {
    let error = |restarts| {
        let mut ended = run(5, 5, 128);
        ended["terminated"]["reason"] = json!("StartError");
        ended["terminated"]["message"] = json!("exec /bin/app: exec format error");
        json!({"state": ended, "restartCount": restarts})
    };
    let policy = json!({"imagePullPolicy": "IfNotPresent"});
    let mut story = Story::of(&[app_target()], app_with(error(0), policy.clone()));
    story.waits(6);
    put_app(&mut story.objects, error(1), policy);
    assert!(matches!(story.at(7), Verdict::Failed(_)));
    // A tag that is pulled each time may be another image the next time.
    put_app(&mut story.objects, error(1), json!({"imagePullPolicy": "Always"}));
    story.waits(8);
    // What a volume holds may be another file.
    put_app(
        &mut story.objects,
        error(1),
        json!({"imagePullPolicy": "IfNotPresent", "volumeMounts": [{"name": "bin", "mountPath": "/bin"}]}),
    );
    story.waits(9);
}

#[test]
fn row_14_paused() {
    let paused = |counts: [i32; 3]| {
        let mut objects = world();
        let mut deployment = deployment(2, 2, counts);
        deployment["spec"]["paused"] = json!(true);
        put(&mut objects.deployments, "app", deployment);
        put(&mut objects.pods, "app-0", pod("app-0", "app-new", ready_since(-60)));
        objects
    };
    // (a) by its own manifest, (b) by somebody else.
    let own = Target {
        is_held: true,
        ..app_target()
    };
    Story::of(std::slice::from_ref(&own), paused([1, 0, 1])).fails(
        1,
        &PAUSED,
        &["by its own manifest", "paused: true"],
    );
    let mut story = Story::of(&[app_target()], paused([1, 0, 1]));
    story.waits(1);
    let said = clear(story.status("app", 1), &PAUSED, &["rollout resume deployment/app"]);
    assert!(said.sentence.contains("is paused"));
    story.waits(600);
    story.fails(662, &PAUSED, &["is paused"]);
    // Its template is rolled out: that it is paused changes nothing.
    Story::of(&[own], paused([1, 1, 1])).is_ready(20);
}

#[test]
fn row_15_what_is_being_deleted_is_never_done() {
    let mut objects = app_with(ready_since(-60), json!({}));
    let deployment = objects.deployments.get_mut("n/app").unwrap();
    deployment.metadata.deletion_timestamp = Some(serde_json::from_value(json!(APPLIED)).unwrap());
    deployment.metadata.finalizers = Some(vec!["foregroundDeletion".to_owned()]);
    let mut story = Story::of(&[app_target()], objects);
    story.waits(60);
    in_course(story.status("app", 60), "being deleted");
}

fn short_lived() -> Target {
    Target {
        uid: Some("migrate".into()),
        removes_itself: true,
        ..one(TargetKind::Job, "migrate")
    }
}

#[test]
fn row_16_a_job_that_its_ttl_took_away() {
    let mut story = Story::of(&[short_lived()], Objects::default());
    put_job(&mut story.objects, "migrate", json!({"active": 1}));
    story.waits(1);
    put_job(
        &mut story.objects,
        "migrate",
        json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
    );
    let job = story.objects.jobs.remove("n/migrate").unwrap();
    job.bury("n/migrate", &mut story.objects, true);
    story.is_ready(7);
    // It has gone before anybody looked: its event tells.
    let mut story = Story::of(&[short_lived()], Objects::default());
    event(&mut story.objects, "migrate", "Completed", "Job completed", 2, 1);
    story.is_ready(7);
    let mut story = Story::of(&[short_lived()], Objects::default());
    event(
        &mut story.objects,
        "migrate",
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
        2,
        1,
    );
    story.fails(7, &JOB_FAILED, &["backoff limit"]);
    // A list in which it is missing says nothing of how it ended.
    let mut story = Story::of(&[short_lived()], Objects::default());
    put_job(&mut story.objects, "migrate", json!({"active": 1}));
    story.waits(1);
    let job = story.objects.jobs.remove("n/migrate").unwrap();
    job.bury("n/migrate", &mut story.objects, false);
    story.waits(2);
    assert_eq!(story.at(12), Verdict::Unknown);
    // Nobody has seen it, and nothing tells; the event may be a moment late.
    let mut story = Story::of(&[short_lived(), app_target()], app_with(ready_since(0), json!({})));
    story.waits(7);
    story.waits(20);
    assert_eq!(story.at(30), Verdict::Unknown);
}

#[test]
fn row_17_a_job_that_is_removed_before_it_ended() {
    let mut story = Story::of(&[short_lived()], Objects::default());
    put_job(&mut story.objects, "migrate", json!({"active": 1}));
    story.waits(1);
    let job = story.objects.jobs.remove("n/migrate").unwrap();
    job.bury("n/migrate", &mut story.objects, true);
    story.fails(2, &GONE, &["removed before it ended"]);
}

#[test]
fn row_18_a_broken_pod_of_the_old_revision_is_named() {
    let mut objects = world();
    put(&mut objects.pods, "db-0", database_pod("r1", crashed(5, 80, "2m40s")));
    let mut story = Story::of(&[one(TargetKind::StatefulSet, "db")], objects);
    story.waits(100);
    in_course(
        story.status("db", 100),
        "pod `db-0` is of the old revision and has to be replaced first",
    );
}

#[test]
fn row_19_a_dead_node_holds_up_no_daemon_set() {
    let pod_on = |node: &str, ready: bool| {
        let mut pod = pod(
            &format!("agent-{node}"),
            "agent",
            json!({"ready": ready, "state": {"running": {"startedAt": APPLIED}}}),
        );
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    let story = |ready: &str| {
        let mut objects = Objects::default();
        let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "agent", "namespace": "n", "uid": "agent", "generation": 2},
            "spec": {"selector": {}, "template": {}}, "status": {"observedGeneration": 2, "desiredNumberScheduled": 3,
            "currentNumberScheduled": 3, "numberMisscheduled": 0, "numberReady": 2, "numberAvailable": 2,
            "updatedNumberScheduled": 3}});
        objects.insert(&set).unwrap();
        for (node, ready) in [("a", true), ("b", true), ("c", false)] {
            put(&mut objects.pods, &format!("agent-{node}"), pod_on(node, ready));
        }
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "c"},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}});
        objects.insert(&node).unwrap();
        Story::of(&[one(TargetKind::DaemonSet, "agent")], objects)
    };
    let mut dead = story("Unknown");
    dead.is_ready(60);
    done(
        dead.status("agent", 60),
        "2 of 3 ready; not on c: such nodes are not ready",
    );
    story("True").waits(60);
}

#[test]
fn row_20_a_custom_object_is_not_done_before_its_controller_has_looked() {
    let mut story = Story::of(&[custom("database")], Objects::default());
    let ready = json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]});
    put_custom(&mut story.objects, "database", ready);
    story.waits(5);
    in_course(story.status("database", 5), "has not seen the change");
    let declared = Target {
        has_conditions: true,
        ..custom("database")
    };
    let mut story = Story::of(&[declared], Objects::default());
    put_custom(&mut story.objects, "database", Value::Null);
    story.waits(5);
    in_course(story.status("database", 5), "its controller has not looked at it yet");
    story.is_ready(60);
    let schema = |status: Value| {
        json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"status":
            {"properties": status}}}}}]}})
    };
    assert!(declares_conditions(&schema(json!({"conditions": {}})), "v1"));
    assert!(!declares_conditions(&schema(json!({"conditions": {}})), "v2"));
    assert!(!declares_conditions(&schema(json!({"phase": {}})), "v1"));
}

#[test]
fn one_failure_lets_the_others_end_and_names_them_all() {
    let invalid = waiting("InvalidImageName", "invalid reference format", 0, json!({}));
    let job = one(TargetKind::Job, "load");
    let targets = [app_target(), custom("database"), job];
    let mut story = Story::of(&targets, app_with(invalid, json!({})));
    put_custom(
        &mut story.objects,
        "database",
        json!({"conditions": [{"type": "Ready", "status": "False", "message": "no disk"}]}),
    );
    put_job(&mut story.objects, "load", json!({"active": 1}));
    story.waits(3);
    story.waits(12);
    let failed = story.fails(13, &IMAGE_NAME_INVALID, &["invalid reference format"]);
    assert_eq!(failed.others.len(), 1);
    has(&failed.others[0], &NOT_READY, &["no disk"]);
    // Whoever wants to fail fast gets to know all causes, too.
    let mut story = Story::with(&targets, story.objects, Policy { fail_fast: true });
    story.waits(3);
    story.fails(13, &IMAGE_NAME_INVALID, &["invalid reference format"]);
}

#[test]
fn an_object_that_is_deleted_while_it_is_waited_for_has_failed() {
    let stored = Target {
        uid: Some("d".into()),
        ..app_target()
    };
    Story::of(std::slice::from_ref(&stored), Objects::default()).fails(1, &GONE, &["has been deleted since"]);
    // Somebody has made another one of that name: it is waited for, whatever its generation.
    let mut other = app_with(ready_since(0), json!({}));
    let deployment = other.deployments.get_mut("n/app").unwrap();
    deployment.metadata.generation = Some(1);
    let known = Target {
        uid: Some("another".into()),
        generation: 7,
        ..stored
    };
    Story::of(&[known], other).is_ready(20);
}

#[test]
fn the_time_limit_is_longer_than_any_deadline() {
    let limit = |spec: Value, kind: (&str, &str)| {
        let object = json!({"apiVersion": kind.0, "kind": kind.1, "metadata": {"name": "a"}, "spec": spec});
        default_time_limit(&Target::of(&object).into_iter().collect::<Vec<_>>()).as_secs()
    };
    let (deployment, job) = (("apps/v1", "Deployment"), ("batch/v1", "Job"));
    assert_eq!(default_time_limit(&[]).as_secs(), 900);
    assert_eq!(limit(json!({}), deployment), 900);
    assert_eq!(
        limit(
            json!({"progressDeadlineSeconds": 1800, "minReadySeconds": 60}),
            deployment
        ),
        1860
    );
    let template = json!({"spec": {"containers": [{"name": "a", "startupProbe": {"failureThreshold": 30},
        "readinessProbe": {"initialDelaySeconds": 5}}]}});
    // 30 × 10 s and one for the answer, then (1 + 3) × 10 s and another.
    assert_eq!(
        limit(
            json!({"progressDeadlineSeconds": 1800, "template": template}),
            deployment
        ),
        1800 + 301 + 41
    );
    assert_eq!(limit(json!({"activeDeadlineSeconds": 7200}), job), 7200);
    // No deadline is what the largest number means.
    assert_eq!(limit(json!({"progressDeadlineSeconds": i32::MAX}), deployment), 900);
}
