//! Pure: whether the cluster is still as a plan found it.

use super::saved::Saved;
use super::{Live, Plan, Step, Version};
use diagnostics::code;
use diagnostics::{Error, Result};

/// Refuses a plan that was made for another cluster.
///
/// # Errors
/// When it was; or when an identity is unknown and the contexts have different names.
pub fn refuse_other_cluster(saved: &Saved, context: &str, cluster: Option<&str>) -> Result<()> {
    let same = match (saved.cluster.as_deref(), cluster) {
        (Some(then), Some(now)) => then == now,
        _ => saved.context == context,
    };
    if same {
        Ok(())
    } else {
        Err(Error::input("the plan was made for another cluster")
            .code(&code::apply::PLAN_OF_OTHER_CLUSTER)
            .cause(format!(
                "it was made with the context `{}`, and this is `{context}`",
                saved.context
            ))
            .hint("name its cluster's context with --context, or make a new plan for this one"))
    }
}

/// Refuses a plan with objects that have changed since.
///
/// # Errors
/// When there are some; it names all of them.
pub fn refuse_changes(plan: &Plan, live: &Live) -> Result<()> {
    let change = |step: &Step| {
        let title = step.identity.title();
        match (&step.before, live.get(&step.identity)) {
            (None, Some(_)) => Some(format!("{title} has been made since")),
            (Some(_), None) => Some(format!("{title} has been deleted since")),
            (Some(before), Some(live)) if !before.is_same_content(&Version::from_object(live)) => {
                Some(format!("{title} has been changed since"))
            }
            _ => None,
        }
    };
    let changes: Vec<String> = plan.steps.iter().filter_map(change).collect();
    if changes.is_empty() {
        Ok(())
    } else {
        Err(outdated(&changes))
    }
}

/// The error for a plan that is out of date.
pub fn outdated(changes: &[String]) -> Error {
    Error::cluster("the plan is out of date, and nothing more is applied")
        .code(&code::apply::PLAN_OUTDATED)
        .detail(changes.join("\n"))
        .hint("make the plan again and look at it")
}
