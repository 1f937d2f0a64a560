//! What the arguments of `scale` ask for.

use std::str::FromStr;

use crate::settings::MOST_REPLICAS;
use crate::workload::Reference;

/// One argument: `3`, `app=3` or `statefulset/mariadb=2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which workload; a bare number leaves it open.
    pub workload: Option<Reference>,
    /// How many replicas.
    pub replicas: i32,
}

impl FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (workload, number) = match text.split_once('=') {
            Some((workload, number)) => (Some(workload.parse()?), number),
            None => (None, text),
        };
        let replicas = number
            .parse()
            .ok()
            .filter(|number| (0..=MOST_REPLICAS).contains(number));
        let replicas = replicas.and_then(|number| i32::try_from(number).ok()).ok_or_else(|| {
            format!("write a number from 0 to {MOST_REPLICAS}, or NAME=NUMBER such as app=3 or statefulset/mariadb=2")
        })?;
        Ok(Self { workload, replicas })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        let read = |text: &str| {
            text.parse::<Request>()
                .map(|request| (request.workload.map(|workload| workload.to_string()), request.replicas))
        };
        assert_eq!(read("3"), Ok((None, 3)));
        assert_eq!(read("app=0"), Ok((Some("`app`".into()), 0)));
        assert_eq!(read("sts/db=1000"), Ok((Some("StatefulSet `db`".into()), 1000)));
        for wrong in [
            "",
            "-1",
            "many",
            "1001",
            "app=",
            "app=-1",
            "=3",
            "app=3=4",
            "node/a=3",
            "99999999999999999999",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
