//! Numbers of bytes, as people read them.

/// In the unit that fits: 12 bytes, 12.3 kB, 3.1 MB.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", float(count) / 1e3),
        _ => in_megabytes(count),
    }
}

/// In one unit, whatever the number, where figures are compared: 0.0 MB, 3.1 MB.
pub fn in_megabytes(count: u64) -> String {
    format!("{:.1} MB", megabytes(count))
}

/// The number of megabytes.
pub fn megabytes(count: u64) -> f64 {
    float(count) / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_fits_the_number() {
        for (count, expected) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (12_345, "12.3 kB"),
            (3_140_000, "3.1 MB"),
            (12_345_678_901, "12345.7 MB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
        assert_eq!(in_megabytes(12_345), "0.0 MB");
    }
}
