//! The rules: the costs of shipping and the tax rate, in general and for some regions.

use microservice::money::Money;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The largest rules in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most regions.
pub const MAX_REGIONS: usize = 200;
/// The highest tax rate: 100 %.
const MAX_TAX_PERMILLE: u32 = 1_000;

/// The rules that apply until others are stored.
pub const BUILT_IN: &str = r#"{
  "tax_permille": 190, "shipping": {"base": 4.9, "per_item": 0.5, "free_from": 200},
  "regions": [
    {"name": "Argentina", "tax_permille": 210, "shipping": {"base": 9.5, "per_item": 1.25}},
    {"name": "Switzerland", "tax_permille": 81, "shipping": {"base": 12, "per_item": 2, "free_from": 500}}
  ]
}"#;

/// The rules of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// The tax rate on goods and shipping, in thousandths.
    pub tax_permille: u32,
    /// The base price of shipping.
    pub base: Money,
    /// The price of shipping per item.
    pub per_item: Money,
    /// The amount from which shipping is free, if there is one.
    pub free_from: Option<Money>,
}

/// All rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    general: Tariff,
    /// By name in lower case.
    regions: Vec<(String, Tariff)>,
}

impl Rules {
    /// Parses and validates rules. The error is the first problem.
    pub fn parse(json: &str) -> Result<Rules, String> {
        if json.len() > MAX_BYTES {
            return Err(format!("the rules have at most {MAX_BYTES} bytes"));
        }
        let raw: RawRules = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if raw.regions.len() > MAX_REGIONS {
            return Err(format!("there are at most {MAX_REGIONS} regions"));
        }
        let mut regions: Vec<(String, Tariff)> = Vec::with_capacity(raw.regions.len());
        for region in &raw.regions {
            let name = region.name.trim().to_lowercase();
            if name.is_empty() || name.contains(',') {
                return Err(format!("the region `{}` must have a name without a comma", region.name));
            }
            if regions.iter().any(|(other, _)| *other == name) {
                return Err(format!("the region `{}` is there twice", region.name));
            }
            regions.push((name, parse_tariff(region.tax_permille, &region.shipping)?));
        }
        Ok(Rules {
            general: parse_tariff(raw.tax_permille, &raw.shipping)?,
            regions,
        })
    }

    /// The tariff of an address, with the name of its region: the part behind the last comma. The general tariff for
    /// other regions.
    pub fn find_tariff(&self, address: &str) -> (&Tariff, Option<&str>) {
        let last = address.rsplit(',').next().unwrap_or_default().trim().to_lowercase();
        let region = self.regions.iter().find(|(name, _)| *name == last);
        match region {
            Some((name, tariff)) => (tariff, Some(name)),
            None => (&self.general, None),
        }
    }
}

fn parse_tariff(tax_permille: u32, shipping: &RawShipping<'_>) -> Result<Tariff, String> {
    if tax_permille > MAX_TAX_PERMILLE {
        return Err(format!("tax_permille must be at most {MAX_TAX_PERMILLE}"));
    }
    let money = |name: &str, value: &RawValue| Money::parse(value.get()).map_err(|error| format!("{name} {error}"));
    Ok(Tariff {
        tax_permille,
        base: money("base", shipping.base)?,
        per_item: money("per_item", shipping.per_item)?,
        free_from: shipping.free_from.map(|value| money("free_from", value)).transpose()?,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules<'json> {
    tax_permille: u32,
    #[serde(borrow)]
    shipping: RawShipping<'json>,
    #[serde(borrow, default)]
    regions: Vec<RawRegion<'json>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegion<'json> {
    name: String,
    tax_permille: u32,
    #[serde(borrow)]
    shipping: RawShipping<'json>,
}

/// Amounts as raw JSON, so that they keep their digits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShipping<'json> {
    #[serde(borrow)]
    base: &'json RawValue,
    #[serde(borrow)]
    per_item: &'json RawValue,
    #[serde(borrow, default)]
    free_from: Option<&'json RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_an_address_names_its_region() {
        let rules = Rules::parse(BUILT_IN).unwrap();
        for (address, region) in [
            ("Mataderos 2312, Buenos Aires, Argentina", Some("argentina")),
            ("Mataderos 2312,  ARGENTINA ", Some("argentina")),
            ("Argentina", Some("argentina")),
            ("Argentina Street 5, Berlin", None),
            ("Mataderos 2312", None),
            ("Mataderos 2312, Argentina,", None),
            ("", None),
        ] {
            assert_eq!(rules.find_tariff(address).1, region, "{address}");
        }
        assert_eq!(rules.find_tariff("Bern, Switzerland").0.tax_permille, 81);
    }

    #[test]
    fn tells_what_is_wrong() {
        let shipping = r#""shipping":{"base":1,"per_item":0}"#;
        for (json, reason) in [
            ("[]".to_owned(), "invalid length"),
            ("{".to_owned(), "EOF"),
            (format!(r#"{{"tax_permille":1001,{shipping}}}"#), "at most 1000"),
            (format!(r#"{{"tax_permille":-1,{shipping}}}"#), "-1"),
            (format!(r#"{{"tax_permille":1,"tax":2,{shipping}}}"#), "unknown field"),
            (
                r#"{"tax_permille":1,"shipping":{"base":0.001,"per_item":0}}"#.to_owned(),
                "base must have at most two decimals",
            ),
            (
                r#"{"tax_permille":1,"shipping":{"base":1,"per_item":-2}}"#.to_owned(),
                "per_item must not be negative",
            ),
            (
                format!(r#"{{"tax_permille":1,{shipping},"regions":[{{"name":" ","tax_permille":1,{shipping}}}]}}"#),
                "must have a name",
            ),
            (
                format!(
                    r#"{{"tax_permille":1,{shipping},"regions":[{{"name":"A","tax_permille":1,{shipping}}},{{"name":"a ","tax_permille":1,{shipping}}}]}}"#
                ),
                "twice",
            ),
            (" ".repeat(MAX_BYTES + 1), "at most 65536 bytes"),
        ] {
            let error = Rules::parse(&json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }
}
