//! The white space around a JSON text in a string.
//!
//! Put in the place of the string, the text would give it away to what stands around it, and where that divides its texts by
//! lines a line would end. So it travels in another spelling, of white space again, right before the text: nothing comes
//! between the two, and whoever reads the body ignores it.

use crate::error::BodyFault;

/// What stands after each character of one side.
const MORE: char = '\n';
/// What stands before the side that comes first, and between the two.
const BEGINS: char = ' ';
const TURNS: char = '\t';

/// What stands before a text, and what after it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Edges {
    pub(super) before: String,
    pub(super) after: String,
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

impl Edges {
    /// Takes them off a text, of which the rest is left.
    pub(super) fn of(text: &str) -> (Self, &str) {
        let rest = text.trim_start_matches(is_space);
        let before = text.strip_suffix(rest).unwrap_or_default().to_owned();
        let inside = rest.trim_end_matches(is_space);
        let after = rest.strip_prefix(inside).unwrap_or_default().to_owned();
        (Self { before, after }, inside)
    }

    /// Writes them before the text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let side = |text: &str| text.chars().flat_map(|c| [c, MORE]).collect::<String>();
        let (before, after) = (side(&self.before), side(&self.after));
        out.extend_from_slice(format!("{BEGINS}{before}{TURNS}{after}").as_bytes());
    }

    /// Takes what was written off the end of what stands before the text.
    pub(super) fn take(out: &mut Vec<u8>) -> Result<Self, BodyFault> {
        let mut next = || out.pop().map(char::from).filter(|c| is_space(*c)).ok_or(BodyFault::Internal);
        let (mut edges, mut side) = (Self::default(), String::new());
        loop {
            match next()? {
                MORE => side.push(next()?),
                TURNS => edges.after = std::mem::take(&mut side).chars().rev().collect(),
                BEGINS => {
                    edges.before = side.chars().rev().collect();
                    return Ok(edges);
                }
                _ => return Err(BodyFault::Internal),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_taken_again_and_nothing_else() {
        let spaces = ["", " ", "\n", "\t", "\r\n", " \t\n\r \n\n\t\t"];
        for outside in spaces {
            for before in spaces {
                for after in spaces {
                    let text = format!("{before}{{\"a\": 1}}{after}");
                    let (edges, inside) = Edges::of(&text);
                    assert_eq!((&*edges.before, inside, &*edges.after), (before, "{\"a\": 1}", after));
                    let mut out = format!(":{outside}").into_bytes();
                    edges.write(&mut out);
                    assert_eq!(Edges::take(&mut out), Ok(edges), "{text:?}");
                    assert_eq!(out, format!(":{outside}").into_bytes(), "{text:?}");
                }
            }
        }
        assert_eq!(Edges::take(&mut b":\n".to_vec()), Err(BodyFault::Internal));
        assert_eq!(Edges::take(&mut Vec::new()), Err(BodyFault::Internal));
    }
}
