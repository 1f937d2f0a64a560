//! Amounts of money in whole cents, so that no value changes by rounding.

use std::fmt;

/// An amount of money from 0 to 9,999,999,999.99, the range of the database's `DECIMAL(12,2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    cents: u64,
}

/// Why a text is not a [`Money`] value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a decimal number.
    #[error("must be a number")]
    NotANumber,
    /// The number is below zero.
    #[error("must not be negative")]
    Negative,
    /// The number has more than two decimals that are not zero.
    #[error("must have at most two decimals")]
    TooPrecise,
    /// The number is above [`Money::MAX`].
    #[error("must be at most 9999999999.99")]
    TooLarge,
}

/// The digits of the largest amount, with its decimals.
const MAX_DIGITS: usize = 12;

impl Money {
    /// The largest amount: `MAX_DIGITS` digits, two of them decimals.
    pub const MAX: Money = Money { cents: 999_999_999_999 };

    /// The amount of this many cents, or `None` above [`Money::MAX`].
    pub fn from_cents(cents: u64) -> Option<Money> {
        (cents <= Self::MAX.cents).then_some(Money { cents })
    }

    /// The amount in cents.
    pub fn cents(self) -> u64 {
        self.cents
    }

    /// Parses a decimal number as in JSON and in the database (`56`, `56.5`, `5.65e1`), exactly.
    ///
    /// It uses the digits, never a floating point number: `0.005` must be refused, and `9999999999.99` must not change.
    pub fn parse(text: &str) -> Result<Money, MoneyError> {
        let decimal = Decimal::parse(text).ok_or(MoneyError::NotANumber)?;
        let length = decimal.whole.len() + decimal.fraction.len();
        if length == 0 {
            return Ok(Money::default());
        }
        if decimal.negative {
            return Err(MoneyError::Negative);
        }
        let exponent_to_cents = decimal.exponent.saturating_add(2);
        if exponent_to_cents < 0 {
            return Err(MoneyError::TooPrecise);
        }
        // The first digit is not zero, so the number of digits limits the amount.
        let shift = u32::try_from(exponent_to_cents).map_err(|_| MoneyError::TooLarge)?;
        if length.saturating_add(shift as usize) > MAX_DIGITS {
            return Err(MoneyError::TooLarge);
        }
        let digits = decimal.whole.bytes().chain(decimal.fraction.bytes());
        let number = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        Ok(Money {
            cents: number * 10_u64.pow(shift),
        })
    }
}

impl Money {
    /// Appends the shortest decimal number of this value: `56`, `56.5`, `56.55`.
    pub fn write_to(self, out: &mut String) {
        out.push_str(itoa::Buffer::new().format(self.cents / 100));
        let (tenths, hundredths) = (self.cents / 10 % 10, self.cents % 10);
        if (tenths, hundredths) == (0, 0) {
            return;
        }
        out.push('.');
        out.extend(char::from_digit(tenths as u32, 10));
        if hundredths > 0 {
            out.extend(char::from_digit(hundredths as u32, 10));
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_to(&mut text);
        formatter.write_str(&text)
    }
}

/// A parsed decimal number: the digits of `whole` and `fraction`, without leading and trailing zeros, times ten to the
/// power of `exponent`. Zero has no digits.
struct Decimal<'text> {
    negative: bool,
    whole: &'text str,
    fraction: &'text str,
    exponent: i64,
}

impl Decimal<'_> {
    fn parse(text: &str) -> Option<Decimal<'_>> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let (mut whole, mut fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        // Lengths of texts in memory: far below the limits of i64.
        let mut exponent = exponent.saturating_sub(fraction.len() as i64);
        if fraction.is_empty() {
            let significant = whole.trim_end_matches('0');
            exponent = exponent.saturating_add((whole.len() - significant.len()) as i64);
            whole = significant;
        }
        if whole.is_empty() {
            fraction = fraction.trim_start_matches('0');
        }
        Some(Decimal {
            negative,
            whole,
            fraction,
            exponent,
        })
    }
}

/// Parses an exponent. It is clamped, so that sums cannot overflow; larger ones are out of range in any case.
fn parse_exponent(text: &str) -> Option<i64> {
    const MAX_EXPONENT: i64 = 1 << 40;
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits
        .parse::<i64>()
        .map_or(MAX_EXPONENT, |size| size.min(MAX_EXPONENT));
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_value() {
        for (text, cents, shown) in [
            ("0", 0, "0"),
            ("-0", 0, "0"),
            ("0e999999999999999999999", 0, "0"),
            ("56", 5600, "56"),
            ("56.5", 5650, "56.5"),
            ("56.50", 5650, "56.5"),
            ("56.55", 5655, "56.55"),
            ("56.550000000000000000000", 5655, "56.55"),
            ("56.05", 5605, "56.05"),
            ("0.01", 1, "0.01"),
            ("5.655e1", 5655, "56.55"),
            ("5655E-2", 5655, "56.55"),
            ("1e+2", 10_000, "100"),
            ("100e-4", 1, "0.01"),
            ("9999999999.99", 999_999_999_999, "9999999999.99"),
        ] {
            let money = Money::parse(text).unwrap();
            assert_eq!(money.cents(), cents, "{text}");
            assert_eq!(money.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn refuses_what_would_change() {
        use MoneyError::*;
        for (text, error) in [
            ("", NotANumber),
            ("-", NotANumber),
            (".5", NotANumber),
            ("5.", NotANumber),
            ("1e", NotANumber),
            ("1e+", NotANumber),
            ("1,5", NotANumber),
            ("1.2.3", NotANumber),
            ("NaN", NotANumber),
            ("+1", NotANumber),
            ("٣", NotANumber),
            ("-0.01", Negative),
            ("0.001", TooPrecise),
            ("56.550000000000001", TooPrecise),
            ("1e-3", TooPrecise),
            ("1e-99999999999999999999", TooPrecise),
            ("10000000000", TooLarge),
            ("1e30", TooLarge),
            ("1e99999999999999999999", TooLarge),
            ("99999999999999999999999", TooLarge),
        ] {
            assert_eq!(Money::parse(text), Err(error), "{text}");
        }
    }
}
