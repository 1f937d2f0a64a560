//! Edge: SIGINT and SIGTERM: the first one stops the run, which then cleans up behind it. See also [`host::interrupt`].

use tokio::signal::unix::{SignalKind, signal};

/// Waits for the first signal. Dropping a command's future ends the programs it started.
pub async fn first() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}
