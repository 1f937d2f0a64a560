//! Pure: the strings of a Rust source, which may be paths of files that it reads: comments and documentation are none.

use proc_macro2::{LexError, TokenStream, TokenTree};

/// All strings, as they are written. Conditions of compilation are not looked at.
///
/// # Errors
/// When the text is no Rust.
pub fn strings(text: &str) -> Result<Vec<String>, LexError> {
    let mut found = Vec::new();
    collect(text.parse()?, &mut found);
    Ok(found)
}

fn collect(tokens: TokenStream, found: &mut Vec<String>) {
    // A comment with three slashes is `#[doc = "…"]` to the compiler.
    let mut before = [String::new(), String::new()];
    for token in tokens {
        match &token {
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(literal) if before != ["doc", "="] => found.push(literal.to_string()),
            _ => {}
        }
        before.swap(0, 1);
        before[1] = match &token {
            TokenTree::Group(_) => String::new(),
            token => token.to_string(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_strings() {
        let text =
            "//! a\n#![doc = include_str!(\"b\")]\n/// c\n#[cfg(test)]\nfn f() { /* d */ g(\"e\", [r\"f\"]); } // g\n";
        assert_eq!(strings(text).unwrap(), ["\"b\"", "\"e\"", "r\"f\""]);
        assert!(strings("fn \"").is_err());
    }
}
