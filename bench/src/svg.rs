//! Pictures for pages that may be light or dark.

use std::fmt::Write;

use crate::server::Kind;

/// A picture that is being drawn, from back to front.
pub(crate) struct Svg {
    text: String,
}

/// Where a text has its place.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// `description` is for those who do not see it.
    pub(crate) fn new(width: f64, height: f64, description: &str) -> Self {
        let description = escaped(description);
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{description}\">\n{STYLE}\
             <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n"
        );
        Self { text }
    }

    /// `class` is `strong`, or `soft`, or empty.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        ));
    }

    /// A hairline.
    pub(crate) fn rule(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.put(format_args!(
            "<line class=\"rule\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A filled bar, from its upper left corner, and what it stands for.
    pub(crate) fn bar(&mut self, kind: Kind, (x, y): (f64, f64), (width, height): (f64, f64), title: &str) {
        let (class, title, width) = (class(kind), escaped(title), width.max(1.0));
        self.put(format_args!(
            "<rect class=\"bar {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\">\
             <title>{title}</title></rect>"
        ));
    }

    /// From the least to the greatest of several values.
    pub(crate) fn whisker(&mut self, (x1, x2): (f64, f64), y: f64) {
        self.put(format_args!(
            "<line class=\"whisker\" x1=\"{x1:.1}\" y1=\"{y:.1}\" x2=\"{x2:.1}\" y2=\"{y:.1}\"/>"
        ));
    }

    pub(crate) fn line(&mut self, kind: Kind, points: &[(f64, f64)]) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.put(format_args!("<polyline class=\"line {}\" points=\"{}\"/>", class(kind), points.join(" ")));
    }

    /// A dot, and what it stands for.
    pub(crate) fn dot(&mut self, kind: Kind, (x, y): (f64, f64), title: &str) {
        let (class, title) = (class(kind), escaped(title));
        self.put(format_args!(
            "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{title}</title></circle>"
        ));
    }

    pub(crate) fn finish(mut self) -> String {
        self.text += "</svg>\n";
        self.text
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a `String` does not fail.
        writeln!(self.text, "{element}").unwrap_or_default();
    }
}

/// Each of our servers has its colour in all pictures; what it is compared with is grey.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Ours(crate::Adapter::Axum) => "axum",
        Kind::Ours(crate::Adapter::Tungstenite) => "tungstenite",
        Kind::Rival(_) => "rival",
        Kind::Floor => "floor",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The colours can be told apart by those who see few, on both grounds.
const STYLE: &str = "<style>
svg { --page: #fcfcfb; --ink: #0b0b0b; --soft: #52514e; --rule: #e1e0d9; --axum: #2a78d6; --tungstenite: #eb6834; --rival: #898781; --floor: #c9c7bf; }
@media (prefers-color-scheme: dark) {
  svg { --page: #1a1a19; --ink: #ffffff; --soft: #c3c2b7; --rule: #2c2c2a; --axum: #3987e5; --tungstenite: #d95926; --floor: #55534d; }
}
text { font: 11px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: var(--ink); }
.strong { font-weight: 600; font-size: 12px; }
.soft { fill: var(--soft); }
.page { fill: var(--page); }
.rule { stroke: var(--rule); }
.axum { --kind: var(--axum); }
.tungstenite { --kind: var(--tungstenite); }
.floor { --kind: var(--floor); }
.rival { --kind: var(--rival); stroke-dasharray: 5 4; }
.line { fill: none; stroke: var(--kind); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.dot { fill: var(--kind); stroke: var(--page); stroke-width: 2; stroke-dasharray: none; }
.bar { fill: var(--kind); }
.whisker { stroke: var(--ink); stroke-opacity: 0.55; }
</style>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_become_elements() {
        let mut svg = Svg::new(1.0, 1.0, "a \"b\"");
        svg.text((0.0, 0.0), Anchor::Start, "", "<c> & d");
        let text = svg.finish();
        assert!(
            text.contains("aria-label=\"a &quot;b&quot;\"") && text.contains(">&lt;c&gt; &amp; d</text>")
        );
    }
}
