//! HTTP by reqwest, asynchronous: `http_reqwest http://127.0.0.1:8080/orders` prints status and body.

use std::process::ExitCode;

use clients::{argument, report, Problem};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    report(get().await)
}

async fn get() -> Result<(), Problem> {
    let answer = reqwest::get(argument("a URL")?).await?;
    println!("{}", answer.status().as_u16());
    println!("{}", answer.text().await?);
    Ok(())
}
