//! UDP by the socket library: `udp 127.0.0.1:7` sends its standard input as one datagram, and prints the answer. UDP
//! reports no missing answer: it waits for five seconds.

use std::io::{stdin, stdout, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clients::{argument, report, Problem};
use wasmedge_wasi_socket::UdpSocket;

fn main() -> ExitCode {
    report(send_datagram())
}

fn send_datagram() -> Result<(), Problem> {
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
