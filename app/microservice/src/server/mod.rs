//! The server: from a socket to a complete request and back.

mod answer;
mod body;
mod chunks;
mod connection;
mod connections;
mod head;
mod progress;
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

/// Tasks that may run before the runtime asks for new events again: all connections once each. To ask
/// costs the guest as much as it has connections, so it should not do it every few of them.
const EVENT_INTERVAL: u32 = 1_024;

/// The pause after a failed accept that no client is to blame for, such as too many open files.
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(10);

/// What a service does with its requests.
pub trait Service: Send + Sync + 'static {
    /// Its paths.
    type Route: Route;

    /// Answers a complete request. Its body should be dropped as soon as it has been read: it may be large.
    fn answer(&self, parts: BufferedRequest<'_, Self::Route>)
        -> impl Future<Output = Result<Response, Problem>> + Send;

    /// What the service does beside its requests, for as long as the process runs.
    fn work(&self) -> impl Future<Output = ()> + Send;
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
    // One thread, natively too: the guest has no other, and the native build is there to be compared.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(EVENT_INTERVAL)
        .build()
        .map_err(StartError::Runtime)?;
    runtime.block_on(async {
        let address = settings.listen_address;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| StartError::Listen { address, error })?;
        let mode = ExecutionMode::measure();
        // The guest's engine reports no more than the port.
        let bound = match address.port() {
            0 => listener.local_addr().unwrap_or(address),
            _ => address,
        };
        let context = Arc::new(Context::new(name, settings, mode));
        let shared = Arc::new(Shared::new(start(Arc::clone(&context)), context));
        let message = format!("listening on {bound} ({}, {})", mode.build(), mode.name());
        log::event(Level::Info, &message);

        tokio::spawn(log::write_forever());
        let worker = Arc::clone(&shared);
        tokio::spawn(async move { worker.service.work().await });
        accept_forever(listener, shared).await;
        Ok(())
    })
}

/// Accepts connections for as long as the process runs. An error of one, such as a client that was
/// gone before it was accepted, ends nothing.
async fn accept_forever<S: Service>(listener: TcpListener, shared: Arc<Shared<S>>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // A connection that is gone already fails later; the guest has no such option and needs none.
                let _ = stream.set_nodelay(true);
                let guest = shared.enter().await;
                let place = guest.place();
                let served = serve(stream, Some(peer.ip()), guest, Arc::clone(&shared));
                place.belongs_to(tokio::spawn(served));
                if shared.connections.are_scarce() {
                    // What it has sent already is read before it can lose its place to the next one: its task begins, the
                    // system tells what is there, its task goes on.
                    yield_now().await;
                    yield_now().await;
                }
            }
            Err(error) if is_of_the_client(&error) => {
                log::event(Level::Debug, &format!("a client left at once: {error}"));
            }
            Err(error) => {
                log::event(Level::Warn, &format!("cannot accept a connection: {error}"));
                // Such as for too many open files, of which the database and others need some as well.
                shared.connections.make_room();
                sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
            }
        }
    }
}

/// Whether a connection failed because its client was gone before it was accepted: in the guest,
/// accepting asks for the peer's address. Pausing for it would let one client stall the others.
fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::NotConnected | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}
