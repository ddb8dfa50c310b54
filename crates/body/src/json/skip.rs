//! Arrays and objects that only have to be right: all of one at once.

use super::scan::{easy, plain, whole_string};
use super::value::{delimiter, other_scalar, space};
use crate::keys::{Few, Key, Keys, Met};

/// More long names are not kept for one array or object.
const LONG_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Open {
    object: bool,
    names: Few,
    longs_from: usize,
}

/// Reads arrays and objects of which nothing is to be known but that they are right.
#[derive(Debug, Default)]
pub(crate) struct Skip {
    open: Vec<Open>,
    /// Where the names stand that are not short.
    longs: Vec<(usize, usize)>,
    /// Where the scalars stand of the last that was taken, if that is wanted.
    pub(crate) scalars: Vec<(usize, usize)>,
    pub(crate) wanted: bool,
    /// Up to here one was read that could not be taken: nothing that begins before is tried again, so that nothing is
    /// read more than twice.
    tried: usize,
}

impl Skip {
    /// The first `count` bytes of the view are gone.
    pub(crate) const fn forget(&mut self, count: usize) {
        self.tried = self.tried.saturating_sub(count);
    }

    /// Where the array or object ends whose bracket is at `start`. `None` when it is not whole, not right, nested deeper
    /// than `depth`, or odd: then the tokens are to be asked.
    pub(crate) fn container(
        &mut self,
        view: &[u8],
        start: usize,
        depth: usize,
        keys: &mut Keys,
    ) -> Option<usize> {
        if start < self.tried {
            return None;
        }
        self.open.clear();
        self.longs.clear();
        self.scalars.clear();
        let outermost = keys.open();
        let mut at = start;
        let end = self.read(view, &mut at, depth, keys);
        if end.is_none() {
            keys.close(outermost);
            self.tried = at;
        }
        end
    }

    fn read(&mut self, view: &[u8], at: &mut usize, depth: usize, keys: &mut Keys) -> Option<usize> {
        loop {
            // A bracket opens.
            if self.open.len() >= depth {
                return None;
            }
            let object = *view.get(*at)? == b'{';
            let mut here = Open { object, names: keys.open(), longs_from: self.longs.len() };
            *at = space(view, *at + 1);
            let mut ended = *view.get(*at)? == if object { b'}' } else { b']' };
            *at += usize::from(ended);
            loop {
                if ended {
                    // A bracket has closed, and with it a child of what is around it.
                    keys.close(here.names);
                    self.longs.truncate(here.longs_from);
                    match self.open.pop() {
                        None => return Some(*at),
                        Some(outer) => here = outer,
                    }
                } else {
                    if here.object {
                        *at = self.name(view, *at, &mut here, keys)?;
                    }
                    let start = *at;
                    *at = match *view.get(start)? {
                        b'"' => whole_string(view, start)?,
                        b'{' | b'[' => {
                            self.open.push(here);
                            break;
                        }
                        first => other_scalar(view, start, first)?.1,
                    };
                    if self.wanted {
                        self.scalars.push((start, *at));
                    }
                }
                let (delimiter, stop) = delimiter(view, *at)?;
                ended = match (delimiter, here.object) {
                    (b',', _) => false,
                    (b'}', true) | (b']', false) => true,
                    _ => return None,
                };
                *at = stop.wrapping_add(1);
                if !ended {
                    *at = space(view, *at);
                }
            }
        }
    }

    /// Where the value begins after the name that begins at `quote`, if it is new.
    #[inline]
    fn name(&mut self, view: &[u8], quote: usize, here: &mut Open, keys: &mut Keys) -> Option<usize> {
        let (from, stop, value) = name_at(view, quote)?;
        match Key::there(view, from, stop) {
            Some(key) => {
                if keys.look(&here.names, key) != Met::New {
                    return None;
                }
                keys.keep(&mut here.names, key);
            }
            None => {
                let name = view.get(from..stop)?;
                let there = self.longs.get(here.longs_from..)?;
                if there.len() >= LONG_MAX
                    || there.iter().any(|(from, to)| view.get(*from..*to) == Some(name))
                {
                    return None;
                }
                self.longs.push((from, stop));
            }
        }
        Some(value)
    }
}

/// A name without escapes that is whole, with its colon: where its inside begins and ends, and where its value begins.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is much of what is done for most members")]
pub(crate) fn name_at(view: &[u8], quote: usize) -> Option<(usize, usize, usize)> {
    if *view.get(quote)? != b'"' {
        return None;
    }
    let from = quote.wrapping_add(1);
    let stop = match easy(view, from) {
        Some(stop) => stop,
        None => odd_name(view, from)?,
    };
    let (colon, at) = delimiter(view, stop.wrapping_add(1))?;
    if colon != b':' {
        return None;
    }
    Some((from, stop, space(view, at.wrapping_add(1))))
}

/// Where a name ends that may have more than ASCII in it.
#[cold]
fn odd_name(view: &[u8], from: usize) -> Option<usize> {
    let (stop, high) = plain(view, from);
    let right = *view.get(stop)? == b'"' && (!high || std::str::from_utf8(view.get(from..stop)?).is_ok());
    right.then_some(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_and_right_is_taken_and_nothing_else() {
        for (text, whole) in [
            ("{}x", true),
            ("[ ]x", true),
            (r#"{"a":1,"b":[{},[1,2.5e3,"x",null,true]],"c":{"a":"\u00e9"}} "#, true),
            (" {\"a\" :\t[ 1 , 2 ]\n}", true),
            (r#"{"a":1,"a":2}"#, false),
            (r#"{"a name longer than sixteen":1,"a name longer than sixteen":2}"#, false),
            (r#"{"a name longer than sixteen":1,"a name longer than seventeen":2}"#, true),
            (r#"[{"a":1},{"a":1}]"#, true),
            (r#"{"a":{"a":1},"b":1,"a":1}"#, false),
            (r#"{"\u0061":1}"#, false),
            (r#"{"a":1"#, false),
            (r#"[1 2]"#, false),
            (r#"[1,]"#, false),
            (r#"[,1]"#, false),
            (r#"{"a":1,}"#, false),
            (r#"{"a"1}"#, false),
            (r#"{1:1}"#, false),
            (r#"[1}"#, false),
            (r#"{"a":1]"#, false),
            (r#"["\x"]"#, false),
            ("[\"a\u{1}\"]", false),
            ("[01]", false),
            ("[truex]", false),
            ("[[[[]]]]", true),
            ("[[[[[]]]]]", false),
        ] {
            let start = text.find(['{', '[']).unwrap_or_default();
            let mut keys = Keys::default();
            let end = Skip::default().container(text.as_bytes(), start, 4, &mut keys);
            let want = text.trim_end_matches([' ', 'x']).len();
            assert_eq!(end, whole.then_some(want), "{text}");
        }
        let mut keys = Keys::default();
        assert_eq!(Skip::default().container(b"[\"\xff\"]", 0, 4, &mut keys), None);
        assert_eq!(Skip::default().container(b"{\"\xff\":1}", 0, 4, &mut keys), None);
    }

    #[test]
    fn what_was_read_in_vain_is_not_read_again() {
        let (text, mut keys, mut skip) = (b"[[1],[2,]]", Keys::default(), Skip::default());
        assert_eq!(skip.container(text, 0, 9, &mut keys), None);
        assert_eq!(skip.container(text, 1, 9, &mut keys), None);
        skip.forget(9);
        assert_eq!(skip.container(text, 1, 9, &mut keys), Some(4));
    }
}
