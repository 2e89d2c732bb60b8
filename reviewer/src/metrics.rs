//! What a reviewer tells Prometheus.

use std::fmt::Write;

/// The numbers of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Draws that are not over in whose committee the account is.
    pub draws: u64,
    /// Files of them that nobody has an opinion of yet.
    pub undecided: u64,
    /// Files that wait for a person's word.
    pub queue: u64,
    /// Files that are not accepted because an earlier one has not come.
    pub held: u64,
    /// Leaves whose files were not looked at yet.
    pub unknown: u64,
    /// Files that are kept because they were accepted.
    pub pinned: u64,
    /// Commitments that were sent.
    pub commits: u64,
    /// Reveals that were sent.
    pub reveals: u64,
    /// Draws in which nothing was committed, or nothing revealed.
    pub missed: u64,
    /// Plancks that were paid.
    pub earned: u128,
    /// Plancks that seats lost.
    pub lost: u128,
    /// 1 while the node answers.
    pub node: u64,
}

impl Numbers {
    /// In Prometheus' text format.
    pub fn to_text(&self) -> String {
        let rows: [(&str, &str, &str, u128); 12] = [
            ("draws", "gauge", "Draws that are not over and that it judges.", self.draws.into()),
            ("undecided", "gauge", "Files of them without an opinion yet.", self.undecided.into()),
            ("queue", "gauge", "Files that wait for a person's word.", self.queue.into()),
            (
                "held_back",
                "gauge",
                "Files not accepted because an earlier one has not come.",
                self.held.into(),
            ),
            ("unknown", "gauge", "Accepted files that are not compared yet.", self.unknown.into()),
            ("pinned", "gauge", "Files kept because it accepted them.", self.pinned.into()),
            ("commits_total", "counter", "Commitments sent.", self.commits.into()),
            ("reveals_total", "counter", "Reveals sent.", self.reveals.into()),
            (
                "missed_total",
                "counter",
                "Draws it missed to commit or reveal in.",
                self.missed.into(),
            ),
            ("earned_plancks_total", "counter", "Plancks paid to it, final.", self.earned),
            ("lost_plancks_total", "counter", "Plancks its seats lost, final.", self.lost),
            ("node_answers", "gauge", "1 while the node answers.", self.node.into()),
        ];
        to_text("review", &rows)
    }
}

/// The numbers of a program that challenges, of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Acceptances that may be challenged still.
    pub acceptances: u64,
    /// Those of them whose files have not come.
    pub missing: u64,
    /// Leaves whose files were not looked at yet.
    pub unknown: u64,
    /// Acceptances with something wrong that are not challenged, for one of its limits.
    pub held: u64,
    /// Plancks that are held for challenges that have not ended.
    pub bonds: u128,
    /// Acceptances that were looked at.
    pub looked_at: u64,
    /// Challenges that came into a block.
    pub challenges: u64,
    /// Those that the larger committee bore out.
    pub won: u64,
    /// Those that lost their bond.
    pub lost: u64,
    /// Plancks that they brought beside their bonds.
    pub gained: u128,
    /// 1 while the node answers.
    pub node: u64,
}

impl Watched {
    /// In Prometheus' text format.
    pub fn to_text(&self) -> String {
        let rows = [
            (
                "acceptances",
                "gauge",
                "Acceptances that may be challenged still.",
                self.acceptances.into(),
            ),
            ("missing", "gauge", "Those of them whose files have not come.", self.missing.into()),
            ("unknown", "gauge", "Accepted files that are not compared yet.", self.unknown.into()),
            (
                "held_back",
                "gauge",
                "Acceptances with something wrong that its limits keep it from challenging.",
                self.held.into(),
            ),
            (
                "bond_plancks",
                "gauge",
                "Plancks held for challenges that have not ended.",
                self.bonds,
            ),
            ("looked_at_total", "counter", "Acceptances it looked at.", self.looked_at.into()),
            ("challenges_total", "counter", "Challenges it brought.", self.challenges.into()),
            (
                "won_total",
                "counter",
                "Those that larger committees bore out, final.",
                self.won.into(),
            ),
            ("lost_total", "counter", "Those that lost their bond, final.", self.lost.into()),
            (
                "gained_plancks_total",
                "counter",
                "Plancks that challenges brought beside their bonds, final.",
                self.gained,
            ),
            ("node_answers", "gauge", "1 while the node answers.", self.node.into()),
        ];
        to_text("watch", &rows)
    }
}

/// Rows of name, kind, help and value.
fn to_text(prefix: &str, rows: &[(&str, &str, &str, u128)]) -> String {
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        let name = format!("openledger_{prefix}_{name}");
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}
