//! A table: its first row names the columns, each further one is a record.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use consentry_model::{Field, FieldMap};

use super::scan::{CellText, RowEnd, cells, content, write};
use crate::asked::Asked;
use crate::error::{BodyFault, Fault};
use crate::flat::{Cell, Place, Places, Row};
use crate::treat::Left;
use crate::turns::Media;
use crate::{Decide, Limits, Pseudonyms, Report};

/// How many cells are held at most, where a table is decided as a whole, for each column or row that it may have: of each
/// one much more is held than a comma.
const CELLS_A_FIELD: usize = 256;

/// What some programs begin a table with, to say that it is in UTF-8. It is no part of the first name.
pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// A column, by its name.
struct Column {
    name: String,
    place: Option<Place>,
}

enum Held {
    /// The row of names: what stays of it.
    Names {
        marked: bool,
        row: Bytes,
        kept: Vec<Range<usize>>,
        content: usize,
    },
    Record {
        row: Bytes,
        cells: Vec<CellText>,
        content: usize,
        fates: Row,
    },
}

/// A table.
pub(crate) struct Table {
    map: Arc<FieldMap>,
    limits: Limits,
    end: RowEnd,
    columns: Option<Vec<Column>>,
    held: Vec<Held>,
    /// How many cells the window's rows have.
    cells: usize,
    undeclared: u64,
}

impl Table {
    pub(crate) fn new(map: Arc<FieldMap>, limits: Limits) -> Self {
        Self { map, limits, end: RowEnd::default(), columns: None, held: Vec::new(), cells: 0, undeclared: 0 }
    }

    /// Reads the row of names.
    fn names(&mut self, row: Bytes) -> Result<(), Fault> {
        let marked = row.starts_with(MARK);
        let row = if marked { row.slice(MARK.len()..) } else { row };
        let content = content(&row);
        let names = cells(row.get(..content).ok_or(Fault::internal(0))?, self.limits.fields_max)?;
        let (mut columns, mut kept, mut there) = (Vec::new(), Vec::new(), Places::default());
        for CellText { raw, text } in names {
            // One column may have no name, as programs write the numbers of rows: nobody can declare it.
            let nothing = row.get(..content).is_none_or(<[u8]>::is_empty);
            if nothing || text.starts_with('\u{feff}') {
                return Err(Fault::new(BodyFault::Malformed, raw.start));
            }
            if !there.insert(&text, None) {
                return Err(Fault::new(BodyFault::DuplicateKey, raw.start));
            }
            let place = Place::find(&self.map, &text).filter(|place| place.field.is_some());
            match place {
                Some(_) => kept.push(raw),
                None => self.undeclared = self.undeclared.saturating_add(1),
            }
            columns.push(Column { name: text, place });
        }
        if kept.is_empty() {
            return Err(Fault::new(BodyFault::Undeclared, 0));
        }
        self.columns = Some(columns);
        self.held.push(Held::Names { marked, row, kept, content });
        Ok(())
    }
}

impl Media for Table {
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault> {
        Ok(self.end.find(view, last))
    }

    fn take(&mut self, row: Bytes, asked: &mut Asked) -> Result<(), Fault> {
        let Some(columns) = &self.columns else { return self.names(row) };
        let content = content(&row);
        let read = cells(row.get(..content).ok_or(Fault::internal(0))?, self.limits.fields_max)?;
        // To some a blank line is a row of one empty cell, to others it is none.
        if columns.len() != read.len() || content == 0 {
            return Err(Fault::new(BodyFault::Ragged, 0));
        }
        self.cells = self.cells.saturating_add(read.len());
        let whole = self.limits.window_bytes_max == usize::MAX;
        if whole && self.cells > self.limits.fields_max.saturating_mul(CELLS_A_FIELD) {
            return Err(Fault::new(BodyFault::TooManyFields, 0));
        }
        let pairs = columns.iter().zip(&read);
        let cells: Vec<_> = pairs
            .map(|(column, cell)| Cell {
                name: &column.name,
                place: column.place,
                text: Some(&cell.text),
                // An empty cell is no value.
                there: !cell.text.is_empty(),
            })
            .collect();
        let fates = Row::read(&self.map, &cells, asked).map_err(|kind| Fault::new(kind, 0))?;
        self.held.push(Held::Record { row, cells: read, content, fates });
        Ok(())
    }

    fn end(&mut self, _: &mut Asked) -> Result<(), BodyFault> {
        if self.columns.is_some() { Ok(()) } else { Err(BodyFault::Truncated) }
    }

    /// Columns that nobody declared, in the window that holds their names.
    fn undeclared(&self) -> u64 {
        self.undeclared
    }

    fn write(
        &mut self,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        report.undeclared = report.undeclared.saturating_add(std::mem::take(&mut self.undeclared));
        self.cells = 0;
        let map = Arc::clone(&self.map);
        let columns = self.columns.as_ref().ok_or(BodyFault::Truncated)?;
        let alone = columns.iter().filter(|column| column.place.is_some()).count() == 1;
        for held in self.held.drain(..) {
            match held {
                Held::Names { marked, row, kept, content } => {
                    if marked {
                        out.extend_from_slice(MARK);
                    }
                    let mut first = true;
                    for range in kept {
                        divide(&mut first, out);
                        out.extend_from_slice(row.get(range).ok_or(BodyFault::Internal)?);
                    }
                    out.extend_from_slice(row.get(content..).ok_or(BodyFault::Internal)?);
                }
                Held::Record { row, cells, content, fates } => {
                    let texts = cells.iter().map(|cell| Some(&*cell.text)).enumerate();
                    let left: Vec<_> =
                        texts.map(|cell| fates.left(cell, &map, decide, key, report)).collect();
                    if fates.is_omitted(&left, &[], report) {
                        continue;
                    }
                    let mut first = true;
                    let columns = columns.iter().zip(&cells).zip(&left);
                    for ((column, cell), left) in columns.filter(|((column, _), _)| column.place.is_some()) {
                        divide(&mut first, out);
                        let raw = row.get(cell.raw.clone()).ok_or(BodyFault::Internal)?;
                        // Quotes around nothing would tell what is empty from what is withheld.
                        let is_empty = raw.is_empty() || raw == b"\"\"" && is_personal(column);
                        match left {
                            Left::Clear if !is_empty => out.extend_from_slice(raw),
                            Left::Altered(_, text) => write(text, raw.starts_with(b"\""), out),
                            // A row of one empty cell would be no row to some.
                            Left::Clear | Left::Nothing => write("", alone, out),
                        }
                    }
                    out.extend_from_slice(row.get(content..).ok_or(BodyFault::Internal)?);
                }
            }
        }
        Ok(())
    }
}

fn is_personal(column: &Column) -> bool {
    column.place.is_some_and(|place| matches!(place.field, Some(Field::Class(..))))
}

fn divide(first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

/// The columns of a table that was read before, each with its texts from the first row to the last, for whoever decides by
/// them. A name is held once, however many rows there are.
pub(crate) fn columns(body: &[u8]) -> Vec<(String, Vec<String>)> {
    let mut rest = body.strip_prefix(MARK).unwrap_or(body);
    let (mut end, mut out) = (RowEnd::default(), None::<Vec<(String, Vec<String>)>>);
    while let Some((row, after)) =
        end.find(rest, true).filter(|n| *n > 0).and_then(|n| rest.split_at_checked(n))
    {
        rest = after;
        let content = row.get(..content(row)).unwrap_or_default();
        let Ok(read) = cells(content, usize::MAX) else { return Vec::new() };
        let texts = read.into_iter().map(|cell| cell.text);
        match &mut out {
            None => out = Some(texts.map(|name| (name, Vec::new())).collect()),
            Some(columns) => columns.iter_mut().zip(texts).for_each(|((_, texts), text)| texts.push(text)),
        }
    }
    out.unwrap_or_default()
}
