//! `deploy-tool docker remove`: the entry, a signal, then the files.

use std::collections::BTreeSet;
use std::path::Path;

use crate::docker_runtime::configuration;
use crate::docker_runtime::engine::{self, Engine};
use crate::docker_runtime::record::{self, Installed};
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::lock;
use terminal::{Printer, Progress};

/// Runs the command.
///
/// # Errors
/// When containers need it, or it cannot be done: then all is as it was.
pub async fn run(printer: &Printer, cleanup: &Cleanup) -> Result<()> {
    let _lock = lock::docker(&Cache::open()?, "docker remove")?;
    let Some(installed) = record::read()? else {
        printer.info("nothing was installed: the Docker engine is left as it is");
        return Ok(());
    };
    let engine = Engine::find().await?;
    engine.check_configuration_path(&installed.configuration)?;
    let names: BTreeSet<&str> = installed.runtimes.keys().map(String::as_str).collect();
    let needed = engine::containers(&names).await?;
    if let Some(first) = needed.first() {
        return Err(
            Error::input("containers need the runtimes, and could not be started or removed without them")
                .cause(needed.join(", "))
                .hint(format!(
                    "remove them first: docker rm --force {first}; those of Compose: docker compose down"
                )),
        );
    }
    let unregister_runtimes = async |progress: &Progress| unregister(progress, cleanup, &engine, &installed).await;
    printer
        .step("Docker engine: runtimes removed", unregister_runtimes)
        .await
}

async fn unregister(progress: &Progress, cleanup: &Cleanup, engine: &Engine, installed: &Installed) -> Result<()> {
    let path = &installed.configuration;
    let now = record::text(path)?;
    let restored = restored_text(path, installed, now.as_deref())?;
    if restored != now || !installed.is_finished {
        let (target, start) = (path.clone(), now.clone());
        let guard = cleanup.guard(async move { record::restore(&target, start.as_deref()) });
        let is_gone = |registered: &BTreeSet<String>| installed.runtimes.keys().all(|name| !registered.contains(name));
        if let Err(failure) = engine.restore_configuration(restored.as_deref(), is_gone).await {
            record::restore(path, now.as_deref())?;
            guard.cancel();
            return Err(failure.hint(format!("`{}` is what it was before", path.display())));
        }
        guard.cancel();
    }
    if let Some(folder) = installed.copied.as_deref().filter(|folder| folder.exists()) {
        std::fs::remove_dir_all(folder).map_err(|error| record::file_error("remove", folder, &error))?;
    }
    record::remove()?;
    progress.outcome(format!(
        "Docker {}: the runtimes and their files are gone",
        engine.version
    ));
    Ok(())
}

/// The text of the configuration after the removal: exactly the backup, unless the file was edited since.
fn restored_text(path: &Path, installed: &Installed, now: Option<&str>) -> Result<Option<String>> {
    if now.is_none() || now == Some(&installed.written) || !installed.is_finished {
        return Ok(installed.before.clone());
    }
    let refused = |why: String| Error::input(format!("`{}` cannot be changed", path.display())).cause(why);
    let document = configuration::parse(now.unwrap_or_default()).map_err(refused)?;
    let document = configuration::remove_runtimes(document, &installed.runtimes).map_err(refused)?;
    Ok(Some(configuration::text(&document)))
}
