//! Ends the process at a crash point, for tests of what survives.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use ports::crash;
use rustix::process::{Signal, getpid, kill_process};

/// Where to end: at the `hit`-th time that `point` is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CrashAt {
    point: &'static str,
    hit: u64,
}

impl CrashAt {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let (name, hit) = text.split_once(':').unwrap_or((text, "1"));
        let Some(point) = crash::POINTS.iter().find(|point| **point == name) else {
            bail!(
                "CRASH_AT: no crash point {name:?}; there are {}",
                crash::POINTS.join(", ")
            );
        };
        let hit = hit.parse().ok().filter(|hit| *hit > 0);
        let hit = hit.context("CRASH_AT: after the colon comes a number from 1")?;
        Ok(Self { point, hit })
    }
}

/// Arms the crash point that `CRASH_AT=name:n` names.
///
/// # Errors
/// When there is no such point.
pub fn arm(crash_at: &str) -> anyhow::Result<()> {
    let at = CrashAt::parse(crash_at)?;
    let hits = AtomicU64::new(0);
    crash::install(Box::new(move |name| {
        if name == at.point && hits.fetch_add(1, Ordering::Relaxed) + 1 == at.hit {
            // SIGKILL: nothing is flushed, closed or told to anybody.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_and_the_hit_are_named() {
        let parsed = |text| CrashAt::parse(text).map(|at| (at.point, at.hit));
        assert_eq!(parsed("recycle.flipped:3").unwrap(), ("recycle.flipped", 3));
        assert_eq!(parsed("recycle.flipped").unwrap(), ("recycle.flipped", 1));
        for bad in ["", "nowhere:1", "recycle.flipped:0", "recycle.flipped:x"] {
            assert!(parsed(bad).is_err(), "{bad:?}");
        }
        assert!(
            parsed("nowhere")
                .unwrap_err()
                .to_string()
                .contains("recycle.flipped")
        );
    }
}
