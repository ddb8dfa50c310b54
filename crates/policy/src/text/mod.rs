//! Text, places in it, and what is wrong there.

mod diagnostic;
mod node;
mod reader;
mod source;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub(crate) use node::{Kind, Node, Span};
pub(crate) use reader::{Object, Reader};
pub use source::Sources;
pub(crate) use source::read_file;
