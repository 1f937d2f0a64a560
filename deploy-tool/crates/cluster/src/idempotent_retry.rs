//! Edge: requests whose connection is lost before the whole answer is there, sent again where that does no harm.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use tower::Service;

use crate::retry_rule;

/// A client that does not give up when a connection is lost. kube's own sends again what a busy server has refused.
pub struct RetryingClient {
    inner: Client,
}

impl RetryingClient {
    /// A client around another one.
    pub fn wrap(inner: Client) -> Client {
        let namespace = inner.default_namespace().to_owned();
        let valid_until = *inner.valid_until();
        Client::new(Self { inner }, namespace).with_valid_until(valid_until)
    }
}

impl Service<Request<Body>> for RetryingClient {
    type Response = Response<Body>;
    type Error = kube::Error;
    type Future = Pin<Box<dyn Future<Output = kube::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<kube::Result<()>> {
        // `Client::send` waits itself until the client is ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.inner.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect_bytes().await?;
            if !retry_rule::is_repeatable(&parts, &bytes) {
                return client.send(Request::from_parts(parts, bytes.into())).await;
            }
            let mut failures = 0;
            loop {
                let attempt = Request::from_parts(parts.clone(), bytes.clone().into());
                let error = match read_whole(&client, attempt).await {
                    Err(error) if retry_rule::is_lost_connection(&error) => error,
                    answer => return answer,
                };
                failures += 1;
                match retry_rule::pause(failures) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                }
            }
        })
    }
}

/// An answer whose body has arrived to its end.
async fn read_whole(client: &Client, request: Request<Body>) -> kube::Result<Response<Body>> {
    let (parts, body) = client.send(request).await?.into_parts();
    let bytes = body.collect_bytes().await?;
    Ok(Response::from_parts(parts, bytes.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::http2;
    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 66\r\n\r\n\
        {\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"there\"}}";

    /// An API server that cuts its first answers off after so many bytes; and how often it was asked.
    async fn cutting(after: &'static [usize]) -> (Api<ConfigMap>, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = stream.read(&mut [0; 4_096]).await.unwrap();
                assert!(request > 0);
                let cut = after.get(counter.fetch_add(1, Ordering::SeqCst));
                let sent = &ANSWER.as_bytes()[..cut.copied().unwrap_or(ANSWER.len())];
                stream.write_all(sent).await.unwrap();
            }
        });
        let config = kube::Config::new(format!("http://{address}").parse().unwrap());
        let client = http2::shared(&config).unwrap();
        (Api::namespaced(client, "default"), requests)
    }

    #[tokio::test]
    async fn what_may_be_carried_out_twice_survives_lost_connections() {
        let in_the_body = const { &[0, 20, ANSWER.len() - 9] };
        let (api, requests) = cutting(in_the_body).await;
        assert_eq!(api.get("there").await.unwrap().metadata.name.as_deref(), Some("there"));
        assert_eq!(requests.load(Ordering::SeqCst), 4);

        let (api, requests) = cutting(in_the_body).await;
        let apply = PatchParams::apply("test");
        api.patch("there", &apply, &Patch::Apply(ConfigMap::default()))
            .await
            .unwrap();
        assert_eq!(requests.load(Ordering::SeqCst), 4);

        let (api, requests) = cutting(in_the_body).await;
        let preconditions = Preconditions {
            uid: Some("u".into()),
            resource_version: None,
        };
        let delete = DeleteParams::default().preconditions(preconditions);
        api.delete("there", &delete).await.unwrap();
        assert_eq!(requests.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn what_may_not_is_sent_once() {
        let (api, requests) = cutting(&[20]).await;
        let lost = api.create(&PostParams::default(), &ConfigMap::default()).await;
        assert!(lost.is_err_and(|error| retry_rule::is_lost_connection(&error)));
        let (api, deleted) = cutting(&[20]).await;
        api.delete("there", &DeleteParams::default()).await.unwrap_err();
        let (api, merged) = cutting(&[20]).await;
        let patch = Patch::Merge(ConfigMap::default());
        api.patch("there", &PatchParams::default(), &patch).await.unwrap_err();
        assert_eq!(
            [requests, deleted, merged].map(|count| count.load(Ordering::SeqCst)),
            [1, 1, 1]
        );
    }

    #[tokio::test]
    async fn a_server_that_is_gone_is_given_up() {
        let (api, requests) = cutting(&[0; 9]).await;
        let error = api.get("there").await.unwrap_err();
        assert!(retry_rule::is_lost_connection(&error), "{error:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 4);
    }
}
