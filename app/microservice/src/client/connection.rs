//! One HTTP/1.1 connection to another service.

use std::net::SocketAddr;

use hyper::body::Body;
use hyper::client::conn::{Builder, SendRequest};
use tokio::net::TcpStream;

use crate::log::{self, Level};

/// The largest read buffer of a connection.
const MAX_READ_BUFFER_BYTES: usize = 32 * 1024;

/// Opens a connection and spawns the task that drives it. The error is a sentence for the log.
pub(super) async fn open_connection(address: SocketAddr) -> Result<SendRequest<Body>, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("cannot connect to {address}: {error}"))?;
    // Not every system has TCP_NODELAY. Requests are not pipelined, so without it little is lost.
    let _ = stream.set_nodelay(true);
    let (sender, connection) = Builder::new()
        // The sockets of WasmEdge send only the first buffer of a vectored write.
        .http1_writev(false)
        .http1_max_buf_size(MAX_READ_BUFFER_BYTES)
        .handshake(stream)
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            log::event(Level::Debug, &format!("a connection to another service ended: {error}"));
        }
    });
    Ok(sender)
}
