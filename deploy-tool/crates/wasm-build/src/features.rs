//! Pure: the Cargo features that a definition turns on.

/// The argument `--features` for Cargo; none without features.
pub fn argument(features: &[String]) -> Option<String> {
    (!features.is_empty()).then(|| format!("--features={}", features.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_one_argument() {
        assert_eq!(argument(&[]), None);
        let features = ["tls", "dep/log"].map(str::to_owned);
        assert_eq!(argument(&features).as_deref(), Some("--features=tls,dep/log"));
    }
}
