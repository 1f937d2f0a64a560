//! Pure: which webhook has not answered when the server was to store an object, and whose it is.

use kube::core::Status;
use serde_json::Value;

use crate::manifest::Object;

/// A webhook that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnansweredWebhook {
    /// Its name in its configuration; for a conversion webhook, the kind.
    pub webhook: String,
    /// Namespace and name of its Service, if the server's message has them.
    pub service: Option<(String, String)>,
}

impl UnansweredWebhook {
    /// Parses the webhook from the message of a refusal.
    pub fn from_status(status: &Status) -> Option<Self> {
        let message = status.message.as_str();
        let webhook = match message.split_once("failed calling webhook \"") {
            Some((_, rest)) => rest.split('"').next()?,
            None => message
                .split_once("conversion webhook for ")?
                .1
                .split(" failed")
                .next()?,
        };
        // https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#service-reference
        let host = message
            .split_once("https://")
            .map(|(_, rest)| rest.split([':', '/']).next().unwrap_or_default());
        let service = host.and_then(|host| {
            let mut parts = host.split('.');
            let (name, namespace) = (parts.next()?, parts.next()?);
            (parts.next()? == "svc").then(|| (namespace.to_owned(), name.to_owned()))
        });
        Some(Self {
            webhook: webhook.to_owned(),
            service,
        })
    }

    /// Whether some objects bring it: its configuration, or the Service behind it.
    pub fn is_of(&self, objects: &[Object]) -> bool {
        objects.iter().any(
            |object| match (object.group_version_kind().group.as_str(), object.kind()) {
                ("", "Service") => self
                    .service
                    .as_ref()
                    .is_some_and(|(namespace, name)| object.namespace() == Some(namespace) && object.name() == name),
                ("admissionregistration.k8s.io", _) => {
                    let webhooks = object
                        .value
                        .data
                        .get("webhooks")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten();
                    webhooks.into_iter().any(|webhook| webhook["name"] == self.webhook)
                }
                _ => false,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn parse_unanswered(message: &str) -> Option<UnansweredWebhook> {
        let status = serde_json::json!({"message": message, "code": 500});
        UnansweredWebhook::from_status(&serde_json::from_value(status).unwrap())
    }

    #[test]
    fn who_has_not_answered_is_read_from_the_refusal() {
        // Messages of Kubernetes 1.36.
        let service = Some(("shop".to_owned(), "hook".to_owned()));
        let cases = [
            (
                "Internal error occurred: failed calling webhook \"i.shop.example.com\": failed to call webhook: Post \"https://hook.shop.svc:443/check?timeout=5s\": dial tcp 10.96.7.7:443: connect: connection refused",
                Some(("i.shop.example.com", service.clone())),
            ),
            (
                "Internal error occurred: failed calling webhook \"i.shop.example.com\": failed to call webhook: Post \"https://hook.shop.svc:443/check?timeout=5s\": no endpoints available for service \"hook\"",
                Some(("i.shop.example.com", service.clone())),
            ),
            (
                "conversion webhook for example.com/v1, Kind=Widget failed: Post \"https://hook.shop.svc:443/convert?timeout=30s\": service \"hook\" not found",
                Some(("example.com/v1, Kind=Widget", service)),
            ),
            (
                "Internal error occurred: failed calling webhook \"out.example.com\": failed to call webhook: Post \"https://hooks.example.com/x\": EOF",
                Some(("out.example.com", None)),
            ),
            ("admission webhook \"i.shop.example.com\" denied the request: no", None),
        ];
        for (message, expected) in cases {
            let expected = expected.map(|(webhook, service)| UnansweredWebhook {
                webhook: webhook.to_owned(),
                service,
            });
            assert_eq!(parse_unanswered(message), expected, "{message}");
        }
    }

    #[test]
    fn a_webhook_belongs_to_who_brings_its_service_or_its_configuration() {
        let unanswered = parse_unanswered(
            "failed calling webhook \"w\": failed to call webhook: Post \"https://hook.shop.svc:443/\": EOF",
        )
        .unwrap();
        let service = |namespace: &str| {
            format!("apiVersion: v1\nkind: Service\nmetadata: {{name: hook, namespace: {namespace}}}\n")
        };
        let configuration = |name: &str| {
            format!(
                "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{name: a}}\nwebhooks: [{{name: {name}}}]\n"
            )
        };
        for (text, is_of) in [
            (service("shop"), true),
            (service("other"), false),
            (configuration("w"), true),
            (configuration("v"), false),
        ] {
            assert_eq!(unanswered.is_of(&parse("x", &text).unwrap()), is_of, "{text}");
        }
    }
}
