//! `deploy-tool history [REVISION]`: lists the revisions, or the objects of one.

use crate::cli::HistoryArguments;
use cluster::Cluster;
use diagnostics::Result;
use releases::api::revisions;
use releases::release::listing;
use releases::release::listing::Listing;
use releases::release::no_such_revision;
use terminal::{Printer, Styled};

/// Runs the command.
///
/// # Errors
/// When the cluster does not answer, or there is no such revision.
pub async fn run(printer: &Printer, arguments: HistoryArguments) -> Result<()> {
    let HistoryArguments {
        revision,
        cluster_arguments,
    } = arguments;
    let release = cluster_arguments.release()?;
    let cluster = Cluster::connect(&cluster_arguments.context).await?;
    let history = revisions::read_history(&cluster, &release).await?;
    if let Some(number) = revision {
        let revision = history
            .revision(number)
            .ok_or_else(|| no_such_revision(&release, &history, number))?;
        if printer.json() {
            printer.document(&listing::objects(revision))?;
        } else {
            printer.raw(&Styled::default(), listing::yaml(revision)?.trim_end());
        }
        return Ok(());
    }
    let listing = Listing::new(&cluster.context, &release, &history);
    if printer.json() {
        printer.document(&listing)?;
    } else {
        printer.data(listing::table(&listing));
    }
    Ok(())
}
