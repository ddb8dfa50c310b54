//! The structure of JSON: which token may follow which.

use super::number::{self, Digits};
use super::scan;
use crate::error::{BodyFault, Fault};

/// An array or an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Array,
    Object,
}

/// What a token is. Colons and white space are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Open(Container),
    Close,
    Comma,
    /// A member's name.
    Name,
    /// A string that is a value.
    Text,
    Number {
        integer: bool,
    },
    /// `true`, `false` or `null`.
    Literal,
}

/// A token and where it is; strings include their quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrClose,
    Name,
    NameOrClose,
    Colon,
    CommaOrClose,
    End,
}

/// Between which tokens the fast lane may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A member or element is next, or the bracket if it would be the first.
    Before { first: bool },
    /// A comma or the bracket is next.
    After,
}

/// The scalar or name that the input broke off in.
#[derive(Clone, Copy, Debug)]
enum Partial {
    String { name: bool, escaped: bool },
    Number(Digits),
    Word(&'static [u8]),
}

/// Reads tokens off a buffer that grows at its end.
#[derive(Debug)]
pub(crate) struct Grammar {
    expect: Expect,
    open: Vec<Container>,
    depth_max: usize,
    at: usize,
    start: usize,
    partial: Option<Partial>,
}

impl Grammar {
    pub(crate) const fn new(depth_max: usize) -> Self {
        Self { expect: Expect::Value, open: Vec::new(), depth_max, at: 0, start: 0, partial: None }
    }

    /// Whether nothing has been read.
    pub(crate) fn is_fresh(&self) -> bool {
        self.at == 0 && self.expect == Expect::Value && self.open.is_empty() && self.partial.is_none()
    }

    /// How far the buffer has been read.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Where between two tokens of an array or object the reading is, and how far; `None` within one, and elsewhere.
    pub(crate) fn turn(&self) -> Option<(Turn, usize)> {
        let object = *self.open.last()? == Container::Object;
        let turn = match self.expect {
            _ if self.partial.is_some() => return None,
            Expect::NameOrClose | Expect::ValueOrClose => Turn::Before { first: true },
            Expect::Name => Turn::Before { first: false },
            Expect::Value if !object => Turn::Before { first: false },
            Expect::CommaOrClose => Turn::After,
            Expect::Value | Expect::Colon | Expect::End => return None,
        };
        Some((turn, self.at))
    }

    /// Goes on from another place, to which the fast lane has come.
    pub(crate) fn go_on(&mut self, turn: Turn, at: usize) {
        self.at = at;
        self.expect = match (turn, self.open.last()) {
            (_, None) => Expect::End,
            (Turn::After, _) => Expect::CommaOrClose,
            (Turn::Before { first: true }, Some(Container::Object)) => Expect::NameOrClose,
            (Turn::Before { first: true }, Some(Container::Array)) => Expect::ValueOrClose,
            (Turn::Before { first: false }, Some(Container::Object)) => Expect::Name,
            (Turn::Before { first: false }, Some(Container::Array)) => Expect::Value,
        };
    }

    /// Whether another array or object may begin.
    pub(crate) const fn may_open(&self) -> bool {
        self.open.len() < self.depth_max
    }

    /// How many more arrays or objects may be open at once.
    pub(crate) const fn depth_left(&self) -> usize {
        self.depth_max.saturating_sub(self.open.len())
    }

    /// The fast lane has come past an opening bracket.
    pub(crate) fn opened(&mut self, container: Container) {
        self.open.push(container);
    }

    /// The fast lane has come past a closing bracket.
    pub(crate) fn closed(&mut self) {
        self.open.pop();
    }

    /// Says that the first `count` bytes of the buffer, all read between two tokens, are gone.
    pub(crate) const fn forget(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
    }

    /// Whether the value is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.expect == Expect::End
    }

    /// The next token; `None` when the buffer ends before one does. `last` says that no more will come.
    pub(crate) fn next(&mut self, view: &[u8], last: bool) -> Result<Option<Token>, Fault> {
        loop {
            if let Some(partial) = self.partial {
                return self.resume(partial, view, last);
            }
            let rest = view.get(self.at..).unwrap_or_default();
            let space = rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
            self.at += space.unwrap_or(rest.len());
            let Some(byte) = view.get(self.at) else { return Ok(None) };
            self.start = self.at;
            if let Some(kind) = self.structure(*byte)? {
                return Ok(Some(Token { kind, start: self.start, end: self.at }));
            }
        }
    }

    /// Takes one byte outside strings and scalars. Answers with the token that it is, or with `None` when it is a
    /// colon or begins a string or scalar.
    fn structure(&mut self, byte: u8) -> Result<Option<TokenKind>, Fault> {
        let inner = self.open.last().copied();
        let kind = match (self.expect, byte) {
            (Expect::End, _) => return Err(Fault::new(BodyFault::TrailingBytes, self.at)),
            (Expect::Colon, b':') => {
                self.at += 1;
                self.expect = Expect::Value;
                return Ok(None);
            }
            (Expect::CommaOrClose, b',') => {
                self.expect = if inner == Some(Container::Object) { Expect::Name } else { Expect::Value };
                TokenKind::Comma
            }
            (Expect::CommaOrClose | Expect::NameOrClose, b'}') if inner == Some(Container::Object) => {
                self.close()
            }
            (Expect::CommaOrClose | Expect::ValueOrClose, b']') if inner == Some(Container::Array) => {
                self.close()
            }
            (Expect::Value | Expect::ValueOrClose, b'{') => self.open(Container::Object)?,
            (Expect::Value | Expect::ValueOrClose, b'[') => self.open(Container::Array)?,
            (Expect::Name | Expect::NameOrClose, b'"') => return self.begin_string(true),
            (Expect::Value | Expect::ValueOrClose, b'"') => return self.begin_string(false),
            (Expect::Value | Expect::ValueOrClose, b'-' | b'0'..=b'9') => {
                self.partial = Some(Partial::Number(Digits::Start));
                return Ok(None);
            }
            (Expect::Value | Expect::ValueOrClose, _) => {
                let word = scan::literal(byte).ok_or(Fault::new(BodyFault::Malformed, self.at))?;
                self.partial = Some(Partial::Word(word));
                return Ok(None);
            }
            _ => return Err(Fault::new(BodyFault::Malformed, self.at)),
        };
        self.at += 1;
        Ok(Some(kind))
    }

    fn begin_string(&mut self, name: bool) -> Result<Option<TokenKind>, Fault> {
        self.at += 1;
        self.partial = Some(Partial::String { name, escaped: false });
        Ok(None)
    }

    fn open(&mut self, container: Container) -> Result<TokenKind, Fault> {
        if self.open.len() >= self.depth_max {
            return Err(Fault::new(BodyFault::TooDeep, self.at));
        }
        self.open.push(container);
        self.expect = match container {
            Container::Array => Expect::ValueOrClose,
            Container::Object => Expect::NameOrClose,
        };
        Ok(TokenKind::Open(container))
    }

    fn close(&mut self) -> TokenKind {
        self.open.pop();
        self.after_value();
        TokenKind::Close
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() { Expect::End } else { Expect::CommaOrClose };
    }

    fn resume(&mut self, partial: Partial, view: &[u8], last: bool) -> Result<Option<Token>, Fault> {
        let (partial, end) = match partial {
            Partial::String { name, mut escaped } => {
                let end = scan::string(view, self.start, &mut self.at, &mut escaped)?;
                (Partial::String { name, escaped }, end)
            }
            Partial::Number(mut digits) => {
                let end = number::number(view, &mut self.at, &mut digits, last)?;
                (Partial::Number(digits), end)
            }
            Partial::Word(word) => (partial, scan::word(view, self.at, word)?),
        };
        self.partial = Some(partial);
        let Some(end) = end else { return Ok(None) };
        self.partial = None;
        self.at = end;
        let kind = match partial {
            Partial::String { name: true, .. } => {
                self.expect = Expect::Colon;
                return Ok(Some(Token { kind: TokenKind::Name, start: self.start, end }));
            }
            Partial::String { name: false, .. } => TokenKind::Text,
            Partial::Number(digits) => TokenKind::Number { integer: digits.is_integer() },
            Partial::Word(_) => TokenKind::Literal,
        };
        self.after_value();
        Ok(Some(Token { kind, start: self.start, end }))
    }
}
