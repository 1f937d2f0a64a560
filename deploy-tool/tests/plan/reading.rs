//! How many requests read what is there.

use releases::api::get_many;
use releases::manifest::Object;
use releases::release::Identity;
use serde_json::json;

use crate::support::{CONFIG_MAPS, asked, cluster, config_maps, name_of, ok, status, stored};

/// A namespace may be full of large objects of others: no more is listed than twice what is wanted.
#[tokio::test]
async fn many_of_a_kind_are_read_at_once_and_few_one_by_one() {
    let names: Vec<String> = (0..9).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (count, is_complete, lists, reads) in [(7, true, 0, 7), (8, true, 1, 0), (9, false, 1, 7)] {
        let (cluster, kinds, log) = cluster(move |asked| match name_of(&asked.url) {
            "configmaps" => ok(&json!({"kind": "ConfigMapList", "apiVersion": "v1",
                "metadata": {"continue": if is_complete { "" } else { "more" }},
                "items": [stored("c0", "value"), stored("c1", "value"), stored("other", "value")]})),
            name @ ("c0" | "c1" | "c8") => ok(&stored(name, "value")),
            _ => status(404, "NotFound", "not found"),
        })
        .await;
        let identity = |object: &Object| Identity {
            namespace: Some("shop".to_owned()),
            ..object.identity()
        };
        let wanted: Vec<Identity> = config_maps(&names[..count]).iter().map(identity).collect();
        let found = get_many::read_objects(&cluster, &kinds, wanted).await.unwrap();
        let found: Vec<&str> = found.keys().map(|identity| identity.name.as_str()).collect();
        let expected = [&["c0", "c1"][..], if is_complete { &[] } else { &["c8"] }].concat();
        assert_eq!(found, expected, "{count}");
        let asked = asked(&log);
        let listed = asked.iter().filter(|(_, path)| path == CONFIG_MAPS).count();
        assert_eq!((listed, asked.len() - listed), (lists, reads), "{count}");
        let limit = format!("limit={}", 2 * count);
        assert_eq!(
            log.all().iter().filter(|asked| asked.url.contains(&limit)).count(),
            lists
        );
    }
}
