//! An API server that breaks off, refuses and forwards as a test tells it to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// What comes back for a request.
pub enum Answer {
    /// A document.
    Document(Value),
    /// A refusal in the API server's own form.
    Refusal(u16, &'static str),
    /// Text after which the connection is cut in the middle of the body.
    Cut(String),
    /// Text after which nothing comes any more, though the connection stays.
    Hangs(String),
    /// Another answer, once the test says so.
    Later(Arc<Notify>, Box<Answer>),
    /// A connection to a port of a pod that sends everything back, its own name in front.
    Echo(&'static str),
}

/// Its address, and the requests so far.
pub struct Server {
    pub requests: Arc<Mutex<Vec<String>>>,
    home: tempfile::TempDir,
}

impl Server {
    /// Starts one. The answer to a request depends on its target and on how often something was asked before at its path.
    pub async fn start(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let home = tempfile::tempdir().unwrap();
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\n\
             users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: mock, context: {{cluster: c, user: u}}}}]\n"
        );
        std::fs::write(home.path().join("config"), kubeconfig).unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        tokio::spawn(async move {
            let counts: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, counts, answer) = (seen.clone(), counts.clone(), answer.clone());
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let Some((target, key)) = head(&mut stream).await else {
                        return;
                    };
                    seen.lock().unwrap().push(target.clone());
                    let path = target.split('?').next().unwrap_or_default().to_owned();
                    let watch = if target.contains("watch=true") { "watch " } else { "" };
                    let number = {
                        let mut counts = counts.lock().unwrap();
                        let count = counts.entry(format!("{watch}{path}")).or_default();
                        *count += 1;
                        *count - 1
                    };
                    let mut answer = answer(&target, number);
                    while let Answer::Later(now, then) = answer {
                        now.notified().await;
                        answer = *then;
                    }
                    // A client that has gone away has seen enough.
                    let _ = send(stream.into_inner(), answer, &key).await;
                });
            }
        });
        Self { requests, home }
    }

    /// The tool on its way to this server.
    pub fn tool(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
        let home: &Path = self.home.path();
        command
            .args(arguments)
            .args(["--context", "mock", "--namespace", "n"])
            .env("KUBECONFIG", home.join("config"))
            .env("HOME", home)
            .current_dir(home)
            .kill_on_drop(true);
        command
    }
}

/// The target of a request, and its WebSocket key.
async fn head(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut lines = stream.lines();
    let first = lines.next_line().await.ok()??;
    let mut key = String::new();
    while let Some(line) = lines.next_line().await.ok()?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            value.clone_into(&mut key);
        }
    }
    Some((first.split(' ').nth(1)?.to_owned(), key))
}

async fn send(mut stream: TcpStream, answer: Answer, key: &str) -> std::io::Result<()> {
    let whole = |status: u16, document: &Value| {
        let text = document.to_string();
        let length = text.len();
        format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{text}"
        )
    };
    let begun = |text: &str| {
        let length = text.len();
        format!(
            "HTTP/1.1 200 X\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{text}\r\n"
        )
    };
    match answer {
        Answer::Document(document) => stream.write_all(whole(200, &document).as_bytes()).await,
        Answer::Refusal(code, reason) => {
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
                "reason": reason, "message": format!("the mock says {reason}")});
            stream.write_all(whole(code, &status).as_bytes()).await
        }
        Answer::Cut(text) => stream.write_all(begun(&text).as_bytes()).await,
        Answer::Hangs(text) => {
            // Without text there is only a head: an empty piece would be the end.
            let text = begun(&text);
            let text = text.strip_suffix("0\r\n\r\n").unwrap_or(&text);
            stream.write_all(text.as_bytes()).await?;
            std::future::pending().await
        }
        Answer::Echo(name) => echo(stream, name, key).await,
        Answer::Later(..) => unreachable!("waited for before"),
    }
}

/// <https://github.com/kubernetes/design-proposals-archive/blob/main/node/api-machinery/portforward.md>: each message
/// begins with its channel, 0 for data and 1 for errors, and the first of each channel names the port.
async fn echo(mut stream: TcpStream, name: &str, key: &str) -> std::io::Result<()> {
    let accept = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accept}\r\n\
         sec-websocket-protocol: v4.channel.k8s.io\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let port = 80_u16.to_le_bytes();
    for channel in [0, 1] {
        let first = Message::binary(vec![channel, port[0], port[1]]);
        socket.send(first).await.map_err(std::io::Error::other)?;
    }
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Binary(bytes) = message {
            let answer = [&[0], name.as_bytes(), b": ", &bytes[1..]].concat();
            socket
                .send(Message::binary(answer))
                .await
                .map_err(std::io::Error::other)?;
        }
    }
    Ok(())
}
