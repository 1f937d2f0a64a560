//! Values of rows, never through the driver's own conversions, which panic at a type they do not expect.

use mysql_async::{Row, Value};

/// The integer in a column. Prepared statements answer with numbers, plain queries with text.
pub fn integer<T: TryFrom<i64> + std::str::FromStr>(row: &Row, column: usize) -> Option<T> {
    match row.as_ref(column)? {
        Value::Int(number) => T::try_from(*number).ok(),
        Value::UInt(number) => T::try_from(i64::try_from(*number).ok()?).ok(),
        Value::Bytes(_) => text(row, column)?.parse().ok(),
        _ => None,
    }
}

/// The text in a column.
pub fn text(row: &Row, column: usize) -> Option<&str> {
    match row.as_ref(column)? {
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}
