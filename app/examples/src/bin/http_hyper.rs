//! HTTP by hyper, asynchronous: `http_hyper http://127.0.0.1:8080/orders` prints status and body.

use std::process::ExitCode;

use clients::{argument, report, Problem};
use hyper::{body, Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    report(get().await)
}

async fn get() -> Result<(), Problem> {
    let answer = Client::new().get(argument("a URL")?.parse()?).await?;
    println!("{}", answer.status().as_u16());
    let body = body::to_bytes(answer.into_body()).await?;
    println!("{}", String::from_utf8_lossy(&body));
    Ok(())
}
