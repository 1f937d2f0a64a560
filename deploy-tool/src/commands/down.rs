//! `deploy-tool down`: deletes what `up` created, in the opposite order. Data stays unless asked otherwise.

use std::time::Duration;

use futures::future::join_all;

use crate::cache::Cache;
use crate::cli::DownArguments;
use crate::cluster::Cluster;
use crate::cluster::delete::{self, Removal};
use crate::cluster::discover::{Kinds, Placed};
use crate::failure::{Failure, Outcome};
use crate::printer::{Printer, Progress};
use crate::release::Name;
use crate::{lock, manifest};

/// Runs the command.
///
/// # Errors
/// When something cannot be deleted, or does not go.
pub async fn run(printer: &Printer, arguments: DownArguments) -> Outcome<()> {
    let DownArguments {
        place,
        delete_data,
        timeout,
    } = arguments;
    let cache = Cache::open()?;
    let objects = manifest::in_order(manifest::load(&place.manifests)?);
    let release = Name::new(place.namespace.as_deref(), place.release.as_deref(), &objects)?;
    let _lock = lock::release(&cache, &place.context, &release, "down")?;
    let cluster = Cluster::connect(&place.context).await?;
    let placed = Kinds::of(&cluster)
        .await?
        .place_all(&cluster, objects.into_iter().rev(), &release.namespace)?;
    let (data, others): (Vec<Placed>, Vec<Placed>) = placed.into_iter().partition(holds_data);

    let remove = async |progress: &Progress| {
        progress.outcome(remove_all(&cluster, progress, &others, timeout).await?);
        Ok(())
    };
    printer.step("objects removed", remove).await?;
    let claims = claims(&cluster, &others).await?;
    if delete_data {
        let remove = async |progress: &Progress| {
            for (namespace, claim) in &claims {
                delete::delete_claim(&cluster, namespace, claim).await?;
            }
            let others = remove_all(&cluster, progress, &data, timeout).await?;
            let claims: Vec<String> = claims
                .iter()
                .map(|(_, claim)| format!("PersistentVolumeClaim `{claim}`"))
                .collect();
            progress.outcome(if claims.is_empty() {
                others
            } else {
                format!("removed {}; {others}", claims.join(", "))
            });
            Ok(())
        };
        return printer.step("data removed", remove).await;
    }
    let mut left: Vec<String> = claims
        .into_iter()
        .map(|(_, claim)| format!("PersistentVolumeClaim `{claim}`"))
        .collect();
    for placed in &data {
        if cluster
            .call("cannot look up what is left", placed.api.get_opt(placed.object.name()))
            .await?
            .is_some()
        {
            left.push(placed.object.title());
        }
    }
    if left.is_empty() {
        printer.say("nothing is left");
    } else {
        printer.say(&format!(
            "left, for the next `up`: {}; `deploy-tool down --delete-data` removes them",
            left.join(", ")
        ));
    }
    Ok(())
}

/// Volumes stay, and the passwords that fit them; and the namespace that both are in.
fn holds_data(placed: &Placed) -> bool {
    let object = &placed.object;
    matches!(object.kind(), "Namespace" | "PersistentVolumeClaim") || !manifest::generated_keys(object).is_empty()
}

async fn remove_all(cluster: &Cluster, progress: &Progress, objects: &[Placed], limit: Duration) -> Outcome<String> {
    let (mut asked, mut foreign) = (Vec::new(), Vec::new());
    for placed in objects {
        progress.activity(&placed.object.title());
        match delete::delete(cluster, placed).await? {
            Removal::Asked => asked.push(placed),
            Removal::Foreign => foreign.push(placed.object.title()),
            Removal::Absent => {}
        }
    }
    let all_gone = join_all(asked.iter().map(|placed| delete::gone(placed)));
    tokio::time::timeout(limit, all_gone).await.map_err(|_| {
        Failure::cluster(format!("not everything is gone within {} s", limit.as_secs()))
            .next("run the same command again, and wait longer with --timeout; a finalizer may hold an object")
    })?;
    let titles: Vec<String> = asked.iter().map(|placed| placed.object.title()).collect();
    let removed = if titles.is_empty() {
        "nothing to remove".to_owned()
    } else {
        format!("removed {}", titles.join(", "))
    };
    let kept = if foreign.is_empty() {
        String::new()
    } else {
        format!("; left what others made: {}", foreign.join(", "))
    };
    Ok(removed + &kept)
}

/// Namespace and name of the claims that the StatefulSets of the manifests have made.
async fn claims(cluster: &Cluster, objects: &[Placed]) -> Outcome<Vec<(String, String)>> {
    let mut found = Vec::new();
    for placed in objects.iter().filter(|placed| placed.object.kind() == "StatefulSet") {
        let Some(namespace) = &placed.namespace else { continue };
        let labels = placed
            .object
            .value
            .data
            .pointer("/spec/selector/matchLabels")
            .and_then(|labels| labels.as_object());
        let selector: Vec<String> = labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
            .collect();
        if !selector.is_empty() {
            let claims = delete::claims(cluster, namespace, &selector.join(",")).await?;
            found.extend(claims.into_iter().map(|claim| (namespace.clone(), claim)));
        }
    }
    Ok(found)
}
