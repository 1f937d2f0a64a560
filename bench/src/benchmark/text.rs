//! The result for people at a terminal.

use super::{Comparison, Report, Spread};

/// A line for each figure of each variant, the goals, and what was not measured.
pub fn text(report: &Report) -> String {
    let titles = report.figures.iter().map(|figure| figure.title.chars().count());
    let width = titles.max().unwrap_or_default();
    let names = report
        .variants
        .iter()
        .map(|variant| variant.name.len())
        .max()
        .unwrap_or_default();
    let mut text = format!(
        "{:width$}  {:names$} {:>10} {:>21}    × native\n",
        "FIGURE", "VARIANT", "MEDIAN", "MIN – MAX"
    );
    let mut last = "";
    for figure in &report.figures {
        let Spread { min, median, max } = figure.spread;
        let ratio = figure
            .ratio
            .map(|ratio| format!("{:.2}", ratio.median))
            .unwrap_or_default();
        let title = if figure.figure == last { "" } else { &figure.title };
        text.push_str(&format!(
            "{title:width$}  {:names$} {:>10} {:>21} {:2} {ratio:>8}\n",
            figure.variant,
            number(median),
            format!("{} – {}", number(min), number(max)),
            figure.unit,
        ));
        last = &figure.figure;
    }
    text.push_str("\nGOALS\n");
    for goal in &report.goals {
        let found = goal.found.map(number).unwrap_or_default();
        text.push_str(&format!(
            "{:13} {:>8}  {}: {}\n",
            goal.state.title(),
            found,
            goal.variant,
            goal.title
        ));
    }
    for skipped in &report.skipped {
        text.push_str(&format!(
            "\nnot measured: {}, because {}\n",
            skipped.figure, skipped.because
        ));
    }
    text
}

/// Three digits are as many as such figures have.
pub(super) fn number(figure: f64) -> String {
    match figure.abs() {
        least if least >= 1_000.0 => {
            let digits = format!("{figure:.0}");
            let split = digits.len().saturating_sub(3);
            format!("{},{}", &digits[..split], &digits[split..])
        }
        least if least >= 100.0 || figure == 0.0 => format!("{figure:.0}"),
        least if least >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

impl Comparison {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("\n{} figures compared, {} worse\n", self.compared, self.worse.len());
        for worse in &self.worse {
            let (before, now) = (number(worse.before), number(worse.now));
            text.push_str(&format!("{}: {}: {before} → {now}\n", worse.variant, worse.title));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.0, 0.123, 12.34, 999.4, 1234.5, 123_456.0].map(number);
        assert_eq!(shown, ["0", "0.12", "12.3", "999", "1,234", "123,456"]);
    }
}
