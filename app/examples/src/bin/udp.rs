//! UDP by the socket library: `udp 127.0.0.1:7` sends its standard input as one datagram, and prints the answer. Nobody says
//! that there is none: it is waited for five seconds.

use std::io::{stdin, stdout, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clients::{argument, end, Problem};
use wasmedge_wasi_socket::UdpSocket;

fn main() -> ExitCode {
    end(ask())
}

fn ask() -> Result<(), Problem> {
    let target: SocketAddr = argument("ADDRESS:PORT")?.parse()?;
    let mut question = Vec::new();
    stdin().read_to_end(&mut question)?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.as_ref().set_recv_timeout(Some(Duration::from_secs(5)))?;
    socket.send_to(&question, target)?;
    let mut answer = vec![0; 65_536];
    let (size, _) = socket.recv_from(&mut answer)?;
    stdout().write_all(&answer[..size])?;
    Ok(())
}
