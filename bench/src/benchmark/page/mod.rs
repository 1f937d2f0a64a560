//! The result as one page that needs nothing else: for a talk, or for who doubts it.

mod chart;
mod claim;
mod markup;

use std::fmt::Write as _;

use super::text::number;
use super::{Figure, Form, Report, Variant};
use diagnostics::size::megabytes;
use markup::escape;

const STYLE: &str = include_str!("style.css");

/// Headings, and the beginnings of the ids of the figures below them.
const SECTIONS: [(&str, &str, &[&str]); 6] = [
    (
        "Starting",
        "The runtime alone, then everything that Kubernetes does around it.",
        &["start", "startProcessor", "podStart", "podsAtOnce", "scaleUp"],
    ),
    (
        "Size",
        "What a node pulls, and what it then has.",
        &["imagePulled", "imageUnpacked", "pull"],
    ),
    (
        "Memory",
        "Of the container's cgroup, as Kubernetes counts it, with connections open to the database.",
        &["memoryIdle", "memoryLoaded"],
    ),
    (
        "Answering",
        "Requests per second: more is better.",
        &["requestsPerSecond/"],
    ),
    (
        "Waiting",
        "The time within which 99 of 100 answers came, and how long a processor worked for one.",
        &["p99/", "processor/"],
    ),
    (
        "Ending and replacing",
        "Under load, with every request that failed counted.",
        &["scaleDown", "scaleDownFailed", "rollout", "rolloutFailed", "gone"],
    ),
];

/// The page. Writing to a string cannot fail.
pub fn page(report: &Report) -> String {
    let mut body = String::new();
    let _ = write!(
        body,
        "<h1>A Rust service as WebAssembly on Kubernetes, beside its native build</h1>\n\
         <p>The same source, compiled with the same profile, as ordinary pods of one node with the same limits. Each bar is the \
         middle of {} rounds in which all variants took turns, the thin line on it reaches from the least to the most, and \
         × is the ratio to the native build within a round. A dashed line is a goal.</p>\n",
        report.plan.rounds
    );
    body.push_str(&claim::section(report));
    let ids = report.ids();
    for (heading, note, wanted) in SECTIONS {
        let is_wanted = |id: &&&str| {
            wanted
                .iter()
                .any(|pattern| *pattern == **id || (pattern.ends_with('/') && id.starts_with(pattern)))
        };
        let charts: String = ids.iter().filter(is_wanted).map(|id| figure(report, id)).collect();
        if !charts.is_empty() {
            let _ = write!(
                body,
                "<h2>{heading}</h2>\n<p>{note}</p>\n<div class=\"charts\">\n{charts}</div>\n"
            );
        }
    }
    body.push_str(&goals(report));
    body.push_str(&machine(report));
    body.push_str(&table(report));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>WebAssembly on Kubernetes, measured</title>\n<link rel=\"icon\" href=\"data:,\">\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// The figures of one kind, one a variant.
fn figure(report: &Report, id: &str) -> String {
    let of = |variant: &Variant| Some((class(variant), report.figure(id, &variant.name)?));
    let rows: Vec<(&str, &Figure)> = report.variants.iter().filter_map(of).collect();
    let Some((_, first)) = rows.first() else {
        return String::new();
    };
    let better = if first.more_is_better {
        "more is better"
    } else {
        "less is better"
    };
    let lines: Vec<(f64, &str)> = report
        .goals
        .iter()
        .filter(|goal| goal.figure == id)
        .filter_map(|goal| Some((goal.line?, goal.title.as_str())))
        .collect();
    let unit = if first.unit.is_empty() { "" } else { &first.unit };
    format!(
        "<figure><figcaption>{}<small>{unit} {better}</small></figcaption>{}</figure>\n",
        escape(&first.title),
        chart::bars(&rows, &lines)
    )
}

fn class(variant: &Variant) -> &'static str {
    match (variant.form, variant.first) {
        (_, false) => "other",
        (Form::Native, _) => "native",
        (Form::Elf, _) => "elf",
        (Form::Aot, _) => "aot",
        (Form::Interpreter, _) => "interpreter",
    }
}

fn goals(report: &Report) -> String {
    let row = |goal: &super::Goal| {
        let class = serde_json::to_value(goal.state).unwrap_or_default();
        format!(
            "<tr><td class=\"{}\">{}</td><td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>\n",
            class.as_str().unwrap_or_default(),
            goal.state.title(),
            goal.found.map(number).unwrap_or_default(),
            escape(&goal.variant),
            escape(&goal.title),
        )
    };
    let rows: String = report.goals.iter().map(row).collect();
    format!(
        "<h2>Goals</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Goals\"><table>\n<thead><tr>\
         <th>state</th><th>found</th><th>variant</th><th>goal</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn machine(report: &Report) -> String {
    let (machine, plan) = (&report.machine, &report.plan);
    let mut facts = vec![
        ("measured", report.time.strftime("%Y-%m-%d %H:%M UTC").to_string()),
        ("processor", format!("{}, {} cores", machine.processor, machine.cores)),
        ("memory", format!("{} MB", number(megabytes(machine.memory_bytes)))),
        ("load before", machine.load_before.clone()),
        (
            "kernel",
            format!("{}, cgroup v{}", machine.kernel, machine.cgroup_version),
        ),
        (
            "Kubernetes",
            format!("{}, {}", machine.kubernetes, machine.container_runtime),
        ),
    ];
    facts.extend(machine.runtimes.iter().map(|runtime| ("runtime", runtime.clone())));
    facts.push(("compiled for", format!("WasmEdge {}", machine.engine)));
    facts.push((
        "method",
        format!(
            "deploy-tool {}: {} rounds, {} starts a round, {} s of load a figure by wrk on the same machine, {} replicas, {} s of drain",
            machine.deploy_tool, plan.rounds, plan.starts, plan.seconds, plan.replicas, plan.drain_seconds
        ),
    ));
    facts.extend(
        report
            .skipped
            .iter()
            .map(|skipped| ("not measured", format!("{}: {}", skipped.figure, skipped.because))),
    );
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    format!("<h2>Machine and method</h2>\n<dl>\n{facts}</dl>\n")
}

fn table(report: &Report) -> String {
    let row = |figure: &Figure| {
        let spread = figure.spread;
        let cells =
            [spread.median, spread.min, spread.max].map(|value| format!("<td class=\"number\">{}</td>", number(value)));
        format!(
            "<tr><td>{}</td><td>{}</td>{}<td>{}</td><td class=\"number\">{}</td></tr>\n",
            escape(&figure.title),
            escape(&figure.variant),
            cells.concat(),
            figure.unit,
            figure.ratio.map(|ratio| number(ratio.median)).unwrap_or_default(),
        )
    };
    let rows: String = report.figures.iter().map(row).collect();
    format!(
        "<h2>All figures</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All figures\"><table>\n<thead><tr>\
         <th>figure</th><th>variant</th><th>median</th><th>least</th><th>most</th><th>unit</th><th>× native</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{Machine, Plan, Quantity, Samples, variants};

    #[test]
    fn every_figure_is_in_a_chart_or_the_table_and_text_stays_text() {
        let all = variants(&["tuned".into(), "a<b".into()]);
        let mut samples = Samples::default();
        for quantity in Quantity::all() {
            for variant in &all {
                samples.add(quantity, &variant.name, 0, 2.0);
            }
        }
        let machine = Machine {
            processor: "<script>".into(),
            ..Machine::default()
        };
        let report = Report::new(
            jiff::Timestamp::UNIX_EPOCH,
            machine,
            Plan::QUICK,
            all,
            &samples,
            Vec::new(),
        );
        let page = page(&report);
        assert!(!page.contains("<script") && !page.contains("a<b") && page.contains("a&lt;b"));
        // All but p50, of which the table is enough.
        assert_eq!(page.matches("<figure>").count(), Quantity::all().len() - 9);
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert!(
            !page.contains("http://") && !page.contains("https://"),
            "it needs nothing else"
        );
        assert!(page.contains("class=\"goal\""));
    }
}
