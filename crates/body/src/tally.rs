//! Counts by node, of which a report is made when somebody asks.

use consentry_model::{FieldMap, NodeId, Treatment};

use crate::Report;

/// What became of the values of one node.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    withheld: u64,
    truncated: u64,
    masked: u64,
    pseudonymised: u64,
}

/// What became of everything written so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    nodes: Vec<Node>,
    pub(crate) personal_kept: u64,
    pub(crate) undeclared: u64,
    pub(crate) records: u64,
    pub(crate) omitted: u64,
}

impl Tally {
    /// Counts a value of this node. What stays clear is not counted by node.
    #[inline]
    pub(crate) fn count(&mut self, node: NodeId, treatment: Treatment) {
        if self.nodes.len() <= node.index() {
            self.grow(node);
        }
        let Some(counts) = self.nodes.get_mut(node.index()) else { return };
        let count = match treatment {
            Treatment::Clear => return,
            Treatment::Truncated => &mut counts.truncated,
            Treatment::Masked => &mut counts.masked,
            Treatment::Pseudonymised => &mut counts.pseudonymised,
            Treatment::Withheld => &mut counts.withheld,
        };
        *count = count.saturating_add(1);
    }

    #[cold]
    fn grow(&mut self, node: NodeId) {
        self.nodes.reserve(node.index().saturating_add(32));
        self.nodes.resize(node.index() + 1, Node::default());
    }

    /// The counts by path. Several nodes may have one path.
    pub(crate) fn report(&self, map: &FieldMap) -> Report {
        let mut report = Report {
            personal_kept: self.personal_kept,
            undeclared: self.undeclared,
            records: self.records,
            omitted: self.omitted,
            ..Report::default()
        };
        for (node, counts) in map.nodes().zip(&self.nodes) {
            if counts.withheld > 0 {
                report.count_withheld(map.path(node), counts.withheld);
            }
            for (treatment, count) in [
                (Treatment::Truncated, counts.truncated),
                (Treatment::Masked, counts.masked),
                (Treatment::Pseudonymised, counts.pseudonymised),
            ] {
                if count > 0 {
                    report.count_altered(map.path(node), treatment, count);
                }
            }
        }
        report
    }
}
