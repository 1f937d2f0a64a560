//! The report for people: a line a link, and below a broken one what mends it.

use anstyle::{AnsiColor, Style};

use super::{Link, LinkState, Report};

const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

/// The cluster's links, then those of each node below its name.
pub fn text(report: &Report) -> String {
    let width = report
        .links
        .iter()
        .map(|link| link.link.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    let mut node = &None;
    for link in &report.links {
        if link.node != *node {
            node = &link.node;
            text.push_str(&format!("node {}\n", link.node.as_deref().unwrap_or_default()));
        }
        text.push_str(&line(link, width));
    }
    text.push_str(&last(report));
    text
}

fn line(link: &Link, width: usize) -> String {
    let (sign, style) = match link.state {
        LinkState::Healthy => ('✓', GREEN),
        LinkState::Broken => ('✗', RED),
        LinkState::Skipped => ('-', FAINT),
    };
    let indent = if link.node.is_some() { "  " } else { "" };
    let code = link.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
    let mut text = format!(
        "{indent}{style}{sign}{style:#} {:width$}  {code}{}\n",
        link.link, link.sentence
    );
    let below = " ".repeat(indent.len() + 2 + width + 2);
    let mut add = |mark: &str, lines: &str| {
        let lines = lines.trim_end().replace('\n', &format!("\n{below}  "));
        text.push_str(&format!("{below}{mark}{lines}\n"));
    };
    link.because.iter().for_each(|cause| add("because: ", cause));
    let lines = link.evidence.iter().flat_map(|evidence| evidence.lines());
    lines.for_each(|line| add("| ", line));
    link.next.iter().for_each(|hint| add("next: ", hint));
    text
}

fn last(report: &Report) -> String {
    let broken: Vec<&Link> = report
        .links
        .iter()
        .filter(|link| link.state == LinkState::Broken)
        .collect();
    match broken.iter().find_map(|link| link.code.as_ref()) {
        None if broken.is_empty() => "\nhealthy: no link is broken\n".to_owned(),
        None => format!("\n{} broken\n", broken.len()),
        Some(code) => format!("\n{} broken; more: `deploy-tool explain {code}`\n", broken.len()),
    }
}
