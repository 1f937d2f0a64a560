//! An HTTP service that runs natively (`cargo run`) and as Wasm (`deploy-tool up`).

mod service;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper::service::{make_service_fn, service_fn};
use hyper::Server;

type Error = Box<dyn std::error::Error + Send + Sync>;

// Wasm has no threads.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let address = std::env::var("LISTEN_ADDRESS").unwrap_or_else(|_| "0.0.0.0:8080".to_owned());
    let address: SocketAddr = address
        .parse()
        .map_err(|error| format!("LISTEN_ADDRESS={address}: {error}"))?;
    let connection = make_service_fn(|_| {
        let opened = Instant::now();
        let answer = service_fn(move |request| service::answer(opened, request));
        async move { Ok::<_, Infallible>(answer) }
    });
    let server = Server::try_bind(&address)?
        .http1_header_read_timeout(Duration::from_secs(10))
        .http1_max_buf_size(64 * 1024)
        // The WASI build writes one buffer at a time: head and body in two packets cost 40 ms for each answer.
        .http1_writev(false)
        .serve(connection);
    eprintln!("listening on {}", server.local_addr());
    // A Wasm guest sees no signals: its pod stops getting requests before it is ended, see preStop in the manifests.
    #[cfg(not(target_os = "wasi"))]
    let server = server.with_graceful_shutdown(async {
        let _ = tokio::signal::ctrl_c().await;
    });
    Ok(server.await?)
}
