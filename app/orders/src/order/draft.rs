//! An order without shipping or tax, which the pricing service computes.

use microservice::money::Money;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Order;

/// A valid order, except that shipping and tax may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// As in an [`Order`].
    pub order_id: i32,
    /// As in an [`Order`].
    pub product_id: i32,
    /// As in an [`Order`].
    pub quantity: i32,
    /// As in an [`Order`].
    pub amount: Money,
    /// As in an [`Order`], if given.
    pub shipping: Option<Money>,
    /// As in an [`Order`], if given.
    pub tax: Option<Money>,
    /// As in an [`Order`].
    pub shipping_address: String,
}

/// A response of the pricing service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The shipping.
    pub shipping: Money,
    /// The tax.
    pub tax: Money,
    /// The region whose rules were applied; `None` for the general rules.
    pub region: Option<String>,
}

impl Draft {
    /// The order, if nothing is missing.
    pub fn to_order(&self) -> Option<Order> {
        Some(self.with_price(self.shipping?, self.tax?))
    }

    /// The order, with missing values from this price. Values that the client has sent are kept.
    pub fn complete(&self, price: &Price) -> Order {
        self.with_price(self.shipping.unwrap_or(price.shipping), self.tax.unwrap_or(price.tax))
    }

    fn with_price(&self, shipping: Money, tax: Money) -> Order {
        Order {
            order_id: self.order_id,
            product_id: self.product_id,
            quantity: self.quantity,
            amount: self.amount,
            shipping,
            tax,
            shipping_address: self.shipping_address.clone(),
        }
    }

    /// The body of the request to the pricing service.
    pub fn pricing_request(&self) -> String {
        // A text always has a JSON form.
        let address = serde_json::to_string(&self.shipping_address).unwrap_or_default();
        let (quantity, amount) = (self.quantity, self.amount);
        format!(r#"{{"quantity":{quantity},"amount":{amount},"shipping_address":{address}}}"#)
    }
}

impl Price {
    /// Parses a response of the pricing service; `None` if it has no valid price.
    pub fn read(json: &[u8]) -> Option<Price> {
        #[derive(Deserialize)]
        struct RawPrice<'json> {
            #[serde(borrow)]
            shipping: &'json RawValue,
            #[serde(borrow)]
            tax: &'json RawValue,
            #[serde(default)]
            region: Option<String>,
        }
        let raw: RawPrice<'_> = serde_json::from_slice(json).ok()?;
        Some(Price {
            shipping: Money::parse(raw.shipping.get()).ok()?,
            tax: Money::parse(raw.tax.get()).ok()?,
            region: raw.region,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read_draft, Rejection};
    use super::*;

    const GOODS: &str = r#""order_id":1,"product_id":12,"quantity":2,"amount":56.50,"shipping_address":"A \"b\"""#;

    fn draft(more: &str) -> Draft {
        read_draft(format!("{{{GOODS}{more}}}").as_bytes(), None).unwrap()
    }

    #[test]
    fn what_is_given_stays_and_what_is_missing_is_priced() {
        let price = Price::read(br#"{"shipping":5.9,"tax":11.76,"region":"argentina"}"#).unwrap();
        for (more, is_complete, shipping, tax) in [
            ("", false, "5.9", "11.76"),
            (r#","tax":0"#, false, "5.9", "0"),
            (r#","shipping":1.50"#, false, "1.5", "11.76"),
            (r#","shipping":1,"tax":2"#, true, "1", "2"),
        ] {
            let draft = draft(more);
            assert_eq!(draft.to_order().is_some(), is_complete, "{more}");
            let order = draft.complete(&price);
            assert_eq!(
                (order.shipping.to_string().as_str(), order.tax.to_string().as_str()),
                (shipping, tax)
            );
        }
    }

    #[test]
    fn asks_with_all_digits_and_quotes() {
        assert_eq!(
            draft("").pricing_request(),
            r#"{"quantity":2,"amount":56.5,"shipping_address":"A \"b\""}"#
        );
    }

    #[test]
    fn what_is_given_must_keep_the_rules() {
        let Err(Rejection::Invalid { fields, .. }) = read_draft(br#"{"order_id":0,"tax":-1}"#, None) else {
            panic!("it is not valid");
        };
        let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(
            names,
            [
                "order_id",
                "product_id",
                "quantity",
                "amount",
                "tax",
                "shipping_address"
            ]
        );
    }

    #[test]
    fn only_a_price_is_a_price() {
        for json in [
            "",
            "{}",
            "[]",
            r#"{"shipping":1}"#,
            r#"{"shipping":-1,"tax":0}"#,
            r#"{"shipping":0.001,"tax":0}"#,
        ] {
            assert_eq!(Price::read(json.as_bytes()), None, "{json}");
        }
    }
}
