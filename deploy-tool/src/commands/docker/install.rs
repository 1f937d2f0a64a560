//! `deploy-tool docker install`: a crun, an entry in the configuration, a signal, a module that runs.

use std::path::Path;

use crate::cli::DockerInstallArguments;
use crate::docker_runtime::configuration;
use crate::docker_runtime::crun::{self, Crun};
use crate::docker_runtime::engine::{self, Engine};
use crate::docker_runtime::record::{self, FOLDER, Installed};
use crate::docker_runtime::{CRUN, CRUN_WASM};
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::lock;
use terminal::{Printer, Progress};

/// Runs the command. Whatever fails, all is as it was.
///
/// # Errors
/// When there is no crun, or the engine does not take it.
pub async fn run(printer: &Printer, cleanup: &Cleanup, arguments: DockerInstallArguments) -> Result<()> {
    let _lock = lock::docker(&Cache::open()?, "docker install")?;
    let engine = Engine::find().await?;
    let mut earlier = record::read()?;
    if let Some(earlier) = &earlier {
        engine.check_configuration_path(&earlier.configuration)?;
    }
    let copied = earlier.as_ref().and_then(|earlier| earlier.copied.clone());
    if let Some(unfinished) = earlier.take_if(|earlier| !earlier.is_finished) {
        record::restore(&unfinished.configuration, unfinished.before.as_deref())?;
        record::remove()?;
    }
    let crun = crun::find(arguments.crun.as_deref(), copied.as_deref()).await?;
    let registered = async |progress: &Progress| {
        let done = register(progress, cleanup, &engine, earlier.as_ref(), &crun).await;
        done.map_err(|failure| match undo(earlier.as_ref(), &crun) {
            Ok(()) => failure,
            Err(undo_failure) => failure.hint(undo_failure.sentence()),
        })
    };
    printer.step("Docker engine: runtimes registered", registered).await
}

async fn register(
    progress: &Progress,
    cleanup: &Cleanup,
    engine: &Engine,
    earlier: Option<&Installed>,
    crun: &Crun,
) -> Result<()> {
    let now = record::text(&engine.configuration)?;
    let refused =
        |why: String| Error::input(format!("`{}` cannot be changed", engine.configuration.display())).cause(why);
    let document = configuration::parse(now.as_deref().unwrap_or_default()).map_err(refused)?;
    let sentence = format!(
        "Docker {}: runtimes `{CRUN}` and `{CRUN_WASM}` are {}",
        engine.version,
        crun.program.display()
    );
    let runtimes = crun::runtimes(&crun.program);
    let is_known = runtimes.keys().all(|name| engine.runtimes.contains(name));
    if is_known
        && earlier.is_some()
        && configuration::has_runtimes(&document, &runtimes)
        && crun::has_wasm_alias(&crun.program)
    {
        engine::probe(CRUN_WASM).await?;
        progress.outcome(format!("{sentence}: unchanged"));
        return Ok(());
    }
    let others = earlier.map(|earlier| earlier.runtimes.clone()).unwrap_or_default();
    let rest = configuration::remove_runtimes(document, &others).map_err(refused)?;
    let written = configuration::text(&configuration::add_runtimes(rest.clone(), &runtimes).map_err(refused)?);
    crun::link_wasm_alias(&crun.program)?;
    let beside = Path::new(FOLDER).join("daemon.json");
    record::replace(&beside, &written, 0o600)?;
    engine::validate(&beside).await?;
    let mut installed = Installed {
        configuration: engine.configuration.clone(),
        before: backup(earlier, now.as_deref()),
        written,
        // Runtimes that were registered by others before are kept by `docker remove`.
        runtimes: runtimes
            .into_iter()
            .filter(|runtime| !configuration::has_runtimes(&rest, &[runtime.clone()].into()))
            .collect(),
        program: crun.program.clone(),
        copied: crun
            .copied
            .clone()
            .or_else(|| earlier.and_then(|earlier| earlier.copied.clone())),
        is_finished: false,
    };
    record::write(&installed)?;
    replace_configuration(progress, cleanup, engine, now, &installed).await?;
    installed.is_finished = true;
    record::write(&installed)?;
    progress.outcome(sentence);
    Ok(())
}

/// The configuration from before the first installation, unless the file was edited since.
fn backup(earlier: Option<&Installed>, now: Option<&str>) -> Option<String> {
    match earlier {
        Some(earlier) if Some(earlier.written.as_str()) == now => earlier.before.clone(),
        _ => now.map(str::to_owned),
    }
}

/// Writes the engine's configuration and reloads it. Whatever fails, it is what it is now.
async fn replace_configuration(
    progress: &Progress,
    cleanup: &Cleanup,
    engine: &Engine,
    now: Option<String>,
    installed: &Installed,
) -> Result<()> {
    let (file, start) = (installed.configuration.clone(), now.clone());
    let guard = cleanup.guard(async move { record::restore(&file, start.as_deref()) });
    record::replace(&installed.configuration, &installed.written, 0o644)?;
    let running = match reload(progress, engine, installed).await {
        Err(failure) => Err(restore(engine, now.as_deref(), failure).await),
        done => done,
    };
    guard.cancel();
    running
}

/// The engine takes over its configuration, and a module runs.
async fn reload(progress: &Progress, engine: &Engine, installed: &Installed) -> Result<()> {
    progress.activity("the engine reads its configuration");
    engine
        .reload(|registered| installed.runtimes.keys().all(|name| registered.contains(name)))
        .await?;
    progress.activity("a module runs");
    engine::probe(CRUN_WASM).await
}

/// Takes the configuration back to what it was. Returns the failure that made it necessary, and what has come of this.
async fn restore(engine: &Engine, before: Option<&str>, failure: Error) -> Error {
    let path = &engine.configuration;
    let back = engine
        .restore_configuration(before, |registered| *registered == engine.runtimes)
        .await;
    let sentence = format!("`{}` is what it was before", path.display());
    match back.and(record::restore(path, before)) {
        Ok(()) => failure.hint(sentence),
        Err(undo_failure) => failure.hint(format!("{sentence}, but {}", undo_failure.sentence())),
    }
}

/// Restores the files other than the configuration.
fn undo(earlier: Option<&Installed>, crun: &Crun) -> Result<()> {
    if let Some(earlier) = earlier {
        crun::link_wasm_alias(&earlier.program)?;
        return record::write(earlier);
    }
    if let Some(folder) = crun.copied.as_deref().filter(|folder| folder.exists()) {
        std::fs::remove_dir_all(folder).map_err(|error| record::file_error("remove", folder, &error))?;
    }
    record::remove()
}
