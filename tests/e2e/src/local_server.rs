//! A server of HTTP/1.1 on loopback, on a thread of its own.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A running server; it ends with its value.
pub struct LocalServer {
    /// Where it listens.
    pub address: SocketAddr,
    thread: Option<JoinHandle<()>>,
    stop: Option<oneshot::Sender<()>>,
}

impl LocalServer {
    /// Starts a server. `prepare` returns what answers requests; it is run in the runtime of the server, before the thread
    /// begins. An answer that is an error closes its connection.
    pub fn start<F, R, B, E>(prepare: impl Future<Output = F>) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
        R: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(prepare);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, answer) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            thread: Some(thread),
            stop: Some(stop),
        }
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        // It has ended already where nobody listens.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn serve<F, R, B, E>(listener: TcpListener, answer: F)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    loop {
        // A connection that has gone again before it was taken is none.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let answer = service_fn(answer.clone());
        tokio::spawn(async move {
            // An error here is a connection that was cut, on purpose or by a client that was killed.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn answers_until_it_is_dropped() {
        let server = LocalServer::start(async {
            |request: Request<Incoming>| async move {
                Ok::<_, Infallible>(Response::new(format!("{} {}", request.method(), request.uri())))
            }
        });
        let address = server.address;
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /a?b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nGET /a?b"), "{answer}");
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }
}
