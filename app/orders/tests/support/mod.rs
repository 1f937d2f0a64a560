//! Helpers of the tests of this service. Those of all services are in `service-tests`.

#![allow(dead_code)] // Each test binary uses a part of it.

pub mod failures;
pub mod memory;
pub mod receiver;
pub mod sidecar;

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use service_tests::native_process::NativeProcess;
use service_tests::Service;

/// The service under test; `ORDERS_URL` may name a running one.
pub const ORDERS: Service = Service {
    program: env!("CARGO_BIN_EXE_app"),
    url_variable: "ORDERS_URL",
};

/// Starts a native build on this database.
pub fn start_native(database_url: &str) -> NativeProcess {
    NativeProcess::start(&ORDERS, &[("DATABASE_URL", database_url)])
}

/// A connection with small socket buffers on both sides: the server's send buffer grows with the segment size, which is
/// 64 KiB on the loopback interface.
pub fn slow_reader(address: &str, buffer: usize) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(buffer).unwrap();
    socket.set_tcp_mss(536).unwrap();
    let address = address
        .to_socket_addrs()
        .unwrap()
        .find(|address| address.is_ipv4())
        .unwrap();
    socket.connect(&address.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}
