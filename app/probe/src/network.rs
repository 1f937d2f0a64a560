//! Resolves a host name and connects to it.

use std::net::SocketAddr;

#[cfg(not(target_os = "wasi"))]
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(target_os = "wasi")]
use wasmedge_wasi_socket::{TcpStream, ToSocketAddrs};

/// The result of resolving and connecting.
pub struct Connectivity {
    /// The addresses of the name.
    pub resolved: Vec<SocketAddr>,
    /// Whether connecting to one of them succeeded.
    pub connected: bool,
    /// The error, as reported by the engine.
    pub error: Option<String>,
}

/// Resolves `HOST:PORT` and connects to it.
pub fn connect(target: &str) -> Connectivity {
    let mut network = Connectivity {
        resolved: Vec::new(),
        connected: false,
        error: None,
    };
    match target.to_socket_addrs() {
        Ok(addresses) => network.resolved = addresses.collect(),
        Err(error) => network.error = Some(error.to_string()),
    }
    for address in &network.resolved {
        match TcpStream::connect(*address) {
            Ok(_) => {
                network.connected = true;
                network.error = None;
                return network;
            }
            Err(error) => network.error = Some(error.to_string()),
        }
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_far_it_came() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let network = connect(&address.to_string());
        assert_eq!(
            (network.resolved, network.connected, network.error),
            (vec![address], true, None)
        );
        // The port of a connection is taken, and does not listen.
        let connection = std::net::TcpStream::connect(address).unwrap();
        let network = connect(&connection.local_addr().unwrap().to_string());
        assert!(!network.connected && network.error.is_some());
        let network = connect("no-such-name.invalid:1");
        assert!(network.resolved.is_empty() && network.error.is_some());
    }
}
