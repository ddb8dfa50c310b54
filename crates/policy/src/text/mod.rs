//! Text, places in it, and what is wrong there.

mod diagnostic;
mod lines;
mod node;
mod reader;
mod source;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use lines::Lines;
pub(crate) use node::BUNDLE_NODES_MAX;
pub use node::{Kind, Node, Span, YamlFault};
pub(crate) use reader::{Object, Reader};
pub use source::Sources;
pub(crate) use source::read_file;
