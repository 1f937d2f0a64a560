//! The rules: what shipping costs and how high the tax is, in general and for some destinations.

use microservice::money::Money;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The largest rules in bytes, and the most regions.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most regions.
pub const MAX_REGIONS: usize = 200;
/// The highest tax: as much as the goods.
const MAX_PERMILLE: u32 = 1_000;

/// The rules that hold until others are stored.
pub const BUILT_IN: &str = r#"{
  "tax_permille": 190, "shipping": {"base": 4.9, "per_item": 0.5, "free_from": 200},
  "regions": [
    {"name": "Argentina", "tax_permille": 210, "shipping": {"base": 9.5, "per_item": 1.25}},
    {"name": "Switzerland", "tax_permille": 81, "shipping": {"base": 12, "per_item": 2, "free_from": 500}}
  ]
}"#;

/// What holds for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// The tax on goods and shipping, in thousandths.
    pub tax_permille: u32,
    /// What shipping costs at least.
    pub base: Money,
    /// What each item adds.
    pub per_item: Money,
    /// From which amount on shipping is free, if from any.
    pub free_from: Option<Money>,
}

/// All rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    general: Tariff,
    /// Names in lower case.
    regions: Vec<(String, Tariff)>,
}

impl Rules {
    /// Reads rules, or tells the first thing that is wrong with them.
    pub fn parse(json: &str) -> Result<Rules, String> {
        if json.len() > MAX_BYTES {
            return Err(format!("the rules have at most {MAX_BYTES} bytes"));
        }
        let written: WrittenRules = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if written.regions.len() > MAX_REGIONS {
            return Err(format!("there are at most {MAX_REGIONS} regions"));
        }
        let mut regions: Vec<(String, Tariff)> = Vec::with_capacity(written.regions.len());
        for region in &written.regions {
            let name = region.name.trim().to_lowercase();
            if name.is_empty() || name.contains(',') {
                return Err(format!("the region `{}` must have a name without a comma", region.name));
            }
            if regions.iter().any(|(other, _)| *other == name) {
                return Err(format!("the region `{}` is there twice", region.name));
            }
            regions.push((name, tariff(region.tax_permille, &region.shipping)?));
        }
        Ok(Rules {
            general: tariff(written.tax_permille, &written.shipping)?,
            regions,
        })
    }

    /// What holds for an address: the rules of the region that its last part names, behind the last comma, else the general
    /// ones. With the region's name.
    pub fn find(&self, address: &str) -> (&Tariff, Option<&str>) {
        let last = address.rsplit(',').next().unwrap_or_default().trim().to_lowercase();
        let region = self.regions.iter().find(|(name, _)| *name == last);
        match region {
            Some((name, tariff)) => (tariff, Some(name)),
            None => (&self.general, None),
        }
    }
}

fn tariff(tax_permille: u32, shipping: &WrittenShipping<'_>) -> Result<Tariff, String> {
    if tax_permille > MAX_PERMILLE {
        return Err(format!("tax_permille must be at most {MAX_PERMILLE}"));
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
struct WrittenRules<'json> {
    tax_permille: u32,
    #[serde(borrow)]
    shipping: WrittenShipping<'json>,
    #[serde(borrow, default)]
    regions: Vec<WrittenRegion<'json>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRegion<'json> {
    name: String,
    tax_permille: u32,
    #[serde(borrow)]
    shipping: WrittenShipping<'json>,
}

/// Amounts as they are written, so that they keep their digits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenShipping<'json> {
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
            assert_eq!(rules.find(address).1, region, "{address}");
        }
        assert_eq!(rules.find("Bern, Switzerland").0.tax_permille, 81);
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
