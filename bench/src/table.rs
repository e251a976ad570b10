//! The table: each line a measurement beside its measure.

use std::time::Duration;

/// One line.
pub struct Line {
    pub name: String,
    pub ours: String,
    pub measure: String,
    pub value: f64,
    pub target: Target,
}

/// What a line is held to.
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Line {
    fn met(&self) -> bool {
        match self.target {
            Target::AtLeast(least) => self.value >= least,
            Target::AtMost(most) => self.value <= most,
        }
    }
}

/// Prints all lines; answers whether every target was met.
pub fn print(lines: &[Line]) -> bool {
    println!(
        "\n{:<44} {:<52} {:<44} {:>8} {:>9}",
        "line", "ours", "measure", "value", "target"
    );
    for line in lines {
        let target = match line.target {
            Target::AtLeast(least) => format!(">= {least}"),
            Target::AtMost(most) => format!("<= {most}"),
        };
        let verdict = if line.met() { "met" } else { "NOT MET" };
        let Line {
            name,
            ours,
            measure,
            value,
            ..
        } = line;
        println!("{name:<44} {ours:<52} {measure:<44} {value:>8.2} {target:>9} {verdict}");
    }
    lines.iter().all(Line::met)
}

/// The value at a share of the sorted values.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * share).ceil() as usize;
    sorted.get(at.min(last)).copied().unwrap_or(f64::NAN)
}

/// Median and range.
pub fn spread(values: &[f64]) -> String {
    let (low, high) = (quantile(values, 0.0), quantile(values, 1.0));
    format!("{:.2} ({low:.2}..{high:.2})", quantile(values, 0.5))
}

/// Milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
