//! A server by hyper: `echo_server 127.0.0.1:8081` answers POST /echo with what was sent, and POST /echo/reversed with
//! that from its end to its beginning.

use std::convert::Infallible;
use std::process::ExitCode;

use clients::{argument, report, Problem};
use hyper::service::{make_service_fn, service_fn};
use hyper::{body, Body, Method, Request, Response, Server, StatusCode};

/// The largest body.
const MOST_BYTES: u64 = 1 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    report(serve().await)
}

async fn serve() -> Result<(), Problem> {
    let address = argument("an address to listen at")?.parse()?;
    let server = Server::try_bind(&address)?
        // Without TCP_NODELAY, a response in two writes would wait for 40 ms (Nagle's algorithm with delayed
        // acknowledgements).
        .http1_writev(false)
        .serve(make_service_fn(|_| async { Ok::<_, Infallible>(service_fn(answer)) }));
    println!("listening at {address}");
    Ok(server.await?)
}

async fn answer(request: Request<Body>) -> Result<Response<Body>, hyper::Error> {
    let is_reversed = match (request.method(), request.uri().path()) {
        (&Method::POST, "/echo") => false,
        (&Method::POST, "/echo/reversed") => true,
        _ => return Ok(status(StatusCode::NOT_FOUND)),
    };
    let size = hyper::body::HttpBody::size_hint(request.body()).upper();
    if size.is_none_or(|size| size > MOST_BYTES) {
        return Ok(status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let mut bytes = body::to_bytes(request.into_body()).await?.to_vec();
    if is_reversed {
        bytes.reverse();
    }
    Ok(Response::new(bytes.into()))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
