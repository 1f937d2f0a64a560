//! Pure: which names a project may have. The name is that of the crate, of the namespace and of the objects in it.

/// Kubernetes makes names of pods from it, with a suffix of its own.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
const MOST_CHARACTERS: usize = 40;

/// Keywords, the names that Cargo keeps for itself, the crates that the templates have or depend on, and the objects beside
/// the service.
/// <https://doc.rust-lang.org/reference/keywords.html>
const TAKEN_IN_RUST: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "hyper",
    "hyper-wasi",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "mariadb",
    "match",
    "microservice",
    "mod",
    "move",
    "mut",
    "mysql-async",
    "mysql-async-wasi",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "serde-json",
    "static",
    "std",
    "struct",
    "subprocess",
    "super",
    "test",
    "tokio",
    "tokio-wasi",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A name that Cargo and Kubernetes take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectName(String);

/// Why a name is none, and one that would be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct NameError {
    /// The rule that it breaks.
    pub rule: &'static str,
    /// A similar name that breaks none.
    pub suggestion: Option<String>,
}

impl ProjectName {
    /// Checks a name.
    ///
    /// # Errors
    /// When Cargo or Kubernetes would refuse it, or it is taken.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        match broken_rule(name) {
            None => Ok(Self(name.to_owned())),
            Some(rule) => Err(NameError {
                rule,
                suggestion: suggest(name),
            }),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    let rules = [
        (name.is_empty(), "a name has at least one letter"),
        (
            name.chars()
                .any(|character| !(character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')),
            "a name has lower-case letters, digits and hyphens only",
        ),
        (
            !name.starts_with(|character: char| character.is_ascii_lowercase()),
            "a name begins with a letter",
        ),
        (
            name.ends_with('-') || name.contains("--"),
            "hyphens in a name stand alone, between other characters",
        ),
        (name.len() > MOST_CHARACTERS, "a name has at most 40 characters"),
        (
            TAKEN_IN_RUST.contains(&name),
            "this name is taken: by Rust, Cargo, a crate or an object of the templates",
        ),
        (
            name == "default" || name.starts_with("kube-"),
            "this name is taken: it is a namespace of Kubernetes",
        ),
    ];
    rules
        .into_iter()
        .find_map(|(is_broken, rule)| is_broken.then_some(rule))
}

/// The same name as far as the rules allow it.
fn suggest(name: &str) -> Option<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() {
            words.push(String::new());
        } else {
            if character.is_ascii_uppercase() && before.is_ascii_lowercase() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(character.to_ascii_lowercase());
            }
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    let mut suggestion = words.join("-");
    suggestion.truncate(MOST_CHARACTERS);
    let suggestion = suggestion.trim_end_matches('-').to_owned();
    [
        suggestion.clone(),
        format!("my-{suggestion}"),
        format!("{suggestion}-service"),
    ]
    .into_iter()
    .find(|character| !suggestion.is_empty() && broken_rule(character).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_or_refused_with_one_that_works() {
        for name in ["greeter", "a", "x2", "my-shop-2", &"a".repeat(40)] {
            assert_eq!(ProjectName::parse(name).unwrap().as_str(), name);
        }
        for (name, suggestion) in [
            ("", None),
            ("é", None),
            ("Greeter", Some("greeter")),
            ("My_Service", Some("my-service")),
            ("myService", Some("my-service")),
            ("1st", Some("my-1st")),
            ("a--b", Some("a-b")),
            ("-x", Some("x")),
            ("x-", Some("x")),
            ("a.b", Some("a-b")),
            ("test", Some("my-test")),
            ("tokio", Some("my-tokio")),
            ("mariadb", Some("my-mariadb")),
            ("microservice", Some("my-microservice")),
            ("fn", Some("my-fn")),
            ("default", Some("my-default")),
            ("kube-system", Some("my-kube-system")),
        ] {
            assert_eq!(
                ProjectName::parse(name).unwrap_err().suggestion.as_deref(),
                suggestion,
                "{name}"
            );
        }
        assert_eq!(
            ProjectName::parse(&"a".repeat(41)).unwrap_err().suggestion,
            Some("a".repeat(40))
        );
    }
}
