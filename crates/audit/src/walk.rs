//! Going through a whole log: frames, groups, tree, markers, signed roots.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Damage, OpenError};
use crate::frame::{Ending, Frame, parse_segment};
use crate::layout::{Layout, at, io_error};
use crate::merkle::{CompactTree, Hash, leaf_hash};
use crate::precedents::SegmentRecords;

/// What a log holds.
#[derive(Debug)]
pub(crate) struct Walked {
    /// The tree over its records.
    pub(crate) tree: CompactTree,
    /// How many segments there are.
    pub(crate) segments: u64,
    /// The tail that a crash left, if one did.
    pub(crate) torn: Option<Torn>,
}

/// An incomplete group at the end of the last segment.
#[derive(Debug)]
pub(crate) struct Torn {
    pub(crate) file: PathBuf,
    pub(crate) good_bytes: u64,
    pub(crate) dropped_bytes: u64,
}

/// One record on the way.
pub(crate) struct Passing<'a> {
    pub(crate) file: &'a Path,
    pub(crate) offset: u64,
    pub(crate) seq: u64,
    pub(crate) bytes: &'a [u8],
}

/// Goes through all complete groups. `signed` names the roots that the tree must have at some sizes.
pub(crate) fn walk(
    layout: &Layout,
    signed: &BTreeMap<u64, Hash>,
    mut each: impl FnMut(&Passing<'_>, &mut SegmentRecords<'_>) -> Result<(), OpenError>,
) -> Result<Walked, OpenError> {
    let segments = layout.list_segments()?;
    let mut walked = Walked { tree: CompactTree::default(), segments: segments.len() as u64, torn: None };
    check_root(&walked.tree, signed)?;
    for (first_seq, file) in &segments {
        let expected = walked.tree.size();
        if let Some(torn) = &walked.torn {
            return Err(at(
                &torn.file,
                torn.good_bytes,
                expected,
                "an incomplete group before another segment",
            ));
        }
        if *first_seq != expected {
            return Err(at(file, 0, expected, "the segment does not follow the one before"));
        }
        let content = fs::read(file).map_err(|e| io_error(file, e))?;
        let parsed = parse_segment(&content, expected);
        let mut records = SegmentRecords::new(&content, &parsed.frames);
        for frame in &parsed.frames {
            let offset = frame.start() as u64;
            match frame {
                Frame::Record { seq, bytes } => {
                    let bytes = content.get(bytes.clone()).unwrap_or_default();
                    each(&Passing { file, offset, seq: *seq, bytes }, &mut records)?;
                    walked.tree.push(leaf_hash(bytes));
                    check_root(&walked.tree, signed)?;
                }
                Frame::Marker { size, root, .. } => {
                    if *size != walked.tree.size() || *root != walked.tree.root() {
                        return Err(at(file, offset, *size, "the marker has another root than the records"));
                    }
                }
            }
        }
        match parsed.ending {
            Ending::Broken { offset, what } => return Err(at(file, offset as u64, parsed.next_seq, what)),
            // A segment that was created and never written to is a torn one of no bytes.
            Ending::Clean if parsed.good_bytes > 0 => {}
            Ending::Clean | Ending::Torn => {
                walked.torn = Some(Torn {
                    file: file.clone(),
                    good_bytes: parsed.good_bytes as u64,
                    dropped_bytes: (content.len() - parsed.good_bytes) as u64,
                });
            }
        }
    }
    let size = walked.tree.size();
    match signed.keys().next_back() {
        Some(signed) if *signed > size => Err(Damage::Shorter { size, signed: *signed }.into()),
        Some(_) | None => Ok(walked),
    }
}

fn check_root(tree: &CompactTree, signed: &BTreeMap<u64, Hash>) -> Result<(), OpenError> {
    match signed.get(&tree.size()) {
        Some(root) if *root != tree.root() => Err(Damage::Root { size: tree.size() }.into()),
        Some(_) | None => Ok(()),
    }
}
