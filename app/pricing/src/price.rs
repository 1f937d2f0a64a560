//! Computes shipping and tax in whole cents.

use hyper::StatusCode;
use microservice::http::{Code, FieldError, Problem};
use microservice::money::Money;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::Value;

use crate::rules::Rules;

/// The body is JSON, but not valid.
pub const INVALID_GOODS: Code = Code::new("invalid_goods", StatusCode::UNPROCESSABLE_ENTITY);

/// The longest address, as in the orders service.
const MAX_ADDRESS_CHARACTERS: usize = 256;

/// The goods of an order, and their destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    /// The number of items; greater than 0.
    pub quantity: i32,
    /// The price of all items.
    pub amount: Money,
    /// The destination.
    pub shipping_address: String,
}

/// The additional costs of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The shipping.
    pub shipping: Money,
    /// The tax on goods and shipping.
    pub tax: Money,
    /// The region whose rules were applied; `None` for the general rules.
    pub region: Option<String>,
}

#[derive(Deserialize)]
struct RawGoods<'json> {
    #[serde(borrow, default)]
    quantity: Option<&'json RawValue>,
    #[serde(borrow, default)]
    amount: Option<&'json RawValue>,
    #[serde(borrow, default)]
    shipping_address: Option<&'json RawValue>,
}

impl Goods {
    /// Parses and validates goods. All invalid fields are reported together.
    pub fn read(body: &[u8]) -> Result<Goods, Problem> {
        let raw: RawGoods<'_> = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = format!("the body is not a valid JSON object (line {line}, column {column})");
            Problem::new(Code::INVALID_JSON, message)
        })?;
        let mut fields = Vec::new();
        let mut add_error = |field: &str, message: String| {
            fields.push(FieldError {
                field: field.to_owned(),
                message,
            });
        };
        let text = |value: Option<&RawValue>| value.map(|value| value.get().to_owned()).unwrap_or_default();
        let quantity = text(raw.quantity).parse().ok().filter(|quantity| *quantity > 0);
        if quantity.is_none() {
            add_error("quantity", "must be a whole number greater than 0".to_owned());
        }
        let amount = Money::parse(&text(raw.amount)).map_err(|error| add_error("amount", error.to_string()));
        let address: Option<String> = serde_json::from_str(&text(raw.shipping_address)).ok();
        let address = address.filter(|address| (1..=MAX_ADDRESS_CHARACTERS).contains(&address.chars().count()));
        if address.is_none() {
            add_error(
                "shipping_address",
                format!("must have 1 to {MAX_ADDRESS_CHARACTERS} characters"),
            );
        }
        match (quantity, amount, address) {
            (Some(quantity), Ok(amount), Some(shipping_address)) => Ok(Goods {
                quantity,
                amount,
                shipping_address,
            }),
            _ => Err(Problem {
                fields,
                ..Problem::new(INVALID_GOODS, "this cannot be priced")
            }),
        }
    }
}

impl Price {
    /// Computes the price by these rules; `None` if it is above [`Money::MAX`].
    pub fn compute(goods: &Goods, rules: &Rules) -> Option<Price> {
        let (tariff, region) = rules.find_tariff(&goods.shipping_address);
        let is_free = tariff.free_from.is_some_and(|least| goods.amount >= least);
        let shipping = if is_free {
            0
        } else {
            let quantity = u64::try_from(goods.quantity).ok()?;
            tariff
                .per_item
                .cents()
                .checked_mul(quantity)?
                .checked_add(tariff.base.cents())?
        };
        let taxed = u128::from(goods.amount.cents().checked_add(shipping)?);
        // Half a cent is rounded up.
        let tax = (taxed * u128::from(tariff.tax_permille) + 500) / 1_000;
        Some(Price {
            shipping: Money::from_cents(shipping)?,
            tax: Money::from_cents(u64::try_from(tax).ok()?)?,
            region: region.map(str::to_owned),
        })
    }

    /// The price as JSON.
    pub fn to_json(&self) -> String {
        let region = Value::from(self.region.as_deref());
        format!(
            r#"{{"shipping":{},"tax":{},"region":{region}}}"#,
            self.shipping, self.tax
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::BUILT_IN;

    fn price(quantity: i32, amount: &str, address: &str) -> Option<(String, String)> {
        let goods = Goods {
            quantity,
            amount: Money::parse(amount).unwrap(),
            shipping_address: address.to_owned(),
        };
        let price = Price::compute(&goods, &Rules::parse(BUILT_IN).unwrap())?;
        Some((price.shipping.to_string(), price.tax.to_string()))
    }

    #[test]
    fn shipping_is_base_and_items_and_tax_is_on_both() {
        for (quantity, amount, address, shipping, tax) in [
            (2, "56", "Mataderos 2312", "5.9", "11.76"),
            (1, "0", "A", "5.4", "1.03"),
            (3, "199.99", "A", "6.4", "39.21"),
            (3, "200", "A", "0", "38"),
            (2, "56", "Mataderos 2312, Argentina", "12", "14.28"),
            (100, "9999", "Rosario, Argentina", "134.5", "2128.04"),
        ] {
            let expected = Some((shipping.to_owned(), tax.to_owned()));
            assert_eq!(
                price(quantity, amount, address),
                expected,
                "{quantity} {amount} {address}"
            );
        }
    }

    #[test]
    fn what_is_more_than_money_can_be_has_no_price() {
        assert_eq!(
            price(i32::MAX, "1", "Argentina"),
            Some(("2684354568.25".to_owned(), "563714459.54".to_owned()))
        );
        let rules = r#"{"tax_permille":1000,"shipping":{"base":9999999999.99,"per_item":9999999999.99}}"#;
        let rules = Rules::parse(rules).unwrap();
        for (quantity, amount) in [(i32::MAX, Money::MAX), (1, Money::default())] {
            let goods = Goods {
                quantity,
                amount,
                shipping_address: "A".to_owned(),
            };
            assert_eq!(Price::compute(&goods, &rules), None);
        }
    }

    #[test]
    fn every_wrong_field_is_told() {
        let problem = Goods::read(br#"{"quantity":0,"amount":-1}"#).unwrap_err();
        let names: Vec<&str> = problem.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(names, ["quantity", "amount", "shipping_address"]);
        assert_eq!(problem.code, INVALID_GOODS);
        assert_eq!(Goods::read(b"{").unwrap_err().code, Code::INVALID_JSON);
        let goods = Goods::read(br#"{"quantity":2,"amount":56.05,"shipping_address":"A","more":1}"#).unwrap();
        assert_eq!(goods.amount.to_string(), "56.05");
    }
}
