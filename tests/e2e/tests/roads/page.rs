//! The commands of a page of docs/roads, and what it says that they print.

use e2e::repository;

/// A line after `$ `, and the lines below it.
pub struct Command {
    /// What is typed.
    pub line: String,
    /// What it prints; `…` stands for anything, and in a line of its own for any lines.
    pub printed: Vec<String>,
}

/// All commands of the `console` blocks of a page, in their order.
pub fn commands(page: &str) -> Vec<Command> {
    let path = repository().join("docs/roads").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut commands: Vec<Command> = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            _ if !in_block => {}
            _ => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(typed), _) => commands.push(Command {
                    line: typed.to_owned(),
                    printed: Vec::new(),
                }),
                (None, Some(command)) => command.printed.push(line.to_owned()),
                (None, None) => panic!("{page}: a block begins without a command: {line}"),
            },
        }
    }
    commands
}

/// Whether a line is as a page has it.
pub fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        open = true;
        match rest.find(part) {
            Some(_) if part.is_empty() => rest = "",
            Some(at) => {
                rest = &rest[at + part.len()..];
                open = false;
            }
            None => return false,
        }
    }
    open || rest.is_empty()
}

/// Whether lines are as a page has them; a pattern `…` alone stands for any lines.
pub fn prints(patterns: &[String], lines: &[String]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((any, rest)) if any == "…" => (0..=lines.len()).any(|from| prints(rest, &lines[from..])),
        Some((pattern, rest)) => lines
            .split_first()
            .is_some_and(|(line, others)| matches(pattern, line) && prints(rest, others)),
    }
}

#[test]
fn an_ellipsis_stands_for_anything() {
    for (pattern, line, expected) in [
        ("ready", "ready", true),
        ("ready", "ready now", false),
        ("ready …", "ready (3.1 s)", true),
        ("at …:3306 (volume …)", "at 127.0.0.1:3306 (volume a)", true),
        ("at …:3306 (volume …)", "at 127.0.0.1:3307 (volume a)", false),
        ("", "", true),
    ] {
        assert_eq!(matches(pattern, line), expected, "{pattern} and {line}");
    }
    let all = |text: &str| {
        text.split(' ')
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (patterns, lines, expected) in [
        ("a b", "a b", true),
        ("a b", "a", false),
        ("a", "a b", false),
        ("a … b", "a x y b", true),
        ("a … b", "a x y", false),
        ("…", "", true),
    ] {
        assert_eq!(prints(&all(patterns), &all(lines)), expected, "{patterns} and {lines}");
    }
}
