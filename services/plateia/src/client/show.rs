//! What the person at the terminal sees: results on standard output, the rest on standard error.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, BufRead, IsTerminal, Write},
    time::Duration,
};

use api_types::uploads::WarningJson;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

const TICK: Duration = Duration::from_millis(120);

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub struct Show {
    json: bool,
}

impl Show {
    /// For people, or as JSON for programs.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether it is for programs.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Shows a result: the server's JSON, or these lines.
    pub fn result(self, json: &Value, lines: impl FnOnce() -> Vec<String>) {
        if self.json {
            println!("{json}");
        } else {
            lines().iter().for_each(|line| println!("{line}"));
        }
    }

    /// Tells what goes on, to people only.
    pub fn note(self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }

    /// A bar of bytes.
    pub fn bytes(self, total: u64) -> ProgressBar {
        let bar = self.bar(
            total,
            "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
        );
        bar.set_message("uploading");
        bar
    }

    /// A bar of rows or contacts.
    pub fn items(self) -> ProgressBar {
        let bar = self.bar(
            0,
            "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}",
        );
        bar.enable_steady_tick(TICK);
        bar
    }

    fn bar(self, total: u64, template: &str) -> ProgressBar {
        let target = if self.json {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// Asks a question that is answered with yes or no. Whoever cannot be asked has said yes by
    /// giving the command.
    pub fn confirm(self, question: &str) -> io::Result<bool> {
        if !io::stdin().is_terminal() {
            return Ok(true);
        }
        eprint!("{question} [y/N] ");
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(
            answer.trim().to_lowercase().as_str(),
            "y" | "yes" | "s" | "sim" | "si" | "sí"
        ))
    }
}

/// A number with separators of thousands.
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Counts by name, the largest first, each in a line of its own.
pub fn counts(counts: &BTreeMap<Cow<'static, str>, i64>) -> Vec<String> {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(name, count)| (-**count, *name));
    let line = |(name, count): &(_, &i64)| format!("  {name:<12} {:>12}", thousands(**count));
    counts.iter().map(line).collect()
}

/// What looks wrong in a file, a line each.
pub fn warnings(warnings: &[WarningJson]) -> Vec<String> {
    let line = |WarningJson { line, code }: &WarningJson| match code.as_str() {
        "suspicious_quote" => format!(
            "  warning: the quote at line {line} holds lines that look like rows: is one missing?"
        ),
        code => format!("  warning: {code} at line {line}"),
    };
    warnings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        let shown = [0, 999, 1_000, 1_234_567, -1_234].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567", "-1,234"]);
    }

    #[test]
    fn counts_are_sorted() {
        let by_reason = [("audience".into(), 2), ("documents".into(), 1_500)];
        let lines = counts(&by_reason.into());
        assert!(
            lines[0].contains("documents") && lines[0].ends_with("1,500"),
            "{lines:?}"
        );
        assert_eq!(counts(&BTreeMap::new()), Vec::<String>::new());
    }
}
