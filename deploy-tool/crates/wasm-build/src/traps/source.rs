//! Pure: the paths, literals and names in a source file, each with its line, without code that a guest does not compile.
//!
//! It works on tokens, not on a syntax tree: so comments and strings are no code, and the arguments of macros are seen as well.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};

use crate::target_cfg;

/// What a file uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Paths from the root of a crate, such as `std::thread::spawn`, and their lines: imports are followed.
    pub paths: Vec<(String, usize)>,
    /// Strings and numbers as they are written, and lists of numbers such as `[127,0,0,1]`.
    pub literals: Vec<(String, usize)>,
    /// Every name.
    pub names: BTreeSet<String>,
    /// Attributes without conditions, as they are written without spaces.
    pub attributes: Vec<(String, usize)>,
    /// Modules in files of their own: the path of modules from this file.
    pub modules: Vec<Vec<String>>,
}

/// Keywords of items that end with `;`, also after braces.
const STATEMENTS: [&str; 5] = ["use", "let", "static", "const", "type"];
/// Begins what no comma ends.
const ITEMS: [&str; 13] = [
    "pub",
    "fn",
    "async",
    "unsafe",
    "extern",
    "impl",
    "struct",
    "enum",
    "mod",
    "trait",
    "union",
    "macro_rules",
    "for",
];

/// Reads a file of a package with some features.
///
/// # Errors
/// When it is no Rust.
pub fn uses(text: &str, features: &BTreeSet<String>) -> Result<Uses, LexError> {
    let tokens: TokenStream = text.parse()?;
    let mut reader = Reader {
        features,
        found: Uses::default(),
        imports: Vec::new(),
        written: Vec::new(),
    };
    reader.read(&tokens.into_iter().collect::<Vec<_>>(), &[]);
    Ok(reader.resolve_imports())
}

struct Reader<'a> {
    features: &'a BTreeSet<String>,
    found: Uses,
    /// Path, the name that it has here, line.
    imports: Vec<(Vec<String>, String, usize)>,
    written: Vec<(Vec<String>, usize)>,
}

fn name(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    }
}

fn is_punctuation(token: Option<&TokenTree>, punctuation: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == punctuation)
}

fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

fn group_tokens(token: &TokenTree) -> Vec<TokenTree> {
    match token {
        TokenTree::Group(group) => group.stream().into_iter().collect(),
        _ => Vec::new(),
    }
}

fn is_group(token: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

/// The index behind an item, statement, field or arm that begins at an index.
fn end_of(tokens: &[TokenTree], start: usize) -> usize {
    let first = name(tokens.get(start)).unwrap_or_default();
    let is_statement = STATEMENTS.contains(&first.as_str())
        || (first == "pub" && name(tokens.get(start + 1)).is_some_and(|second| STATEMENTS.contains(&second.as_str())));
    let is_item = ITEMS.contains(&first.as_str());
    for (index, token) in tokens.iter().enumerate().skip(start) {
        let ends = is_punctuation(Some(token), ';')
            || (is_punctuation(Some(token), ',') && !is_item && !is_statement)
            || (is_group(Some(token), Delimiter::Brace) && !is_statement);
        if ends {
            return index + 1;
        }
    }
    tokens.len()
}

impl Reader<'_> {
    fn read(&mut self, tokens: &[TokenTree], modules: &[String]) {
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            if is_punctuation(Some(token), '#') {
                let inner = usize::from(is_punctuation(tokens.get(index + 1), '!'));
                if let Some(attribute) = tokens
                    .get(index + 1 + inner)
                    .filter(|next| is_group(Some(next), Delimiter::Bracket))
                {
                    index += 2 + inner;
                    if !self.attribute(&group_tokens(attribute), line(token)) {
                        index = match inner {
                            1 => tokens.len(),
                            _ => end_of(tokens, self.behind_attributes(tokens, index)),
                        };
                    }
                    continue;
                }
            }
            index = match token {
                TokenTree::Ident(word) if *word == "use" => self.import(tokens, index),
                TokenTree::Ident(word) if *word == "mod" => self.module(tokens, index, modules),
                TokenTree::Ident(_) => self.path(tokens, index),
                TokenTree::Literal(literal) => {
                    self.found.literals.push((literal.to_string(), line(token)));
                    index + 1
                }
                TokenTree::Group(group) => {
                    let all = group_tokens(token);
                    let numbers = group.delimiter() == Delimiter::Bracket
                        && all.iter().any(|token| matches!(token, TokenTree::Literal(_)));
                    if numbers {
                        let text: String = all.iter().map(ToString::to_string).collect();
                        self.found.literals.push((format!("[{text}]"), line(token)));
                    }
                    self.read(&all, modules);
                    index + 1
                }
                TokenTree::Punct(_) => index + 1,
            };
        }
    }

    /// More attributes of the same item.
    fn behind_attributes(&self, tokens: &[TokenTree], mut index: usize) -> usize {
        while is_punctuation(tokens.get(index), '#') && is_group(tokens.get(index + 1), Delimiter::Bracket) {
            index += 2;
        }
        index
    }

    /// Whether what follows an attribute is compiled.
    fn attribute(&mut self, tokens: &[TokenTree], line: usize) -> bool {
        if name(tokens.first()).as_deref() == Some("cfg") {
            let condition = tokens.get(1).map(|group| match group {
                TokenTree::Group(group) => group.stream().to_string(),
                other => other.to_string(),
            });
            return condition.is_none_or(|condition| target_cfg::holds(&condition, self.features));
        }
        let text: String = tokens.iter().map(ToString::to_string).collect::<String>();
        let text: String = text.split_whitespace().collect();
        self.found.attributes.push((text, line));
        true
    }

    fn module(&mut self, tokens: &[TokenTree], index: usize, modules: &[String]) -> usize {
        let Some(called) = name(tokens.get(index + 1)) else {
            return index + 1;
        };
        let inner = [modules, &[called]].concat();
        match tokens.get(index + 2) {
            Some(end) if is_punctuation(Some(end), ';') => self.found.modules.push(inner),
            Some(body) if is_group(Some(body), Delimiter::Brace) => self.read(&group_tokens(body), &inner),
            _ => return index + 2,
        }
        index + 3
    }

    fn import(&mut self, tokens: &[TokenTree], index: usize) -> usize {
        let end = end_of(tokens, index);
        self.tree(&tokens[index + 1..end], &[]);
        end
    }

    /// `a::{b, c as d}`.
    fn tree(&mut self, tokens: &[TokenTree], before: &[String]) {
        let comma = |token: &TokenTree| is_punctuation(Some(token), ',');
        for branch in tokens.split(comma) {
            let (mut path, mut alias) = (before.to_vec(), None);
            let mut rest = branch.iter();
            let mut at = 0;
            while let Some(token) = rest.next() {
                match token {
                    TokenTree::Ident(word) if *word == "as" => alias = name(rest.next()),
                    TokenTree::Ident(word) => {
                        at = line(token);
                        path.push(word.to_string());
                    }
                    TokenTree::Group(_) => {
                        self.tree(&group_tokens(token), &path);
                        at = 0;
                    }
                    _ => {}
                }
            }
            if at > 0 {
                path.retain(|part| part != "self");
                let alias = alias.or_else(|| path.last().cloned()).unwrap_or_default();
                self.found.names.insert(alias.clone());
                self.imports.push((path, alias, at));
            }
        }
    }

    fn path(&mut self, tokens: &[TokenTree], start: usize) -> usize {
        let (mut index, mut path) = (start, Vec::new());
        while let Some(part) = name(tokens.get(index)) {
            self.found.names.insert(part.clone());
            path.push(part);
            index += 1;
            if is_punctuation(tokens.get(index), ':')
                && is_punctuation(tokens.get(index + 1), ':')
                && name(tokens.get(index + 2)).is_some()
            {
                index += 2;
            } else {
                break;
            }
        }
        let is_method = start > 0 && is_punctuation(tokens.get(start - 1), '.');
        if !is_method {
            self.written.push((path, line(&tokens[start])));
        }
        index
    }

    fn resolve_imports(self) -> Uses {
        let Self {
            mut found,
            imports,
            written,
            ..
        } = self;
        for (path, _, line) in &imports {
            found.paths.push((path.join("::"), *line));
        }
        for (path, line) in written {
            let import = imports.iter().find(|(_, alias, _)| *alias == path[0]);
            let path = match import {
                Some((before, ..)) => [before.as_slice(), &path[1..]].concat(),
                None => path,
            };
            found.paths.push((path.join("::"), line));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Uses {
        uses(text, &BTreeSet::new()).unwrap()
    }

    fn lines(uses: &Uses, path: &str) -> Vec<usize> {
        let found = uses.paths.iter().filter(|(found, _)| found == path);
        found.map(|(_, line)| *line).collect()
    }

    #[test]
    fn imports_are_followed_also_those_in_braces_and_with_other_names() {
        let text = "use std::{net::{SocketAddr, TcpListener as L}, thread};\nfn main() {\n    thread::spawn(|| ());\n    \
            L::bind(1);\n    std::thread::spawn(f);\n}\n";
        let uses = read(text);
        assert_eq!(lines(&uses, "std::thread::spawn"), [3, 5]);
        assert_eq!(lines(&uses, "std::net::TcpListener::bind"), [4]);
        assert_eq!(lines(&uses, "std::net::SocketAddr"), [1]);
    }

    #[test]
    fn what_a_guest_does_not_compile_is_not_read() {
        let text = "#[cfg(not(target_os = \"wasi\"))]\nlet a = x(async { tokio::signal::ctrl_c(); });\n\
            #[cfg(test)]\n#[allow(dead_code)]\nmod tests { use std::thread::spawn; }\n\
            #[cfg(test)]\nmod more;\nmod kept;\n\
            struct S {\n #[cfg(unix)]\n field: std::net::TcpStream,\n other: std::net::Ipv4Addr,\n}\n\
            // std::thread::spawn\nfn f() { log(\"std::thread::spawn\"); tokio::select! { _ = tokio::fs::read(p) => {} } }\n";
        let uses = read(text);
        for absent in ["tokio::signal::ctrl_c", "std::thread::spawn", "std::net::TcpStream"] {
            assert_eq!(lines(&uses, absent), [0; 0], "{absent}");
        }
        assert_eq!(lines(&uses, "std::net::Ipv4Addr"), [12]);
        assert_eq!(lines(&uses, "tokio::fs::read"), [15]);
        assert_eq!(uses.modules, [["kept"]]);
        assert_eq!(read("#![cfg(unix)]\nuse std::thread;\n").paths, []);
    }

    #[test]
    fn attributes_numbers_and_methods() {
        let text = "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n let a = ([127, 0, 0, 1], 3000);\n \
            server.http1_writev(false);\n thread.spawn();\n}\n";
        let uses = read(text);
        assert_eq!(
            uses.attributes,
            [("tokio::main(flavor=\"current_thread\")".to_owned(), 1)]
        );
        assert!(uses.literals.contains(&("[127,0,0,1]".to_owned(), 3)), "{uses:?}");
        assert!(uses.literals.contains(&("3000".to_owned(), 3)));
        assert!(uses.names.contains("http1_writev"));
        assert_eq!(lines(&uses, "spawn"), [0; 0]);
        assert!(super::uses("fn \"", &BTreeSet::new()).is_err());
    }
}
