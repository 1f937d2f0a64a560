//! Edge: asks a container runtime what the kubelet asks it all the time, whether it is there.
//!
//! gRPC without a library: one HTTP/2 request, whose message has no fields.
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// <https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto>
const STATUS: &str = "http://localhost/runtime.v1.RuntimeService/Status";
/// Not compressed, and of no bytes.
const EMPTY_MESSAGE: &[u8] = &[0, 0, 0, 0, 0];
/// A runtime that starts again reads the state of its containers first.
const LIMIT: Duration = Duration::from_secs(60);
/// One question may take this long.
const QUESTION_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

/// Waits until a runtime answers at a socket.
///
/// # Errors
/// When it does not in time: what it did instead.
pub fn wait(socket: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let deadline = Instant::now() + LIMIT;
        loop {
            let answer = timeout(QUESTION_LIMIT, ask(socket)).await;
            let last = match answer {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => "it has taken the question, and does not answer it".to_owned(),
            };
            if timeout_at(deadline, sleep(PAUSE)).await.is_err() {
                return Err(format!("{}: {last}", socket.display()));
            }
        }
    })
}

async fn ask(socket: &Path) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let stream = UnixStream::connect(socket).await.map_err(|error| words(&error))?;
    let (client, connection) = h2::client::handshake(stream).await.map_err(|error| words(&error))?;
    let driven = tokio::spawn(connection);
    let mut client = client.ready().await.map_err(|error| words(&error))?;
    let request = http::Request::post(STATUS)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let request = request.body(()).map_err(|error| words(&error))?;
    let (answer, mut body) = client.send_request(request, false).map_err(|error| words(&error))?;
    body.send_data(Bytes::from_static(EMPTY_MESSAGE), true)
        .map_err(|error| words(&error))?;
    let answer = answer.await.map_err(|error| words(&error))?;
    // An answer without a message has its status where others have their headers.
    let mut headers = answer.headers().clone();
    let mut body = answer.into_body();
    while let Some(data) = body.data().await {
        let length = data.map_err(|error| words(&error))?.len();
        body.flow_control()
            .release_capacity(length)
            .map_err(|error| words(&error))?;
    }
    if let Some(trailers) = body.trailers().await.map_err(|error| words(&error))? {
        headers.extend(trailers);
    }
    driven.abort();
    match headers.get("grpc-status").map(|status| status.as_bytes()) {
        Some(b"0") => Ok(()),
        _ => {
            let message = headers.get("grpc-message").and_then(|message| message.to_str().ok());
            Err(message.unwrap_or("it is no container runtime").to_owned())
        }
    }
}
