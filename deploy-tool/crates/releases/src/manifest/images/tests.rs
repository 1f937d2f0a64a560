use super::*;
use crate::manifest::parse;

/// A pod spec with an image in each of its places.
const SPEC: &str = "{runtimeClassName: w, initContainers: [{name: i, image: 'i:1'}], \
    containers: [{name: c, image: 'c:1'}, {name: none}], ephemeralContainers: [{name: e, image: 'e:1'}], \
    volumes: [{name: v, image: {reference: 'v:1'}}, {name: tmp, emptyDir: {}}]}";

fn object(version: &str, kind: &str, rest: &str) -> Object {
    let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n{rest}\n");
    parse("m.yaml", &text).unwrap().remove(0)
}

#[test]
fn every_place_of_a_pod_spec_in_every_kind_that_has_one_is_seen() {
    let workload = format!("spec: {{template: {{spec: {SPEC}}}}}");
    let cases = [
        ("apps/v1", "Deployment", workload.clone(), "spec.template.spec"),
        ("apps/v1", "StatefulSet", workload.clone(), "spec.template.spec"),
        ("apps/v1", "DaemonSet", workload.clone(), "spec.template.spec"),
        ("apps/v1", "ReplicaSet", workload.clone(), "spec.template.spec"),
        ("v1", "ReplicationController", workload.clone(), "spec.template.spec"),
        ("batch/v1", "Job", workload.clone(), "spec.template.spec"),
        (
            "batch/v1",
            "CronJob",
            format!("spec: {{jobTemplate: {{spec: {{template: {{spec: {SPEC}}}}}}}}}"),
            "spec.jobTemplate.spec.template.spec",
        ),
        ("v1", "Pod", format!("spec: {SPEC}"), "spec"),
        (
            "v1",
            "PodTemplate",
            format!("template: {{spec: {SPEC}}}"),
            "template.spec",
        ),
        (
            "apps/v1",
            "ControllerRevision",
            format!("data: {workload}").replace("data: spec", "data: {spec") + "}",
            "data.spec.template.spec",
        ),
        // Knative, Argo and JobSet keep it elsewhere.
        ("serving.knative.dev/v1", "Service", workload, "spec.template.spec"),
        (
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            format!("spec: {{jobs: [{{pod/s: {SPEC}}}]}}"),
            "spec.jobs.0.pod/s",
        ),
    ];
    for (version, kind, rest, at) in cases {
        let mut object = object(version, kind, &rest);
        let found: Vec<_> = object
            .images()
            .iter()
            .map(|image| (image.field.clone(), image.reference.to_owned()))
            .collect();
        let expected = [
            ("initContainers[i].image", "i:1"),
            ("containers[c].image", "c:1"),
            ("ephemeralContainers[e].image", "e:1"),
            ("volumes[v].image.reference", "v:1"),
        ]
        .map(|(field, image)| (format!("{at}.{field}"), image.to_owned()));
        assert_eq!(found, expected, "{kind}");
        assert_eq!(object.containers().len(), 4, "{kind}");
        assert!(object.runtime_classes_of_placeholders().is_empty(), "{kind}");
        object.replace_images(|image| Some(format!("x.io/{image}")));
        let replaced: Vec<_> = object.images().iter().map(|image| image.reference.to_owned()).collect();
        assert_eq!(replaced, ["x.io/i:1", "x.io/c:1", "x.io/e:1", "x.io/v:1"], "{kind}");
        object.replace_images(|_| Some("deploy-tool://app".to_owned()));
        assert_eq!(object.runtime_classes_of_placeholders(), [Some("w")].into(), "{kind}");
    }
}

#[test]
fn the_image_of_a_sidecar_is_one_of_the_pods() {
    let template =
        "{metadata: {annotations: {dapr.io/sidecar-image: 'd:1'}}, spec: {containers: [{name: c, image: 'c:1'}]}}";
    let mut object = object("apps/v1", "Deployment", &format!("spec: {{template: {template}}}"));
    let fields: Vec<_> = object.images().into_iter().map(|image| image.field).collect();
    let annotation = "spec.template.metadata.annotations.dapr.io/sidecar-image";
    assert_eq!(fields, ["spec.template.spec.containers[c].image", annotation]);
    object.replace_images(|image| Some(format!("x.io/{image}")));
    let replaced: Vec<_> = object.images().iter().map(|image| image.reference.to_owned()).collect();
    assert_eq!(replaced, ["x.io/c:1", "x.io/d:1"]);
}

#[test]
fn each_pod_of_an_object_has_a_runtime_class_of_its_own() {
    let pod = |more: &str| format!("{{{more}containers: [{{name: c, image: 'deploy-tool://app'}}]}}");
    let text = format!("spec: {{front: {}, back: {}}}", pod("runtimeClassName: w, "), pod(""));
    let fleet = object("example.com/v1", "Fleet", &text);
    assert_eq!(fleet.runtime_classes_of_placeholders(), [None, Some("w")].into());
    let widget = object("example.com/v1", "Widget", "spec: {image: 'deploy-tool://app'}");
    assert_eq!(widget.runtime_classes_of_placeholders(), [None].into());
}

#[test]
fn a_placeholder_anywhere_in_an_unknown_kind_is_an_image() {
    let mut custom = object(
        "example.com/v1",
        "Widget",
        "spec: {image: 'deploy-tool://app', tag: x, steps: ['deploy-tool://b']}",
    );
    let fields: Vec<_> = custom.images().into_iter().map(|image| image.field).collect();
    assert_eq!(fields, ["spec.image", "spec.steps.0"]);
    custom.replace_images(|_| Some("y:2".to_owned()));
    assert_eq!(
        custom.value.data["spec"],
        serde_json::json!({"image": "y:2", "tag": "x", "steps": ["y:2"]})
    );
    // Text that only looks like one.
    assert_eq!(
        object("v1", "ConfigMap", "data: {help: 'deploy-tool://app'}").images(),
        []
    );
}

#[test]
fn who_may_run_what_nobody_sees_is_known() {
    let cases = [
        ("v1", "ConfigMap", false),
        ("apps/v1", "Deployment", false),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", false),
        ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", true),
        ("gateway.networking.k8s.io/v1", "Gateway", true),
        ("argoproj.io/v1alpha1", "Workflow", true),
    ];
    for (version, kind, hides) in cases {
        assert_eq!(object(version, kind, "").hides_images(), hides, "{kind}");
    }
}
