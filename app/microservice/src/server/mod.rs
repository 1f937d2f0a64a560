//! The server: from a socket to a complete request and back.

mod body;
mod chunks;
mod connection;
mod connections;
mod head;
mod malformed;
mod progress;
mod response;
mod stream;
mod target;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::config::{ConfigError, Settings};
use crate::context::{Context, Name};
use crate::execution_mode::ExecutionMode;
use crate::http::{BufferedRequest, Problem, Response, Route};
use crate::log::{self, Level};

pub use connection::{serve, Shared};

/// How many tasks tokio runs before it polls for I/O events again: one of each connection. Polling costs the guest time
/// in proportion to its number of sockets, so it must not happen after every few tasks.
const POLL_INTERVAL_TASKS: u32 = 1_024;

/// The pause after accepting failed on the side of the server, such as for too many open files.
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(10);

/// Handles the requests of a service.
pub trait Service: Send + Sync + 'static {
    /// Its paths.
    type Route: Route;

    /// Handles a complete request. OPTIONS is answered by the server. The body should be dropped as soon as it has been
    /// parsed, because it may be large.
    fn handle(
        &self,
        request: BufferedRequest<'_, Self::Route>,
    ) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Background work, for as long as the process runs.
    fn run_background(&self) -> impl Future<Output = ()> + Send;
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The runtime cannot be set up.
    #[error("cannot set up the runtime: {0}")]
    Runtime(std::io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} (set LISTEN_ADDRESS to another one): {error}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The system's reason.
        error: std::io::Error,
    },
}

/// Serves until the process ends.
pub fn run<S: Service>(
    name: Name,
    settings: Settings,
    start: impl FnOnce(Arc<Context>) -> S,
) -> Result<(), StartError> {
    log::set_level(settings.log);
    // One thread in the native build as well: the guest has no other, and the two builds are to be comparable.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(POLL_INTERVAL_TASKS)
        .build()
        .map_err(StartError::Runtime)?;
    runtime.block_on(async {
        let address = settings.listen_address;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| StartError::Listen { address, error })?;
        let mode = ExecutionMode::measure();
        // WasmEdge reports the port only, not the address.
        let bound = match address.port() {
            0 => listener.local_addr().unwrap_or(address),
            _ => address,
        };
        let context = Arc::new(Context::new(name, settings, mode));
        let shared = Arc::new(Shared::new(start(Arc::clone(&context)), context));
        let message = format!("listening on {bound} ({}, {})", mode.build(), mode.name());
        log::event(Level::Info, &message);

        tokio::spawn(log::write_buffered_lines());
        let worker = Arc::clone(&shared);
        tokio::spawn(async move { worker.service.run_background().await });
        accept_forever(listener, shared).await;
        Ok(())
    })
}

/// Accepts connections for as long as the process runs. Errors do not end it.
async fn accept_forever<S: Service>(listener: TcpListener, shared: Arc<Shared<S>>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An error of a closed connection shows up later. The guest has no TCP_NODELAY, see
                // `response::FIRST_WRITE_BYTES`.
                let _ = stream.set_nodelay(true);
                let permit = shared.admit_connection().await;
                let slot = permit.slot();
                let served = serve(stream, Some(peer.ip()), permit, Arc::clone(&shared));
                slot.set_task(tokio::spawn(served));
                if shared.connections.are_scarce() {
                    // Lets the new connection read what it has received before the next one may evict it: at first its
                    // task starts, then the runtime polls the socket, then the task continues.
                    yield_now().await;
                    yield_now().await;
                }
            }
            Err(error) if is_client_error(&error) => {
                log::event(Level::Debug, &format!("a client left at once: {error}"));
            }
            Err(error) => {
                log::event(Level::Warn, &format!("cannot accept a connection: {error}"));
                // Such as for too many open files: the connections to the database need some as well.
                shared.connections.evict_longest_waiting();
                sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
            }
        }
    }
}

/// Whether accepting failed because the client had already closed the connection (in the guest, accepting also gets the
/// peer's address). After such an error there is no pause, or one client could stall the others.
fn is_client_error(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::NotConnected | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}
