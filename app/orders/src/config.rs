//! The configuration of the service.

use microservice::client::Endpoint;
use microservice::config::{self, ConfigError, DatabaseSettings, Settings};
use microservice::dapr::Sidecar;
use microservice::signature::Secret;

/// The component and the topic to which the sidecar publishes changes, and the app ids of the other services.
const PUBSUB: &str = "pubsub";
const TOPIC: &str = "orders";
const EVENTS_APP_ID: &str = "events";
const PRICING_APP_ID: &str = "pricing";

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The settings of every service.
    pub settings: Settings,
    /// The settings of the database.
    pub database: DatabaseSettings,
    /// Where changes are published, if anywhere.
    pub events: Option<Endpoint>,
    /// Where published changes are listed.
    pub event_list: Option<Endpoint>,
    /// The pricing service, if there is one.
    pub pricing: Option<Endpoint>,
    /// The Dapr sidecar, if there is one; then the endpoints above are reached through it.
    pub sidecar: Option<Sidecar>,
    /// The secret that is shared with the receiver of events, if there is one.
    pub events_secret: Option<Secret>,
}

impl Config {
    /// Reads the configuration from variables. An empty variable counts as not set.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        config::read(lookup, |reader| {
            let (settings, database) = (reader.settings(), reader.database());
            let events = reader.endpoint("EVENTS_URL");
            let pricing = reader.endpoint("PRICING_URL");
            let sidecar = reader.sidecar();
            let topic = || sidecar.map(|sidecar| sidecar.topic(PUBSUB, TOPIC));
            let invocation = |app_id, path| sidecar.map(|sidecar| sidecar.invocation(app_id, path));
            Config {
                settings,
                database,
                event_list: events.clone().or_else(|| invocation(EVENTS_APP_ID, "events")),
                events: events.or_else(topic),
                pricing: pricing.or_else(|| invocation(PRICING_APP_ID, "price")),
                sidecar,
                events_secret: reader.secret("EVENTS_SECRET"),
            }
        })
    }
}
