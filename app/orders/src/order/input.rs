//! Parses and validates orders in a request body. All invalid fields are reported together.

use std::collections::HashMap;

use microservice::http::FieldError;
use microservice::json_array::Elements;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::{Draft, Money, Order, MAX_ADDRESS_CHARACTERS};

/// The most orders in one request.
pub const MAX_ORDERS: usize = 10_000;

/// The most invalid fields that are reported one by one.
pub const MAX_FIELDS: usize = 100;

/// Why a body is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The body is not JSON, at this position.
    NotJson {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// The body is JSON, but not valid.
    Invalid {
        /// A summary.
        message: String,
        /// The invalid fields.
        fields: Vec<FieldError>,
    },
}

impl From<serde_json::Error> for Rejection {
    fn from(error: serde_json::Error) -> Self {
        Rejection::NotJson {
            line: error.line(),
            column: error.column(),
        }
    }
}

/// Reads one order. With `id_from_path`, the body may omit `order_id`, or must repeat that id.
pub fn read_order(body: &[u8], id_from_path: Option<i32>) -> Result<Order, Rejection> {
    let value: &RawValue = serde_json::from_slice(body)?;
    validate_single(|errors| check_order(value, id_from_path, "", errors))
}

/// Reads one order as [`read_order`], but shipping and tax may be missing.
pub fn read_draft(body: &[u8], id_from_path: Option<i32>) -> Result<Draft, Rejection> {
    let value: &RawValue = serde_json::from_slice(body)?;
    validate_single(|errors| check_draft(value, id_from_path, "", false, errors))
}

fn validate_single<T>(check: impl FnOnce(&mut Errors) -> Option<T>) -> Result<T, Rejection> {
    let mut errors = Errors::default();
    if let (Some(order), true) = (check(&mut errors), errors.fields.is_empty()) {
        return Ok(order);
    }
    Err(errors.into_rejection("the order is not valid"))
}

/// Reads an array of 1 to [`MAX_ORDERS`] orders with distinct ids.
pub fn read_orders(body: &[u8]) -> Result<Vec<Order>, Rejection> {
    let value: &RawValue = serde_json::from_slice(body)?;
    let invalid = |message: &str| Rejection::Invalid {
        message: message.to_owned(),
        fields: Vec::new(),
    };
    if !value.get().starts_with('[') {
        return Err(invalid("the body must be a JSON array of orders"));
    }
    let Elements::<MAX_ORDERS>(Some(values)) = serde_json::from_str(value.get())? else {
        return Err(invalid("the array must hold 1 to 10000 orders"));
    };

    let mut errors = Errors::default();
    let mut first_with_id = HashMap::with_capacity(values.len());
    let mut orders = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let prefix = format!("[{index}].");
        let Some(order) = check_order(value, None, &prefix, &mut errors) else {
            continue;
        };
        if let Some(first) = first_with_id.insert(order.order_id, index) {
            errors.add(&prefix, "order_id", format!("is also the order_id of [{first}]"));
        }
        orders.push(order);
    }
    if errors.fields.is_empty() {
        Ok(orders)
    } else {
        Err(errors.into_rejection("some orders are not valid"))
    }
}

#[derive(Default)]
struct Errors {
    fields: Vec<FieldError>,
    /// The number of further invalid fields.
    omitted: usize,
}

impl Errors {
    fn add(&mut self, prefix: &str, name: &str, message: impl Into<String>) {
        if self.fields.len() == MAX_FIELDS {
            self.omitted += 1;
            return;
        }
        self.fields.push(FieldError {
            field: format!("{prefix}{name}"),
            message: message.into(),
        });
    }

    /// Unwraps the result of a check, or adds its error.
    fn check<T>(&mut self, prefix: &str, name: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.add(prefix, name, message)).ok()
    }

    fn into_rejection(self, message: &str) -> Rejection {
        let message = match self.omitted {
            0 => message.to_owned(),
            omitted => format!("{message}; the first {MAX_FIELDS} wrong fields are told, and there are {omitted} more"),
        };
        Rejection::Invalid {
            message,
            fields: self.fields,
        }
    }
}

fn check_order(value: &RawValue, id_from_path: Option<i32>, prefix: &str, errors: &mut Errors) -> Option<Order> {
    check_draft(value, id_from_path, prefix, true, errors)?.to_order()
}

fn check_draft(
    value: &RawValue,
    id_from_path: Option<i32>,
    prefix: &str,
    is_priced: bool,
    errors: &mut Errors,
) -> Option<Draft> {
    let Ok(fields) = serde_json::from_str::<Fields>(value.get()) else {
        let name = match prefix.trim_end_matches('.') {
            "" => "body",
            element => element,
        };
        errors.add("", name, "must be a JSON object");
        return None;
    };
    for name in fields.repeated() {
        errors.add(prefix, name, "is given more than once");
    }

    let order_id = parse_order_id(fields.get("order_id"), id_from_path);
    let order_id = errors.check(prefix, "order_id", order_id);
    let product_id = parse_product_id(fields.get("product_id"), fields.get("production_id"));
    let product_id = errors.check(prefix, "product_id", product_id);
    let quantity = errors.check(prefix, "quantity", parse_positive(fields.get("quantity")));
    let amount = errors.check(prefix, "amount", parse_money(fields.get("amount")));
    let mut price = |name| match fields.get(name) {
        None if !is_priced => Some(None),
        given => errors.check(prefix, name, parse_money(given)).map(Some),
    };
    let (shipping, tax) = (price("shipping"), price("tax"));
    let address = parse_address(fields.get("shipping_address"));
    let shipping_address = errors.check(prefix, "shipping_address", address);

    Some(Draft {
        order_id: order_id?,
        product_id: product_id?,
        quantity: quantity?,
        amount: amount?,
        shipping: shipping?,
        tax: tax?,
        shipping_address: shipping_address?,
    })
}

const MISSING_MESSAGE: &str = "is missing";

fn parse_order_id(value: Option<&RawValue>, id_from_path: Option<i32>) -> Result<i32, String> {
    match (id_from_path, value) {
        (Some(id), None) => Ok(id),
        (Some(id), given) if parse_positive(given)? != id => {
            Err(format!("must be {id}, the id in the path, or left out"))
        }
        (_, given) => parse_positive(given),
    }
}

/// Parses the id of the product, which has two names.
fn parse_product_id(product: Option<&RawValue>, production: Option<&RawValue>) -> Result<i32, String> {
    match (product, production) {
        (Some(product), Some(production)) if product.get() != production.get() => {
            Err("differs from production_id, which is another name for it".to_owned())
        }
        (product, production) => parse_positive(product.or(production)),
    }
}

fn parse_positive(value: Option<&RawValue>) -> Result<i32, String> {
    let text = value.ok_or(MISSING_MESSAGE)?.get();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must be a whole number".to_owned());
    }
    match text.parse::<i32>() {
        Ok(number) if number > 0 => Ok(number),
        Err(_) if !text.starts_with('-') => Err(format!("must be at most {}", i32::MAX)),
        _ => Err("must be greater than 0".to_owned()),
    }
}

fn parse_money(value: Option<&RawValue>) -> Result<Money, String> {
    Money::parse(value.ok_or(MISSING_MESSAGE)?.get()).map_err(|error| error.to_string())
}

fn parse_address(value: Option<&RawValue>) -> Result<String, String> {
    let address: String = serde_json::from_str(value.ok_or(MISSING_MESSAGE)?.get())
        .map_err(|_| "must be a string of Unicode characters")?;
    let characters = address.chars().count();
    if characters == 0 || characters > MAX_ADDRESS_CHARACTERS {
        Err(format!("must have 1 to {MAX_ADDRESS_CHARACTERS} characters"))
    } else if address.chars().any(char::is_control) {
        Err("must not contain control characters".to_owned())
    } else {
        Ok(address)
    }
}
