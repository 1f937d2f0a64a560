//! A port at which nobody listens.

use std::net::{TcpListener, TcpStream};

/// A port of the loopback address that refuses connections for as long as this value is there. A port that was only
/// free a moment ago may be given to another test.
#[derive(Debug)]
pub struct RefusingPort {
    /// Its own port is the one that refuses: it is taken, and does not listen.
    connection: TcpStream,
    _peer: TcpListener,
}

impl RefusingPort {
    /// Takes a port.
    pub fn new() -> RefusingPort {
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        RefusingPort {
            connection: TcpStream::connect(peer.local_addr().unwrap()).unwrap(),
            _peer: peer,
        }
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.connection.local_addr().unwrap().port()
    }
}

impl Default for RefusingPort {
    fn default() -> RefusingPort {
        RefusingPort::new()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn refuses_and_is_not_given_away() {
        let port = RefusingPort::new();
        let address = ("127.0.0.1", port.number());
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
        assert_eq!(TcpListener::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}
