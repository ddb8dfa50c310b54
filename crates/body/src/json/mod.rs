//! JSON text, strictly: the structure in `grammar`, strings and numbers in `scan`, escapes in `escape`.

mod escape;
mod grammar;
mod scan;

pub(crate) use escape::{unescape, write_string};
pub(crate) use grammar::{Container, Grammar, Token, TokenKind, Turn};
pub(crate) use scan::{plain, whole_number, whole_string, whole_word};
