use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tower_test::mock;

use super::*;

#[tokio::test]
async fn a_kind_is_looked_up_once_and_then_listed_again() {
    let (service, mut server) = mock::pair::<Request<Body>, Response<Body>>();
    let cluster = Cluster::with_client(Client::new(service, "n"), "mock");
    let thing = json!({"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "a", "namespace": "n"}});
    let targets = [Target::from_object(&thing).unwrap()];
    let look_up = async {
        let (request, send) = server.next_request().await.unwrap();
        let kinds = json!({"kind": "APIResourceList", "groupVersion": "example.org/v1", "resources": [
            {"name": "thingies", "singularName": "thing", "namespaced": true, "kind": "Thing", "verbs": ["watch"]}]});
        send.send_response(Response::new(Body::from(kinds.to_string().into_bytes())));
        request.uri().path().to_owned()
    };
    let (watch, path) = tokio::join!(Watch::start(&cluster, &targets), look_up);
    assert_eq!(path, "/apis/example.org/v1");
    let mut watch = watch.unwrap();
    watch.objects.last_words.insert("id".into(), "a word".into());
    watch.objects.insert(&thing).unwrap();
    watch.list_again(&cluster);
    assert!(!watch.is_complete() && watch.objects.others.is_empty());
    assert_eq!(watch.objects.last_words.len(), 1);
    let changes = async {
        while !watch.is_complete() {
            watch.changed().await;
        }
    };
    tokio::select! {
        () = changes => panic!("nothing has been answered"),
        request = server.next_request() => {
            let (request, _unanswered) = request.unwrap();
            assert_eq!(request.uri().path(), "/apis/example.org/v1/namespaces/n/thingies");
        }
    }
}
