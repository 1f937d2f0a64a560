//! One workload's change, and how to undo it.

use super::Bounds;
use crate::workload::Workload;
use rollout::Target;

/// What happens to one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The workload.
    pub workload: Workload,
    /// How many replicas it is to have now.
    pub before: i32,
    /// How many it shall have.
    pub after: i32,
    /// The target of the wait, in its present state.
    pub target: Option<Target>,
    /// The autoscaler that has the count, and the bounds that it gets.
    pub autoscaler: Option<Edit>,
}

/// New bounds of an autoscaler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its name.
    pub name: String,
    /// The present bounds.
    pub before: Bounds,
    /// The new bounds.
    pub after: Bounds,
}

impl Change {
    /// The count to write, if one is. An autoscaler lowers the count itself, when the load allows it; it would raise it
    /// to its minimum within 15 s, which is done at once; and it sleeps while the count is zero.
    /// <https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#implicit-maintenance-mode-deactivation>
    pub fn count(&self) -> Option<i32> {
        let autoscaler_does_it = self.autoscaler.is_some() && self.after > 0 && self.after < self.before;
        (self.after != self.before && !autoscaler_does_it).then_some(self.after)
    }

    /// The bounds to write, if any are.
    pub fn edit(&self) -> Option<&Edit> {
        self.autoscaler.as_ref().filter(|edit| edit.before != edit.after)
    }

    /// The target of the wait after the number was written, including the deletion of surplus pods.
    pub fn wait_target(&self) -> Option<Target> {
        let target = self.target.clone()?;
        Some(Target {
            generation: target.generation + i64::from(self.count().is_some()),
            surplus_gone: true,
            ..target
        })
    }

    /// Whether nothing is to be written.
    pub fn is_nothing(&self) -> bool {
        self.count().is_none() && self.edit().is_none()
    }

    /// For sentences.
    pub fn title(&self) -> String {
        let Self { workload, before, .. } = self;
        let count = match self.count() {
            Some(after) => format!("{workload}: {before} → {after} replicas"),
            None => format!("{workload}: {before} replicas"),
        };
        match &self.autoscaler {
            None => count,
            Some(Edit { name, .. }) if self.after == 0 => {
                format!("{count}, HorizontalPodAutoscaler `{name}` sleeps until there are some again")
            }
            Some(Edit { name, before, after }) => format!(
                "{count}, HorizontalPodAutoscaler `{name}`: minReplicas {}, maxReplicas {}",
                step(before.minimum, after.minimum),
                step(before.maximum, after.maximum)
            ),
        }
    }
}

fn step(before: i32, after: i32) -> String {
    if before == after {
        before.to_string()
    } else {
        format!("{before} → {after}")
    }
}

/// The commands that undo all changes; `place` are the arguments for the cluster.
pub fn undo_commands(changes: &[Change], namespace: &str, location: &str) -> Vec<String> {
    let counts: Vec<String> = changes
        .iter()
        .filter(|change| change.count().is_some() && change.autoscaler.is_none())
        .map(|change| format!("{}={}", change.workload.argument(), change.before))
        .collect();
    let autoscalers = changes.iter().filter_map(Change::edit).map(|edit| {
        format!(
            "go back: `kubectl --namespace {namespace} patch horizontalpodautoscaler {} --type merge --patch \
             '{{\"spec\":{{\"minReplicas\":{},\"maxReplicas\":{}}}}}'`",
            edit.name, edit.before.minimum, edit.before.maximum
        )
    });
    let counts = (!counts.is_empty()).then(|| format!("go back: `deploy-tool scale {}{location}`", counts.join(" ")));
    counts.into_iter().chain(autoscalers).collect()
}
