//! Edge: SIGINT and SIGTERM. The first one stops the run, which then cleans up behind it. Where the process cannot notice
//! it, because it waits for its standard input, it ends at once; and so it does at the second one, whatever it does.

use std::sync::mpsc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use diagnostics::{ExitStatus, Failure, Outcome};
use host::standard_input;

/// Listens from now on, on a thread of its own. What it returns is the name of the first signal, once there is one.
///
/// # Errors
/// When the system has no thread or no signals for it.
pub fn listen() -> Outcome<oneshot::Receiver<&'static str>> {
    let failure = |error: &dyn std::fmt::Display| Failure::prerequisite("cannot listen for signals").because(error);
    let (stop, stopped) = oneshot::channel();
    let (ready, begun) = mpsc::channel();
    let work = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async {
            let listeners = signal(SignalKind::interrupt()).and_then(|one| Ok((one, signal(SignalKind::terminate())?)));
            let mut listeners = match listeners {
                Ok(listeners) => listeners,
                Err(error) => return drop(ready.send(Err(error))),
            };
            // Whoever has gone away needs no answer.
            let _ = ready.send(Ok(()));
            let first = next(&mut listeners).await;
            if standard_input::is_awaited() {
                std::process::exit(ExitStatus::Interrupted as i32);
            }
            let _ = stop.send(first);
            next(&mut listeners).await;
            std::process::exit(ExitStatus::Interrupted as i32);
        });
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(work).map_err(|error| failure(&error))?;
    match begun.recv() {
        Ok(Ok(())) => Ok(stopped),
        Ok(Err(error)) => Err(failure(&error)),
        Err(error) => Err(failure(&error)),
    }
}

async fn next((interrupt, terminate): &mut (Signal, Signal)) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}
