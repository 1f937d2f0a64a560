//! Where tests that speak HTTP find the service: at a given address, or a twin of their own.

use std::sync::Arc;

use crate::database::Database;
use crate::twin::{peak_memory_kib, Twin};
use crate::Service;

/// A service that tests may use.
#[derive(Debug)]
pub struct Place {
    /// Host and port.
    pub address: String,
    /// Whether the service is the test's own, with the configuration that the test gave.
    pub is_own: bool,
    // In this order: the twin ends before its database.
    twin: Option<Twin>,
    _database: Option<Arc<Database>>,
}

impl Place {
    /// The service that is there already, or a twin with this configuration on a real database.
    pub fn find(service: &Service, test: &str, variables: &[(&str, &str)]) -> Option<Place> {
        if let Some(place) = Place::given(service) {
            return Some(place);
        }
        let database = Database::shared(test)?;
        let url = database.create(test);
        let variables = [&[("DATABASE_URL", url.as_str())], variables].concat();
        let twin = Twin::start(service, &variables);
        twin.await_ready();
        Some(Place {
            address: twin.address.clone(),
            is_own: true,
            twin: Some(twin),
            _database: Some(database),
        })
    }

    /// The service that is there already, or a twin whose database is away.
    pub fn without_database(service: &Service) -> Place {
        Place::given(service).unwrap_or_else(|| {
            let twin = Twin::start(service, &[("DATABASE_URL", "mysql://orders@127.0.0.1:1/orders")]);
            Place {
                address: twin.address.clone(),
                is_own: true,
                twin: Some(twin),
                _database: None,
            }
        })
    }

    /// The most memory the service has used: where it is a process of this test, or `SERVICE_PID` names one of this host.
    pub fn peak_memory_kib(&self) -> Option<u64> {
        let given = std::env::var("SERVICE_PID").ok().and_then(|id| id.parse().ok());
        match &self.twin {
            Some(twin) => Some(twin.peak_memory_kib()),
            None => given.map(peak_memory_kib),
        }
    }

    fn given(service: &Service) -> Option<Place> {
        let url = std::env::var(service.url_variable).ok()?;
        let rest = url
            .strip_prefix("http://")
            .unwrap_or_else(|| panic!("{} must be http://host:port", service.url_variable));
        let address = rest.trim_end_matches('/');
        let has_port = address.contains(':');
        Some(Place {
            address: if has_port {
                address.to_owned()
            } else {
                format!("{address}:80")
            },
            is_own: false,
            twin: None,
            _database: None,
        })
    }
}
