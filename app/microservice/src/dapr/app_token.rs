//! Authenticates requests of the service's own sidecar.

use hyper::{HeaderMap, StatusCode};

use crate::http::{Code, Problem};
use crate::signature::Secret;

/// The header in which a sidecar sends what `APP_API_TOKEN` holds:
/// <https://docs.dapr.io/operations/security/app-api-token/>.
const HEADER: &str = "dapr-api-token";

/// The request does not come from the sidecar.
const NOT_THE_SIDECAR: Code = Code::new("not_the_sidecar", StatusCode::UNAUTHORIZED);

/// The token that a service shares with its sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppToken(Secret);

impl AppToken {
    /// A token.
    pub fn new(secret: Secret) -> AppToken {
        AppToken(secret)
    }

    /// Refuses requests that do not have the token.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let token = headers.get(HEADER).and_then(|value| value.to_str().ok());
        if token.is_some_and(|token| self.0.equals(token)) {
            Ok(())
        } else {
            Err(Problem::new(
                NOT_THE_SIDECAR,
                "this path is for the service's own Dapr sidecar (APP_API_TOKEN): ask through it",
            ))
        }
    }
}
