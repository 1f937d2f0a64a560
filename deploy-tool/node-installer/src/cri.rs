//! Edge: calls `Status` of a container runtime by the CRI (Container Runtime Interface), as the kubelet does.
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
/// The frame of a gRPC message: one byte for "not compressed", four for the length 0.
const EMPTY_MESSAGE: &[u8] = &[0, 0, 0, 0, 0];
/// After a restart, a runtime loads the state of its containers before it answers.
const LIMIT: Duration = Duration::from_secs(60);
/// Time limit of one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

/// Waits until the runtime answers at its socket.
///
/// # Errors
/// When it does not answer in time: the last error.
pub fn wait_until_ready(socket: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let deadline = Instant::now() + LIMIT;
        loop {
            let answer = timeout(REQUEST_LIMIT, request_status(socket)).await;
            let error = match answer {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => "it has taken the question, and does not answer it".to_owned(),
            };
            if timeout_at(deadline, sleep(PAUSE)).await.is_err() {
                return Err(format!("{}: {error}", socket.display()));
            }
        }
    })
}

async fn request_status(socket: &Path) -> Result<(), String> {
    let to_text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = UnixStream::connect(socket).await.map_err(|error| to_text(&error))?;
    let (client, connection) = h2::client::handshake(stream).await.map_err(|error| to_text(&error))?;
    let connection_task = tokio::spawn(connection);
    let mut client = client.ready().await.map_err(|error| to_text(&error))?;
    let request = http::Request::post(STATUS)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let request = request.body(()).map_err(|error| to_text(&error))?;
    let (answer, mut body) = client.send_request(request, false).map_err(|error| to_text(&error))?;
    body.send_data(Bytes::from_static(EMPTY_MESSAGE), true)
        .map_err(|error| to_text(&error))?;
    let answer = answer.await.map_err(|error| to_text(&error))?;
    // An answer without a message ("Trailers-Only") has its status in the headers.
    let mut headers = answer.headers().clone();
    let mut body = answer.into_body();
    while let Some(data) = body.data().await {
        let length = data.map_err(|error| to_text(&error))?.len();
        body.flow_control()
            .release_capacity(length)
            .map_err(|error| to_text(&error))?;
    }
    if let Some(trailers) = body.trailers().await.map_err(|error| to_text(&error))? {
        headers.extend(trailers);
    }
    connection_task.abort();
    match headers.get("grpc-status").map(|status| status.as_bytes()) {
        Some(b"0") => Ok(()),
        _ => {
            let message = headers.get("grpc-message").and_then(|message| message.to_str().ok());
            Err(message.unwrap_or("it is not a container runtime").to_owned())
        }
    }
}
