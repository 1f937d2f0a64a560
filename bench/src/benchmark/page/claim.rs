//! “100 times faster to start, a hundredth of the size”: answered with the figures of this run.

use super::super::text::number;
use super::super::{Form, Report};

/// What the claim is about, and how the ratio to the native build is told.
const ANSWERS: [(&str, &str); 4] = [
    ("start", "of the native container's time to the first answer"),
    ("imagePulled", "of the native image's size"),
    ("memoryIdle", "of the native container's memory"),
    (
        "requestsPerSecond/read/16",
        "of the native service's requests per second, one read, 16 connections",
    ),
];

/// A card for each answer.
pub fn section(report: &Report) -> String {
    let wasm = report
        .variants
        .iter()
        .find(|variant| variant.form == Form::Elf && variant.first);
    let Some(wasm) = wasm else { return String::new() };
    let card = |(id, basis): &(&str, &str)| {
        let ratio = report.figure(id, &wasm.name)?.ratio?;
        Some(format!("<div><b>{} ×</b>{basis}</div>\n", number(ratio.median)))
    };
    let cards: String = ANSWERS.iter().filter_map(card).collect();
    format!(
        "<h2>“100 times faster to start, a hundredth of the size”?</h2>\n\
         <p>Not against a native program in a container of its own, which is the fair comparison: the same Rust source in an empty \
         image under the same runtime. Compiled ahead of time, WebAssembly takes</p>\n<div class=\"answers\">\n{cards}</div>\n\
         <p>The claim compares an image with a whole Linux distribution in it, and leaves that distribution out of its own: \
         that is a saving of the empty image, not of WebAssembly. What WebAssembly gives is one module for every processor.</p>\n"
    )
}
