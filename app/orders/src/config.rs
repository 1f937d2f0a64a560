//! Configuration: what the service can be told.

use microservice::client::Endpoint;
use microservice::config::{self, ConfigError, DatabaseSettings, Settings};
use microservice::dapr::Sidecar;
use microservice::signature::Secret;

/// The component and the topic to which the sidecar publishes changes, and the app ids of the services behind it.
const PUBSUB: &str = "pubsub";
const TOPIC: &str = "orders";
const EVENTS_APP: &str = "events";
const PRICING_APP: &str = "pricing";

/// Everything the service can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What every service can be told.
    pub settings: Settings,
    /// The database.
    pub database: DatabaseSettings,
    /// Where changes are announced, if anywhere.
    pub events: Option<Endpoint>,
    /// Where they are listed.
    pub event_list: Option<Endpoint>,
    /// Who completes the price of an order, if anybody.
    pub pricing: Option<Endpoint>,
    /// The Dapr sidecar, through which all of these are reached where there is one.
    pub sidecar: Option<Sidecar>,
    /// What the receiver of events and this service share, if anything.
    pub events_secret: Option<Secret>,
}

impl Config {
    /// Reads the configuration from variables, of which an empty one counts as not set.
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
                event_list: events.clone().or_else(|| invocation(EVENTS_APP, "events")),
                events: events.or_else(topic),
                pricing: pricing.or_else(|| invocation(PRICING_APP, "price")),
                sidecar,
                events_secret: reader.secret("EVENTS_SECRET"),
            }
        })
    }
}
