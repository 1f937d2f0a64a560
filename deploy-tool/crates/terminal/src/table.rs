//! Pure: tables.

use unicode_width::UnicodeWidthStr;

/// Columns, each as wide as its widest cell.
pub fn aligned<const COLUMNS: usize>(header: [&str; COLUMNS], rows: impl Iterator<Item = [String; COLUMNS]>) -> String {
    let mut all = vec![header.map(str::to_owned)];
    all.extend(rows);
    let widths: [usize; COLUMNS] =
        std::array::from_fn(|column| all.iter().map(|row| row[column].width()).max().unwrap_or(0));
    let line = |row: &[String; COLUMNS]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all.iter().map(line).collect()
}
