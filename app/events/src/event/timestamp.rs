//! RFC 3339 timestamps: <https://www.rfc-editor.org/rfc/rfc3339#section-5.6>.

/// Checks that a text is a timestamp.
pub(super) fn check_timestamp(text: String) -> Result<(), String> {
    match is_timestamp(&text) {
        Some(true) => Ok(()),
        _ => Err("must be a time like 2026-11-22T16:50:00Z (RFC 3339)".to_owned()),
    }
}

/// `None` and `Some(false)` both mean that it is not one.
fn is_timestamp(text: &str) -> Option<bool> {
    // The format is compared with all digits replaced by zeros. A fraction of a second may have any number of digits.
    let zeros: String = text
        .chars()
        .map(|character| if character.is_ascii_digit() { '0' } else { character })
        .collect();
    let remainder = zeros.to_ascii_uppercase();
    let remainder = remainder.strip_prefix("0000-00-00T00:00:00")?;
    let zone = match remainder.strip_prefix(".0") {
        Some(fraction) => fraction.trim_start_matches('0'),
        None => remainder,
    };
    let zone_start = text.len().checked_sub(zone.len())?;
    let number = |start: usize, end: usize| text.get(start..end)?.parse::<u32>().ok();
    let (year, month) = (number(0, 4)?, number(5, 7)?);
    let is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap_year),
        _ => return None,
    };
    let is_zone_valid = match zone {
        "Z" => true,
        "+00:00" | "-00:00" => {
            number(zone_start + 1, zone_start + 3)? < 24 && number(zone_start + 4, zone_start + 6)? < 60
        }
        _ => false,
    };
    let is_day_valid = (1..=days).contains(&number(8, 10)?);
    // Second 60 is a leap second.
    Some(is_zone_valid && is_day_valid && number(11, 13)? < 24 && number(14, 16)? < 60 && number(17, 19)? <= 60)
}
