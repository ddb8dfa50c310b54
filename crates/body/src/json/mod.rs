//! JSON text, strictly: the structure in `grammar`, strings in `scan`, numbers in `number`, escapes in `escape`, what is
//! whole and in view in `value`, and a whole array or object in `skip`.

mod escape;
mod grammar;
mod number;
mod scan;
mod skip;
mod value;

pub(crate) use escape::{unescape, write_string};
pub(crate) use grammar::{Container, Grammar, Token, TokenKind, Turn};
pub use number::is_exact;
pub(crate) use scan::{Length, interruptions, plain};
pub(crate) use skip::{Skip, name_at};
pub(crate) use value::{Anew, Ends, Value, delimiter, plain_name, scalar_at, space, value};
