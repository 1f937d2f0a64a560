//! Pure: a plan as people read it.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::lines::{Line, lines};
use super::{Action, Difference, Plan, Shown, Step};
use crate::release::Name;

const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

/// How far the fields stand below their object.
const INDENT: &str = "    ";

/// One line an object, with its fields below it; then how many there are of each sort.
pub fn text(plan: &Plan) -> String {
    let steps: String = plan.steps.iter().map(|step| self::step(step, &plan.release)).collect();
    format!("{steps}{}", summary(plan))
}

/// The last line.
pub fn summary(plan: &Plan) -> String {
    let counts = plan.counts();
    let count = |action: Action| counts.get(&action).copied().unwrap_or_default();
    let numbers = format!(
        "{} to create, {} to change, {} to prune, {} kept",
        count(Action::Create),
        count(Action::Change),
        count(Action::Prune),
        count(Action::Keep)
    );
    match plan.is_empty() {
        true => format!("nothing to do for release {}: {numbers}", plan.release),
        false => format!("release {}: {numbers}", plan.release),
    }
}

fn step(step: &Step, release: &Name) -> String {
    let (sign, style) = match step.action {
        Action::Create => ('+', GREEN),
        Action::Change => ('~', YELLOW),
        Action::Keep => ('=', FAINT),
        Action::Prune => ('-', RED),
    };
    let elsewhere = match &step.identity.namespace {
        Some(namespace) if *namespace != release.namespace => format!(" in {namespace}"),
        _ => String::new(),
    };
    let mut text = format!("{style}{sign} {}{style:#}{elsewhere}\n", step.identity.title());
    for note in &step.notes {
        text.push_str(&format!("{INDENT}{FAINT}({note}){FAINT:#}\n"));
    }
    text.extend(step.differences.iter().map(difference));
    text
}

fn difference(difference: &Difference) -> String {
    let Difference { path, before, after } = difference;
    let (one, other) = (before.as_ref().map(shown), after.as_ref().map(shown));
    let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\n'));
    if is_long(&one) || is_long(&other) {
        let sign = match (&one, &other) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
        let lines: String = lines(&one, &other).into_iter().map(line).collect();
        return format!("{INDENT}{sign} {path}:\n{lines}");
    }
    let (one, other) = (
        one.map(|one| format!("{RED}{one}{RED:#}")),
        other.map(|other| format!("{GREEN}{other}{GREEN:#}")),
    );
    match (one, other) {
        (Some(one), Some(other)) => format!("{INDENT}~ {path}: {one} → {other}\n"),
        (Some(one), None) => format!("{INDENT}- {path}: {one}\n"),
        (None, Some(other)) => format!("{INDENT}+ {path}: {other}\n"),
        (None, None) => String::new(),
    }
}

fn line(line: Line<'_>) -> String {
    let inner = format!("{INDENT}{INDENT}");
    match line {
        Line::Same(text) => format!("{inner}  {text}\n"),
        Line::Gone(text) => format!("{inner}{RED}- {text}{RED:#}\n"),
        Line::New(text) => format!("{inner}{GREEN}+ {text}{GREEN:#}\n"),
        Line::Skipped(count) => format!("{inner}{FAINT}  … {count} lines{FAINT:#}\n"),
    }
}

/// A value as YAML writes it; text of several lines as it is.
fn shown(shown: &Shown) -> String {
    match shown {
        Shown::Value(Value::String(text)) if text.contains('\n') => text.clone(),
        Shown::Value(value @ Value::Object(fields)) if !fields.is_empty() => in_yaml(value),
        Shown::Value(value @ Value::Array(items)) if !items.is_empty() => in_yaml(value),
        Shown::Value(value) => value.to_string(),
        Shown::Secret { bytes } => format!("(secret, {bytes} bytes)"),
        Shown::Generated => "(generated)".to_owned(),
    }
}

fn in_yaml(value: &Value) -> String {
    // What came out of JSON can always be written; a line break makes it a block of its own.
    let text = yaml::write(value).unwrap_or_else(|_| value.to_string());
    format!("{}\n", text.trim_end())
}
