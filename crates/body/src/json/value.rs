//! Values, names and what stands between them, where all of it is in view.

use super::grammar::{Container, Token, TokenKind};
use super::number::{short_number, whole_number};
use super::scan::{Length, plain, whole_string, whole_word};

/// What begins where a value is.
pub(crate) enum Value {
    Scalar(Token),
    Opens(Container),
}

/// Where white space ends.
#[inline(always)]
#[allow(clippy::inline_always, reason = "most often it is one comparison")]
pub(crate) fn space(view: &[u8], mut at: usize) -> usize {
    while matches!(view.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The first byte after white space, and where it is.
#[inline(always)]
#[allow(clippy::inline_always, reason = "most often it is one comparison")]
pub(crate) fn delimiter(view: &[u8], from: usize) -> Option<(u8, usize)> {
    match *view.get(from)? {
        b' ' | b'\t' | b'\n' | b'\r' => {
            let at = space(view, from);
            Some((*view.get(at)?, at))
        }
        first => Some((first, from)),
    }
}

/// A name without escapes that is whole, with its colon, and where its value begins.
pub(crate) fn plain_name(view: &[u8], from: usize) -> Option<(&str, usize)> {
    let quote = space(view, from);
    if *view.get(quote)? != b'"' {
        return None;
    }
    let (stop, _) = plain(view, quote + 1);
    if *view.get(stop)? != b'"' {
        return None;
    }
    let (name, end) = (view.get(quote + 1..stop)?, stop + 1);
    let (colon, at) = delimiter(view, end)?;
    if colon != b':' {
        return None;
    }
    Some((std::str::from_utf8(name).ok()?, space(view, at + 1)))
}

/// The value that begins here; `None` when it is not whole.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is most of what is done for most members")]
pub(crate) fn value(view: &[u8], start: usize) -> Option<Value> {
    let first = *view.get(start)?;
    if first == b'"' {
        return Some(Value::Scalar(Token { kind: TokenKind::Text, start, end: whole_string(view, start)? }));
    }
    other_value(view, start, first)
}

/// The scalar that begins here: what it is, and where it ends.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is half of what is done for most members")]
pub(crate) fn scalar_at(view: &[u8], start: usize) -> Option<(TokenKind, usize)> {
    let first = *view.get(start)?;
    if first == b'"' {
        return Some((TokenKind::Text, whole_string(view, start)?));
    }
    other_scalar(view, start, first)
}

/// How the end of a scalar is found, where one has read its like.
pub(crate) trait Ends {
    /// Where the scalar ends that begins here.
    fn end(self, view: &[u8], start: usize) -> Option<usize>;
}

/// As if it were the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anew;

impl Ends for Anew {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most members")]
    fn end(self, view: &[u8], start: usize) -> Option<usize> {
        Some(scalar_at(view, start)?.1)
    }
}

impl Ends for &mut Length {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most members")]
    fn end(self, view: &[u8], start: usize) -> Option<usize> {
        if self.is_known()
            && let Some(end) = self.easy(view, start)
        {
            return Some(end);
        }
        let first = *view.get(start)?;
        if first.is_ascii_digit()
            && let Some((end, _)) = short_number(view, start)
        {
            return Some(end);
        }
        let (kind, end) = scalar_at(view, start)?;
        *self = if kind == TokenKind::Text { Length::of(end.wrapping_sub(start)) } else { Length::UNKNOWN };
        Some(end)
    }
}

/// The same for one that is no string.
fn other_value(view: &[u8], start: usize, first: u8) -> Option<Value> {
    match first {
        b'{' => Some(Value::Opens(Container::Object)),
        b'[' => Some(Value::Opens(Container::Array)),
        first => {
            let (kind, end) = other_scalar(view, start, first)?;
            Some(Value::Scalar(Token { kind, start, end }))
        }
    }
}

/// The scalar that begins here with this byte, when it is no string: what it is, and where it ends.
#[inline]
pub(crate) fn other_scalar(view: &[u8], start: usize, first: u8) -> Option<(TokenKind, usize)> {
    Some(match first {
        b'-' | b'0'..=b'9' => {
            let (end, integer) = whole_number(view, start)?;
            (TokenKind::Number { integer }, end)
        }
        first => (TokenKind::Literal, whole_word(view, start, first)?),
    })
}
