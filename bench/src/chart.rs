//! The results for people who look: throughput as a share of the native twin's.

use std::fmt::Write as _;

use crate::load::{CONNECTIONS, Route};
use crate::measurement::Results;

const BAR_HEIGHT: u32 = 16;
const ROW_HEIGHT: u32 = 2 * BAR_HEIGHT + 14;
const LEFT: u32 = 190;
/// Pixels for a ratio of 1.
const UNIT: f64 = 420.0;
const TOP: u32 = 64;

/// An SVG: two bars for each route and number of connections.
pub fn svg(results: &Results) -> String {
    let mut rows = String::new();
    let mut y = TOP;
    for route in Route::ALL {
        for connections in CONNECTIONS {
            let label_y = y + BAR_HEIGHT + 5;
            // Writing to a string cannot fail.
            let _ = writeln!(
                rows,
                r#"<text class="l" x="{}" y="{label_y}">{}, {connections} conn.</text>"#,
                LEFT - 12,
                route.name()
            );
            for (offset, server) in [(0, "aot"), (BAR_HEIGHT, "interpreter")] {
                let Some(ratio) = results.ratio(route, connections, server, |one| one.requests_per_second) else {
                    continue;
                };
                let width = ratio.min(1.3) * UNIT;
                let (bar_y, text_y) = (y + offset, y + offset + BAR_HEIGHT - 4);
                let _ = writeln!(
                    rows,
                    r#"<rect class="{server}" x="{LEFT}" y="{bar_y}" width="{width:.1}" height="{}"/><text x="{:.1}" y="{text_y}">{ratio:.2}</text>"#,
                    BAR_HEIGHT - 2,
                    f64::from(LEFT) + width + 6.0,
                );
            }
            y += ROW_HEIGHT;
        }
    }
    let native = f64::from(LEFT) + UNIT;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {height}" role="img" aria-labelledby="title">
<title id="title">Throughput of the service as Wasm, as a share of its native twin's</title>
<style>
text {{ font: 12px system-ui, sans-serif; fill: #24292f }} .l {{ text-anchor: end }} .h {{ font-size: 15px; font-weight: 600 }}
.aot {{ fill: #7a4fd0 }} .interpreter {{ fill: #c9b8ee }} .native {{ stroke: #57606a; stroke-dasharray: 4 3 }}
</style>
<rect width="800" height="{height}" fill="#fff"/>
<text class="h" x="20" y="26">Requests a second, native twin = 1</text>
<rect class="aot" x="20" y="38" width="12" height="12"/><text x="38" y="48">Wasm, ahead of time</text>
<rect class="interpreter" x="180" y="38" width="12" height="12"/><text x="198" y="48">Wasm, interpreted</text>
<line class="native" x1="{native}" y1="{TOP}" x2="{native}" y2="{y}"/>
{rows}</svg>
"##,
        height = y + 16,
    )
}
