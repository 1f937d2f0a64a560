//! Releases that were given the wrong verdict once, as a cluster goes through them.

use super::story::*;
use super::*;
use diagnostics::code::rollout::*;

/// A Job without a time to live is run and gone while others are waited for.
#[test]
fn a_job_that_is_gone_while_others_are_waited_for() {
    let job = Target {
        uid: Some("migrate".into()),
        removes_itself: true,
        ..plain_target(TargetKind::Job, "migrate")
    };
    let later = plain_target(TargetKind::Job, "later");
    let mut story = Story::new(&[job, later], Objects::default());
    put_job(&mut story.objects, "later", json!({"active": 1}));
    event(&mut story.objects, "migrate", "Completed", "Job completed", 2, 1);
    story.waits(3);
    done(story.status("migrate", 3), "complete, and gone since");
    put_job(
        &mut story.objects,
        "later",
        json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
    );
    story.is_ready(9);
}

/// A Job of the release makes the Secret after it has pulled its image; another object's failure is told, not this.
#[test]
fn a_secret_that_a_job_of_the_release_makes() {
    let missing = || {
        let mut objects = app_with(waiting("ContainerCreating", "", 0, json!({})), json!({}));
        let message = "MountVolume.SetUp failed for volume \"cert\" : secret \"made-late\" not found";
        event(&mut objects, "app-1", "FailedMount", message, 1, 4);
        put_job(&mut objects, "admission", json!({"active": 1}));
        objects
    };
    let targets = [app_target(), plain_target(TargetKind::Job, "admission")];
    for policy in [Policy::default(), Policy { fail_fast: true }] {
        let mut story = Story::with_policy(&targets, missing(), policy);
        story.waits(1);
        story.waits(120);
        let reason = story.status("app", 120).sentence();
        assert!(
            reason.contains("`made-late`, which is not there; Job `admission` may still make it"),
            "{reason}"
        );
    }
    // Its image cannot be pulled: that is the cause, and comes first.
    let mut story = Story::with_policy(&targets, missing(), Policy { fail_fast: true });
    let invalid = waiting("InvalidImageName", "invalid reference format", 0, json!({}));
    put(
        &mut story.objects.pods,
        "admission-1",
        pod("admission-1", "admission", invalid),
    );
    let failed = story.fails(10, &IMAGE_NAME_INVALID, &["invalid reference format"]);
    has(&failed.others[0], &CONFIGURATION_MISSING, &["`made-late`"]);
    // Nothing makes it: it is told at once, and decided by the Deployment's deadline.
    let mut story = Story::new(&[app_target()], missing());
    story.waits(1);
    let message = "MountVolume.SetUp failed for volume \"cert\" : secret \"made-late\" not found";
    event(&mut story.objects, "app-1", "FailedMount", message, 590, 12);
    story.waits(600);
    story.fails(662, &CONFIGURATION_MISSING, &["`made-late`"]);
}

/// Ready after 45 s, as many Java services.
#[test]
fn a_service_that_takes_its_time() {
    let probes =
        json!({"readinessProbe": {"initialDelaySeconds": 45, "periodSeconds": 5, "exec": {"command": ["true"]}}});
    for policy in [Policy::default(), Policy { fail_fast: true }] {
        let mut story = Story::with_policy(&[app_target()], app_with(runs_since(1), probes.clone()), policy);
        story.waits(2);
        story.waits(46);
        let mut ready = ready_since(1);
        ready["ready"] = json!(true);
        put_app(&mut story.objects, ready, probes.clone());
        story.is_ready(50);
    }
}

/// Ends at once, and is ready whenever it runs.
#[test]
fn ready_then_crash() {
    let mut story = Story::new(&[app_target()], app_with(ready_since(1), json!({})));
    story.waits(1);
    put_app(&mut story.objects, json!({"state": run(1, 2, 1)}), json!({}));
    story.waits(2);
    for (restarts, start, pause) in [(1, 3, "10s"), (2, 13, "20s"), (3, 33, "40s"), (4, 74, "1m20s")] {
        // For a moment it is there.
        let mut running = ready_since(start);
        running["restartCount"] = json!(restarts);
        running["lastState"] = run(start - 11, start - 10, 1);
        put_app(&mut story.objects, running, json!({}));
        story.waits(start);
        settling(story.status("app", start + 1), "has to stay so");
        put_app(&mut story.objects, crashed(restarts, start, pause), json!({}));
        story.waits(start + 2);
    }
    story.waits(120);
    story.fails(124, &CRASH_LOOP, &["has ended 5 times, last with exit code 1"]);
}

#[test]
fn whoever_wants_to_fail_fast_sees_three_ends() {
    let mut story = Story::with_policy(
        &[app_target()],
        app_with(crashed(1, 3, "10s"), json!({})),
        Policy { fail_fast: true },
    );
    story.waits(4);
    put_app(&mut story.objects, crashed(2, 13, "20s"), json!({}));
    story.fails(14, &CRASH_LOOP, &["has ended 3 times"]);
}

/// Ends three times, until its database is there, and runs from then on.
#[test]
fn crash_then_run() {
    let probes = json!({"readinessProbe": {"periodSeconds": 1, "exec": {"command": ["true"]}}});
    let mut story = Story::new(&[app_target()], app_with(crashed(0, 1, "10s"), probes.clone()));
    story.waits(1);
    put_app(&mut story.objects, crashed(2, 13, "20s"), probes.clone());
    story.waits(14);
    story.waits(33);
    let mut running = ready_since(33);
    running["restartCount"] = json!(3);
    running["lastState"] = run(13, 13, 1);
    put_app(&mut story.objects, running, probes);
    story.waits(34);
    // One and a half times the run before, and five seconds.
    story.is_ready(38);
}

/// A service that ends until its database is there, however long that takes to start.
#[test]
fn a_crash_loop_waits_for_what_is_on_its_way() {
    let mut objects = app_with(crashed(7, 500, "5m0s"), json!({}));
    let starting = waiting("ContainerCreating", "", 0, json!({}));
    put(&mut objects.pods, "db-0", database_pod("r2", starting));
    let mut story = Story::new(&[plain_target(TargetKind::StatefulSet, "db"), app_target()], objects);
    story.waits(1);
    story.waits(900);
}

/// No node fits, and whoever adds nodes looks every ten seconds.
#[test]
fn an_autoscaler_of_nodes_has_time_to_speak() {
    let mut objects = app_with(json!({}), json!({}));
    let pod = objects.pods.get_mut("n/app-1").unwrap();
    let spec = pod.spec.as_mut().unwrap();
    spec.node_name = None;
    spec.node_selector = Some([("case.example.com/disk".to_owned(), "fast".to_owned())].into());
    spec.runtime_class_name = None;
    let message = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are \
                   available: 3 Preemption is not helpful for scheduling.";
    pod.status = serde_json::from_value(json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}))
    .unwrap();
    let mut story = Story::with_policy(&[app_target()], objects, Policy { fail_fast: true });
    story.waits(4);
    story.waits(29);
    story.fails(30, &UNSCHEDULABLE, &["label node NODE case.example.com/disk=fast"]);
}

/// Nobody takes the Service: a note after a while, and no failure.
#[test]
fn a_load_balancer_that_nobody_makes() {
    let kind = kube_core::GroupVersionKind::gvk("", "v1", "Service");
    let front = || plain_target(TargetKind::Generic(kind.clone()), "front");
    let service = |finalizers: Value, status: Value| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front", "namespace": "n", "uid": "front",
            "generation": 2, "creationTimestamp": APPLIED, "finalizers": finalizers}, "spec": {"type": "LoadBalancer"}, "status": status})
    };
    let mut story = Story::new(&[front()], Objects::default());
    story.objects.insert(&service(json!([]), json!({}))).unwrap();
    story.waits(29);
    story.is_ready(30);
    done(
        story.status("front", 30),
        "no controller of load balancers has taken it",
    );
    // One has, and says what is wrong.
    let taken = service(json!(["service.kubernetes.io/load-balancer-cleanup"]), json!({}));
    let mut story = Story::new(&[front()], Objects::default());
    story.objects.insert(&taken).unwrap();
    story.waits(300);
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"}, "type": "Warning",
        "reason": "AllocationFailed", "message": "no available IPs", "lastTimestamp": at(301).to_string(),
        "involvedObject": {"kind": "Service", "uid": "front", "namespace": "n", "name": "front"}});
    story.objects.insert(&event).unwrap();
    clear(story.status("front", 302), &LOAD_BALANCER, &["no available IPs"]);
    let address = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}});
    story.objects.insert(&service(json!([]), address)).unwrap();
    story.is_ready(310);
    done(story.status("front", 310), "192.0.2.7");
}

/// Waits while pods of the old revision go; when nothing moves any more, it has failed.
#[test]
fn a_quota_that_stays_tight() {
    let mut objects = world();
    put(&mut objects.deployments, "app", deployment(2, 2, [0, 0, 0]));
    event(
        &mut objects,
        "app-new",
        "FailedCreate",
        "pods \"x\" is forbidden: exceeded quota: q",
        2,
        3,
    );
    let mut story = Story::new(&[app_target()], objects);
    story.waits(3);
    event(
        &mut story.objects,
        "app-new",
        "FailedCreate",
        "pods \"y\" is forbidden: exceeded quota: q",
        600,
        1,
    );
    story.waits(600);
    story.fails(664, &QUOTA, &["exceeded quota: q"]);
}

/// The pod of the Deployment with a container before the others: `policy` is `Always` for a native sidecar.
fn app_after(policy: &Value, first: &Value, main: Value) -> Objects {
    let mut objects = app_with(main, json!({}));
    let mut pod = serde_json::to_value(&objects.pods["n/app-1"]).unwrap();
    pod["spec"]["initContainers"] = json!([{"name": "first", "image": "first:1", "restartPolicy": policy}]);
    let mut status = json!({"name": "first", "ready": false, "restartCount": 0, "image": "", "imageID": ""});
    for (field, value) in first.as_object().unwrap() {
        status[field] = value.clone();
    }
    pod["status"]["initContainerStatuses"] = json!([status]);
    put(&mut objects.pods, "app-1", pod);
    objects
}

/// A sidecar that has been started again has to stay up as well, though the pod is ready while it runs.
#[test]
fn a_native_sidecar_has_to_stay_up() {
    let sidecar = json!({"state": {"running": {"startedAt": at(20).to_string()}}, "restartCount": 1, "started": true,
        "ready": true, "lastState": run(1, 9, 1)});
    let objects = app_after(&json!("Always"), &sidecar, ready_since(1));
    let mut story = Story::new(&[app_target()], objects);
    story.waits(30);
    settling(story.status("app", 36), "has to stay so for 17 s");
    story.is_ready(37);
}

/// Whatever container it is that ends again and again, and of whatever controller: told at once, and decided after two
/// minutes.
#[test]
fn crash_loops_of_init_containers_sidecars_and_other_controllers() {
    let waits = json!({"state": {"waiting": {"reason": "PodInitializing"}}});
    let looping = |restarts, start, pause| {
        let message = format!("back-off {pause} restarting failed container=first pod=app-1");
        waiting("CrashLoopBackOff", &message, restarts, run(start, start, 1))
    };
    for policy in [Value::Null, json!("Always")] {
        let objects = |restarts, start, pause| app_after(&policy, &looping(restarts, start, pause), waits.clone());
        let mut story = Story::new(&[app_target()], objects(0, 1, "10s"));
        story.waits(2);
        let sentence = story.status("app", 2).sentence();
        assert!(
            sentence.contains("container `first` of pod `app-1` has ended once"),
            "{sentence}"
        );
        story.objects = objects(3, 43, "40s");
        story.waits(44);
        story.objects = objects(4, 90, "1m20s");
        story.waits(120);
        story.fails(123, &CRASH_LOOP, &["container `first`", "has ended 5 times"]);
    }
    let of_set = |restarts, start, pause| {
        let mut objects = world();
        put(
            &mut objects.pods,
            "db-0",
            database_pod("r2", crashed(restarts, start, pause)),
        );
        objects
    };
    let mut story = Story::new(&[plain_target(TargetKind::StatefulSet, "db")], of_set(0, 1, "10s"));
    story.waits(2);
    story.objects = of_set(4, 90, "1m20s");
    story.waits(100);
    story.fails(123, &CRASH_LOOP, &["pod `db-0`", "has ended 5 times"]);
}

/// One new pod is let in within the second in which the next one is refused; an old one goes later: then the controller
/// is made to try again, whose own pause would be minutes by then.
#[test]
fn a_quota_that_lets_in_one_pod_after_the_other() {
    let mut objects = world();
    put(&mut objects.deployments, "app", deployment(2, 2, [2, 1, 2]));
    let mut set = replica_set("app-new", "2");
    set["status"] =
        json!({"replicas": 1, "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]});
    put(&mut objects.replica_sets, "app-new", set);
    put(&mut objects.pods, "app-1", pod("app-1", "app-new", ready_since(0)));
    let mut leaving = pod("app-0", "app-old", json!({"ready": true}));
    leaving["metadata"]["deletionTimestamp"] = json!(at(0).to_string());
    put(&mut objects.pods, "app-0", leaving);
    let message = "pods \"x\" is forbidden: exceeded quota: q";
    event(&mut objects, "app-new", "FailedCreate", message, 0, 1);
    let mut target = app_target();
    target.surplus_gone = false;
    let mut story = Story::new(std::slice::from_ref(&target), objects);
    story
        .objects
        .deployments
        .get_mut("n/app")
        .unwrap()
        .spec
        .as_mut()
        .unwrap()
        .replicas = Some(2);
    story.waits(1);
    let status = story.status("app", 2);
    assert!(status.sentence().contains("exceeded quota: q"), "{}", status.sentence());
    assert_eq!(story.last_movement(), Some(at(1)));
    story.objects.pods.remove("n/app-0");
    story.waits(9);
    assert_eq!(story.last_movement(), Some(at(9)), "a pod has gone");
    let controller = refused_before(&target, &story.objects, at(7));
    assert_eq!(controller.map(|controller| controller.kind), Some("ReplicaSet"));
}
