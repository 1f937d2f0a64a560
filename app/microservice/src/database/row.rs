//! Reads values of rows. The driver's own conversions are not used, because they panic on unexpected types.

use mysql_async::{Row, Value};

/// The integer in a column. Prepared statements return numbers, plain queries return text.
pub fn get_integer<T: TryFrom<i64> + std::str::FromStr>(row: &Row, column: usize) -> Option<T> {
    match row.as_ref(column)? {
        Value::Int(number) => T::try_from(*number).ok(),
        Value::UInt(number) => T::try_from(i64::try_from(*number).ok()?).ok(),
        Value::Bytes(_) => get_text(row, column)?.parse().ok(),
        _ => None,
    }
}

/// The text in a column.
pub fn get_text(row: &Row, column: usize) -> Option<&str> {
    match row.as_ref(column)? {
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}
