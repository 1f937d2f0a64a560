//! Plain TCP by the socket library: `tcp localhost:7` sends its standard input, and prints what comes back until the
//! other side ends.

use std::io::{copy, stdin, stdout};
use std::net::Shutdown;
use std::process::ExitCode;

use clients::{argument, report, Problem};
use wasmedge_wasi_socket::{nslookup, TcpStream};

fn main() -> ExitCode {
    report(exchange_data())
}

fn exchange_data() -> Result<(), Problem> {
    let target = argument("HOST:PORT")?;
    let (host, port) = target.rsplit_once(':').ok_or("name HOST:PORT")?;
    let mut address = *nslookup(host, "http")?.first().ok_or("the host has no address")?;
    address.set_port(port.parse()?);
    let mut stream = TcpStream::connect(address)?;
    copy(&mut stdin(), &mut stream)?;
    stream.shutdown(Shutdown::Write)?;
    copy(&mut stream, &mut stdout())?;
    Ok(())
}
