//! The table: each line a measurement beside its measure.

use std::time::Duration;

use serde_json::{Value, json};

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
    /// Shown, not judged.
    Shown,
}

impl Line {
    /// Milliseconds of which the 99th percentile must not be above a limit.
    pub fn p99(name: impl Into<String>, did: &str, values: &[f64], most: f64) -> Self {
        Self {
            name: name.into(),
            ours: format!(
                "{did}: {:.2} ms in the middle, slowest {:.2}, {:.2} % over the limit, {} times",
                median(values),
                quantile(values, 1.0),
                share_over(values, most) * 100.0,
                values.len()
            ),
            measure: format!("limit {most} ms"),
            value: quantile(values, 0.99),
            target: Target::AtMost(most),
        }
    }

    /// Bytes that must not be above a limit in MB (10^6).
    pub fn memory(name: &str, did: &str, bytes: u64, most: f64) -> Self {
        Self {
            name: name.into(),
            ours: did.into(),
            measure: format!("limit {most} MB"),
            value: bytes as f64 / 1e6,
            target: Target::AtMost(most),
        }
    }

    fn target(&self) -> String {
        match self.target {
            Target::AtLeast(least) => format!(">= {least}"),
            Target::AtMost(most) => format!("<= {most}"),
            Target::Shown => "-".into(),
        }
    }

    /// Whether the target was met. A value that is no number meets none.
    fn met(&self) -> Option<bool> {
        match self.target {
            Target::AtLeast(least) => Some(self.value >= least),
            Target::AtMost(most) => Some(self.value <= most),
            Target::Shown => None,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.met() {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "",
        }
    }

    fn cells(&self) -> [String; 6] {
        [
            self.name.clone(),
            format!("{:.2}", self.value),
            self.target(),
            self.verdict().to_owned(),
            self.ours.clone(),
            self.measure.clone(),
        ]
    }
}

/// Prints all lines; answers whether every target was met.
pub fn print(lines: &[Line]) -> bool {
    let head = ["line", "value", "target", "", "ours", "beside"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head)
        .chain(lines.iter().map(Line::cells))
        .collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    println!();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        println!("{}", cells.join("  ").trim_end());
    }
    lines.iter().all(|line| line.met() != Some(false))
}

/// The same for programs.
pub fn json(lines: &[Line]) -> Value {
    lines
        .iter()
        .map(|line| {
            json!({
                "name": line.name,
                "ours": line.ours,
                "beside": line.measure,
                "value": line.value,
                "target": line.target(),
                "met": line.met(),
            })
        })
        .collect()
}

/// The value at a share of the sorted values.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * share).ceil() as usize;
    sorted.get(at.min(last)).copied().unwrap_or(f64::NAN)
}

/// The share of values above a limit.
fn share_over(values: &[f64], limit: f64) -> f64 {
    values.iter().filter(|value| **value > limit).count() as f64 / values.len() as f64
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Median and range.
pub fn spread(values: &[f64]) -> String {
    let (low, high) = (quantile(values, 0.0), quantile(values, 1.0));
    format!("{:.2} ({low:.2}..{high:.2})", median(values))
}

/// Milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_never_flatter() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert!((quantile(&values, 0.0) - 1.0).abs() < f64::EPSILON);
        assert!(quantile(&values, 0.99) >= 199.0);
        assert!((quantile(&[3.0, 1.0, 2.0], 0.5) - 2.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn the_slowest_and_the_share_over_the_limit_stand_beside_p99() {
        let mut values = vec![1.0; 399];
        values.push(3_300.0);
        let line = Line::p99("x", "due", &values, 50.0);
        assert_eq!(line.met(), Some(true));
        let said = "due: 1.00 ms in the middle, slowest 3300.00, 0.25 % over the limit, 400 times";
        assert_eq!(line.ours, said);
    }

    #[test]
    fn nothing_measured_meets_no_target() {
        assert_eq!(Line::p99("x", "y", &[], 1.0).met(), Some(false));
    }
}
