//! Looks a name up and opens a socket to it.

use std::net::SocketAddr;

#[cfg(not(target_os = "wasi"))]
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(target_os = "wasi")]
use wasmedge_wasi_socket::{TcpStream, ToSocketAddrs};

/// How far it came.
pub struct Network {
    /// The addresses of the name.
    pub resolved: Vec<SocketAddr>,
    /// Whether one of them took a connection.
    pub connected: bool,
    /// What went wrong, in the engine's words.
    pub error: Option<String>,
}

/// Looks up `HOST:PORT` and connects to it.
pub fn reach(target: &str) -> Network {
    let mut network = Network {
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
        let network = reach(&address.to_string());
        assert_eq!(
            (network.resolved, network.connected, network.error),
            (vec![address], true, None)
        );
        drop(listener);
        let network = reach(&address.to_string());
        assert!(!network.connected && network.error.is_some());
        let network = reach("no-such-name.invalid:1");
        assert!(network.resolved.is_empty() && network.error.is_some());
    }
}
