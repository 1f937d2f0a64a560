//! The autoscaler that owns a workload's number of replicas, if one does.
//!
//! <https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/>

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use crate::workload::Workload;

/// KEDA marks the autoscalers that it makes from a ScaledObject, and undoes changes of them.
/// <https://keda.sh/docs/latest/concepts/scaling-deployments/>
const KEDA_LABEL: &str = "scaledobject.keda.sh/name";

/// The state of an autoscaler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autoscaler {
    /// Its name.
    pub name: String,
    /// Between which counts it moves.
    pub bounds: Bounds,
    /// The number of replicas that it wants now, by its metrics.
    pub desired: Option<i32>,
    /// How many replicas it has seen last.
    pub current: Option<i32>,
    /// KEDA's ScaledObject that it was made from.
    pub scaled_object: Option<String>,
}

/// Between which counts an autoscaler moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Not fewer than these.
    pub minimum: i32,
    /// Not more than these.
    pub maximum: i32,
}

impl Autoscaler {
    /// The one that scales a workload.
    pub fn find_for(workload: &Workload, all: &[HorizontalPodAutoscaler]) -> Option<Self> {
        all.iter().find_map(|autoscaler| {
            let spec = autoscaler.spec.as_ref()?;
            let target = &spec.scale_target_ref;
            let same = target.name == workload.name && target.kind == workload.kind.to_string();
            let metadata = &autoscaler.metadata;
            let label = metadata.labels.as_ref().and_then(|labels| labels.get(KEDA_LABEL));
            let owner = metadata
                .owner_references
                .iter()
                .flatten()
                .find(|owner| owner.kind == "ScaledObject");
            same.then(|| Self {
                name: metadata.name.clone().unwrap_or_default(),
                bounds: Bounds {
                    minimum: spec.min_replicas.unwrap_or(1),
                    maximum: spec.max_replicas,
                },
                desired: autoscaler.status.as_ref().map(|status| status.desired_replicas),
                current: autoscaler.status.as_ref().and_then(|status| status.current_replicas),
                scaled_object: label.or(owner.map(|owner| &owner.name)).cloned(),
            })
        })
    }

    /// Whether it leaves a workload at a number of replicas, and so need not be changed: it wants as many itself, has no
    /// choice, or is scaled to or from zero. Whatever else lies between its bounds, it undoes when it looks next.
    pub fn keeps_replicas(&self, before: i32, after: i32) -> bool {
        let Bounds { minimum, maximum } = self.bounds;
        // KEDA scales to none and from none itself.
        let is_to_zero = after == 0 && self.scaled_object.is_none();
        let is_from_zero = before == 0 && after == minimum;
        let no_choice = minimum == maximum && after == minimum;
        before == after || self.desired == Some(after) || is_to_zero || is_from_zero || no_choice
    }

    /// The bounds with which it keeps at least a number of replicas. None at all only pauses it: its own smallest
    /// minimum is one.
    pub fn bounds_for(&self, replicas: i32) -> Bounds {
        match replicas {
            0 => self.bounds,
            minimum => Bounds {
                minimum,
                maximum: self.bounds.maximum.max(minimum),
            },
        }
    }

    /// For sentences.
    pub fn describe(&self) -> String {
        let current = self
            .current
            .map_or("no replicas counted yet".to_owned(), |current| format!("{current} now"));
        format!(
            "HorizontalPodAutoscaler `{}` keeps it between {} and {} ({current})",
            self.name, self.bounds.minimum, self.bounds.maximum
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Kind;
    use serde_json::{Value, json};

    fn autoscaler(kind: &str, minimum: Option<i32>, metadata: &Value) -> HorizontalPodAutoscaler {
        let mut spec =
            json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": "app"}, "maxReplicas": 8});
        if let Some(minimum) = minimum {
            spec["minReplicas"] = json!(minimum);
        }
        serde_json::from_value(
            json!({"metadata": metadata, "spec": spec, "status": {"currentReplicas": 4, "desiredReplicas": 4}}),
        )
        .unwrap()
    }

    fn app() -> Workload {
        Workload {
            kind: Kind::Deployment,
            name: "app".into(),
        }
    }

    #[test]
    fn the_one_that_names_the_workload() {
        fn found(kind: &str, minimum: Option<i32>, metadata: &Value) -> Option<Autoscaler> {
            Autoscaler::find_for(&app(), &[autoscaler(kind, minimum, metadata)])
        }
        let plain = found("Deployment", Some(2), &json!({"name": "a"})).unwrap();
        assert_eq!(
            plain.describe(),
            "HorizontalPodAutoscaler `a` keeps it between 2 and 8 (4 now)"
        );
        assert_eq!(plain.scaled_object, None);
        assert_eq!(
            found("Deployment", None, &json!({"name": "a"})).unwrap().bounds.minimum,
            1
        );
        assert_eq!(found("StatefulSet", None, &json!({"name": "a"})), None);
        let owner = json!({"name": "a", "ownerReferences": [
            {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "s", "uid": "u"}]});
        assert_eq!(
            found("Deployment", None, &owner).unwrap().scaled_object.as_deref(),
            Some("s")
        );
        let label = json!({"name": "a", "labels": {"scaledobject.keda.sh/name": "l"}});
        assert_eq!(
            found("Deployment", None, &label).unwrap().scaled_object.as_deref(),
            Some("l")
        );
    }

    #[test]
    fn what_it_would_undo_and_what_not() {
        let between = |minimum, maximum, label: Option<&str>| Autoscaler {
            name: "a".into(),
            bounds: Bounds { minimum, maximum },
            desired: Some(4),
            current: Some(4),
            scaled_object: label.map(str::to_owned),
        };
        let plain = between(2, 8, None);
        for (before, after, left) in [
            (3, 4, true),  // what it wants
            (4, 3, false), // between its bounds, and it wants four
            (4, 2, false), // its minimum, but the load is higher
            (4, 9, false), // beyond
            (3, 3, true),  // nothing to do
            (4, 0, true),  // it scales to zero
            (0, 2, true),  // it scales from zero
            (0, 3, false), // it scales from zero, and goes to what it wants
        ] {
            assert_eq!(plain.keeps_replicas(before, after), left, "{before} → {after}");
        }
        assert!(between(5, 5, None).keeps_replicas(4, 5));
        assert!(!between(2, 8, Some("queue")).keeps_replicas(4, 0));
    }

    #[test]
    fn the_minimum_is_what_is_asked_for_and_the_maximum_makes_room() {
        let found = Autoscaler::find_for(&app(), &[autoscaler("Deployment", Some(2), &json!({}))]).unwrap();
        let bounds_for = |replicas| (found.bounds_for(replicas).minimum, found.bounds_for(replicas).maximum);
        assert_eq!(
            [
                bounds_for(1),
                bounds_for(5),
                bounds_for(8),
                bounds_for(9),
                bounds_for(0)
            ],
            [(1, 8), (5, 8), (8, 8), (9, 9), (2, 8)]
        );
    }
}
