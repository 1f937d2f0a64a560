//! Where tests that speak HTTP find the service: at a given address, or a native build of their own.

use std::sync::Arc;

use crate::database::Database;
use crate::native_process::{peak_memory_kib, NativeProcess};
use crate::Service;

/// A service that tests may use.
#[derive(Debug)]
pub struct TestServer {
    /// Host and port.
    pub address: String,
    /// Whether the service is the test's own, with the configuration that the test gave.
    pub is_own: bool,
    // In this order: the native build ends before its database.
    native: Option<NativeProcess>,
    _database: Option<Arc<Database>>,
}

impl TestServer {
    /// The service that is there already, or a native build with this configuration on a real database.
    pub fn find(service: &Service, test: &str, variables: &[(&str, &str)]) -> Option<TestServer> {
        if let Some(place) = TestServer::given(service) {
            return Some(place);
        }
        let database = Database::shared(test)?;
        let url = database.create(test);
        let variables = [&[("DATABASE_URL", url.as_str())], variables].concat();
        let native = NativeProcess::start(service, &variables);
        native.await_ready();
        Some(TestServer {
            address: native.address.clone(),
            is_own: true,
            native: Some(native),
            _database: Some(database),
        })
    }

    /// The service that is there already, or a native build whose database is away.
    pub fn without_database(service: &Service) -> TestServer {
        TestServer::given(service).unwrap_or_else(|| {
            let native = NativeProcess::start(service, &[("DATABASE_URL", "mysql://orders@127.0.0.1:1/orders")]);
            TestServer {
                address: native.address.clone(),
                is_own: true,
                native: Some(native),
                _database: None,
            }
        })
    }

    /// The most memory the service has used: where it is a process of this test, or `SERVICE_PID` names one of this host.
    pub fn peak_memory_kib(&self) -> Option<u64> {
        let given = std::env::var("SERVICE_PID").ok().and_then(|id| id.parse().ok());
        match &self.native {
            Some(native) => Some(native.peak_memory_kib()),
            None => given.map(peak_memory_kib),
        }
    }

    fn given(service: &Service) -> Option<TestServer> {
        let url = std::env::var(service.url_variable).ok()?;
        let rest = url
            .strip_prefix("http://")
            .unwrap_or_else(|| panic!("{} must be http://host:port", service.url_variable));
        let address = rest.trim_end_matches('/');
        let has_port = address.contains(':');
        Some(TestServer {
            address: if has_port {
                address.to_owned()
            } else {
                format!("{address}:80")
            },
            is_own: false,
            native: None,
            _database: None,
        })
    }
}
