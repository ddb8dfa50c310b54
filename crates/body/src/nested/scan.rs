//! Where in a JSON text the strings are whose inside is declared. What is wrong with the text the redactor finds out:
//! everything that is not looked for passes as it is.

use std::sync::Arc;

use consentry_model::{FieldMap, NodeId, Wrap};

use super::edges::Edges;
use crate::error::BodyFault;
use crate::json::unescape;

#[derive(Clone, Copy, Debug)]
struct Level {
    object: bool,
    node: Option<NodeId>,
    /// Whether the next string is a name.
    name: bool,
    /// The node of the next value.
    next: Option<NodeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    /// In a string that is a name, or passes.
    Str {
        name: bool,
        escape: bool,
    },
    /// In a value that is looked for; how deep, and whether in a string of it.
    Held {
        node: NodeId,
        wrap: Wrap,
        depth: usize,
        quoted: bool,
        escape: bool,
    },
}

/// Whoever is given what is looked for: the value as it stands, its node and how it is written. What it answers stands in
/// its place.
pub(super) trait Found {
    fn found(&self, raw: &[u8], node: NodeId, wrap: Wrap, edges: &Edges) -> Result<Vec<u8>, BodyFault>;
    /// Whether arrays and objects are looked for, each with its edges before it, or strings alone; the others stop the body
    /// then.
    const CONTAINERS: bool;
}

/// The scan of one text, in pieces.
#[derive(Debug)]
pub(super) struct Scan {
    map: Arc<FieldMap>,
    stack: Vec<Level>,
    state: State,
    /// What is held: a name, or a value that is looked for.
    held: Vec<u8>,
    held_bytes_max: usize,
    /// What stood around the array or object that is held, when it was a string's.
    edges: Edges,
}

impl Scan {
    /// The root itself is not looked for: it is what was found before.
    pub(super) fn new(map: Arc<FieldMap>, held_bytes_max: usize) -> Self {
        let (stack, held, edges) = (Vec::new(), Vec::new(), Edges::default());
        Self { map, stack, state: State::Between, held, held_bytes_max, edges }
    }

    /// Reads on.
    pub(super) fn push<F: Found>(
        &mut self,
        bytes: &[u8],
        finder: &F,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        for byte in bytes {
            match self.state {
                State::Between => self.between::<F>(*byte, out)?,
                State::Str { name, escape } => self.string(*byte, name, escape, out)?,
                State::Held { .. } => self.hold(*byte, finder, out)?,
            }
        }
        Ok(())
    }

    /// The node of the value that begins here.
    fn value(&self) -> Option<NodeId> {
        self.stack.last().map_or(Some(self.map.root()), |level| level.next)
    }

    fn between<F: Found>(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        let is_name = byte == b'"' && self.stack.last().is_some_and(|level| level.object && level.name);
        let begins = matches!(byte, b'"' | b'{' | b'[') && !is_name;
        if begins
            && let Some(node) = self.value().filter(|_| !self.stack.is_empty())
            && let Some(wrap) = self.map.wrap_at(node)
        {
            let string = byte == b'"';
            if !string && !F::CONTAINERS {
                return Err(BodyFault::Undeclared);
            }
            // What was written before the bracket is released with it, or not at all.
            self.edges = if string { Edges::default() } else { Edges::take(out)? };
            self.held = vec![byte];
            let depth = usize::from(!string);
            self.state = State::Held { node, wrap, depth, quoted: string, escape: false };
            return Ok(());
        }
        match byte {
            b'"' => {
                self.state = State::Str { name: is_name, escape: false };
                if is_name {
                    self.held = vec![byte];
                    return Ok(());
                }
            }
            b'{' => {
                let node = self.value();
                self.stack.push(Level { object: true, node, name: true, next: None });
            }
            b'[' => {
                let node = self.value();
                // Inner arrays of a leaf's own array are that leaf's.
                let next = node.and_then(|node| self.map.items(node));
                self.stack.push(Level { object: false, node, name: false, next });
            }
            b'}' | b']' => drop(self.stack.pop()),
            b',' => {
                if let Some(level) = self.stack.last_mut().filter(|level| level.object) {
                    (level.name, level.next) = (true, None);
                }
            }
            _ => {}
        }
        out.push(byte);
        Ok(())
    }

    fn string(&mut self, byte: u8, name: bool, escape: bool, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        let ends = byte == b'"' && !escape;
        self.state = State::Str { name, escape: byte == b'\\' && !escape };
        if !name {
            out.push(byte);
        } else {
            self.keep(byte)?;
        }
        if !ends {
            return Ok(());
        }
        self.state = State::Between;
        if name {
            let text = inside(&self.held);
            if let Some(level) = self.stack.last_mut() {
                let node = level.node.zip(text.as_deref());
                level.next = node.and_then(|(node, name)| self.map.member(node, name));
                level.name = false;
            }
            out.append(&mut self.held);
        }
        Ok(())
    }

    fn hold<F: Found>(&mut self, byte: u8, finder: &F, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        let State::Held { node, wrap, mut depth, mut quoted, mut escape } = self.state else {
            return Err(BodyFault::Internal);
        };
        self.keep(byte)?;
        match (quoted, byte) {
            (true, b'"') if !escape => quoted = false,
            (true, _) => escape = byte == b'\\' && !escape,
            (false, b'"') => quoted = true,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
        if depth == 0 && !quoted {
            self.state = State::Between;
            let raw = std::mem::take(&mut self.held);
            out.extend(finder.found(&raw, node, wrap, &self.edges)?);
        } else {
            self.state = State::Held { node, wrap, depth, quoted, escape };
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8) -> Result<(), BodyFault> {
        if self.held.len() >= self.held_bytes_max {
            return Err(BodyFault::RecordTooLarge);
        }
        self.held.push(byte);
        Ok(())
    }

    /// What is held at the end of the text, which is broken then.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// What a string reads as; nothing when it is none.
pub(super) fn inside(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?.strip_prefix('"')?.strip_suffix('"')?;
    if text.bytes().any(|byte| byte < 0x20) {
        return None;
    }
    Some(unescape(text).ok()?.into_owned())
}
