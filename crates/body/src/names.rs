//! The member names of the objects that are open, to notice a second of the same.

use std::collections::HashSet;
use std::ops::Range;

/// Up to this many names are compared one by one; more are hashed.
const FEW: usize = 16;

#[derive(Debug)]
struct Object {
    spans_from: usize,
    text_from: usize,
    many: Option<HashSet<Box<str>>>,
}

/// The names of the open objects, innermost last.
#[derive(Debug, Default)]
pub(crate) struct Names {
    text: String,
    spans: Vec<Range<usize>>,
    objects: Vec<Object>,
}

impl Names {
    pub(crate) fn open(&mut self) {
        self.objects.push(Object { spans_from: self.spans.len(), text_from: self.text.len(), many: None });
    }

    pub(crate) fn close(&mut self) {
        if let Some(object) = self.objects.pop() {
            self.spans.truncate(object.spans_from);
            self.text.truncate(object.text_from);
        }
    }

    /// Adds a name to the innermost object; `false` when it is there already, or when no object is open.
    pub(crate) fn insert(&mut self, name: &str) -> bool {
        let Some(object) = self.objects.last_mut() else { return false };
        if let Some(many) = &mut object.many {
            return many.insert(name.into());
        }
        let spans = self.spans.get(object.spans_from..).unwrap_or_default();
        let there = || spans.iter().filter_map(|span| self.text.get(span.clone()));
        if there().any(|other| other == name) {
            return false;
        }
        if spans.len() >= FEW {
            object.many = Some(there().chain([name]).map(Box::from).collect());
            return true;
        }
        let from = self.text.len();
        self.text.push_str(name);
        self.spans.push(from..self.text.len());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_the_same_is_noticed_in_small_and_large_objects() {
        for count in [1, FEW - 1, FEW, FEW + 1, 100] {
            let mut names = Names::default();
            names.open();
            for n in 0..count {
                assert!(names.insert(&format!("n{n}")), "{n} of {count}");
                names.open();
                assert!(names.insert("n0"), "an inner object has names of its own");
                names.close();
            }
            for n in 0..count {
                assert!(!names.insert(&format!("n{n}")), "{n} of {count}");
            }
            names.close();
            assert!(names.text.is_empty() && names.spans.is_empty());
        }
        assert!(!Names::default().insert("nowhere"));
    }
}
