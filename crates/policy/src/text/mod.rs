//! Text, places in it, and what is wrong there.

mod diagnostic;
mod node;
mod reader;
mod source;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use node::{Kind, Node, Span, YamlFault};
pub(crate) use reader::{Object, Reader};
pub use source::Sources;
pub(crate) use source::read_file;
