//! HTTP by http_req, which waits for each answer: `http_req http://127.0.0.1:8080/orders` prints status and body.

use std::process::ExitCode;

use clients::{argument, report, Problem};

fn main() -> ExitCode {
    report(get())
}

fn get() -> Result<(), Problem> {
    let mut body = Vec::new();
    let answer = http_req::request::get(argument("a URL")?, &mut body)?;
    println!("{}", u16::from(answer.status_code()));
    println!("{}", String::from_utf8_lossy(&body));
    Ok(())
}
