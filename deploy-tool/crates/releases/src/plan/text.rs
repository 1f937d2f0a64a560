//! Pure: a plan as people read it.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::text_diff::{Line, lines};
use super::{Action, Difference, Plan, Step, VisibleValue};
use crate::release::Name;
use terminal::Styled;

const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

/// How far the fields stand below their object.
const INDENT: &str = "    ";

/// One line an object that is not simply kept, with its fields below it; then what holds of several objects, and how many
/// there are of each sort.
pub fn text(plan: &Plan) -> Styled {
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    for note in plan.steps.iter().flat_map(|step| &step.notes) {
        *notes.entry(note).or_default() += 1;
    }
    notes.retain(|_, count| *count > 1);
    let mut text = Styled::default();
    let shown_steps = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::Keep || !step.notes.is_empty());
    text.extend(shown_steps.map(|step| self::step(step, &plan.release, &notes)));
    for (note, count) in &notes {
        text.paint(FAINT, format!("({count} objects: {note})"));
        text.push("\n");
    }
    text.with(summary(plan))
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
    let undecided = plan.steps.iter().filter(|step| !step.undecided.is_empty()).count();
    let numbers = match undecided {
        0 => numbers,
        count => format!("{numbers}; {count} with fields to be decided"),
    };
    if plan.is_empty() {
        format!("nothing to do for release {}: {numbers}", plan.release)
    } else {
        format!("release {}: {numbers}", plan.release)
    }
}

/// `shared`: the notes that are printed once for all objects.
fn step(step: &Step, release: &Name, shared: &BTreeMap<&str, usize>) -> Styled {
    let (sign, style) = match step.action {
        _ if !step.undecided.is_empty() => ('!', RED),
        Action::Create => ('+', GREEN),
        Action::Change => ('~', YELLOW),
        Action::Keep => ('=', FAINT),
        Action::Prune => ('-', RED),
    };
    let elsewhere = match &step.identity.namespace {
        Some(namespace) if *namespace != release.namespace => format!(" in {namespace}"),
        _ => String::new(),
    };
    let title = format!("{sign} {}", step.identity.title());
    let mut text = Styled::default().painted(style, title).with(format!("{elsewhere}\n"));
    for note in step.notes.iter().filter(|note| !shared.contains_key(note.as_str())) {
        text.append(Styled::from(INDENT).painted(FAINT, format!("({note})")).with("\n"));
    }
    text.extend(step.differences.iter().map(difference));
    text
}

fn difference(difference: &Difference) -> Styled {
    let Difference { path, before, after } = difference;
    let (old, mut new) = (before.as_ref().map(format_value), after.as_ref().map(format_value));
    if let (Some(VisibleValue::Secret { bytes }), true) = (after, old == new) {
        new = Some(format!("(secret, {bytes} other bytes)"));
    }
    let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\n'));
    if is_long(&old) || is_long(&new) {
        let sign = match (&old, &new) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        let mut text = Styled::from(format!("{INDENT}{sign} {path}:\n"));
        text.extend(lines(&old, &new).into_iter().map(line));
        return text;
    }
    let start = |sign: char| Styled::from(format!("{INDENT}{sign} {path}: "));
    let text = match (old, new) {
        (Some(old), Some(new)) => start('~').painted(RED, old).with(" → ").painted(GREEN, new),
        (Some(old), None) => start('-').painted(RED, old),
        (None, Some(new)) => start('+').painted(GREEN, new),
        (None, None) => return Styled::default(),
    };
    text.with("\n")
}

fn line(line: Line<'_>) -> Styled {
    let (style, text) = match line {
        Line::Same(text) => (Style::new(), format!("  {text}")),
        Line::Gone(text) => (RED, format!("- {text}")),
        Line::New(text) => (GREEN, format!("+ {text}")),
        Line::Skipped(count) => (FAINT, format!("  … {count} lines")),
    };
    Styled::from(INDENT).with(INDENT).painted(style, text).with("\n")
}

/// A value as YAML writes it; text of several lines as it is.
fn format_value(shown: &VisibleValue) -> String {
    match shown {
        VisibleValue::Value(Value::String(text)) if text.contains('\n') => text.clone(),
        VisibleValue::Value(value @ Value::Object(fields)) if !fields.is_empty() => to_yaml(value),
        VisibleValue::Value(value @ Value::Array(items)) if !items.is_empty() => to_yaml(value),
        VisibleValue::Value(value) => value.to_string(),
        VisibleValue::Secret { bytes } => format!("(secret, {bytes} bytes)"),
        VisibleValue::Generated => "(generated)".to_owned(),
    }
}

fn to_yaml(value: &Value) -> String {
    // What came out of JSON can always be written; a line break makes it a block of its own.
    let text = yaml::write(value).unwrap_or_else(|_| value.to_string());
    format!("{}\n", text.trim_end())
}
