//! A form whose fields are parts: texts, JSON and files.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use consentry_model::{Field, FieldMap, Format, is_ascii_based};

use super::head::{self, Head};
use super::split::parts;
use crate::Piece;
use crate::asked::Asked;
use crate::error::{BodyFault, Fault};
use crate::flat::{Cell, Fate, Place, Places, Row};
use crate::form::CHARSET;
use crate::texts::Unit;
use crate::treat::Left;
use crate::turns::Media;
use crate::{Decide, Limits, Pseudonyms, RecordSubject, Report};

/// What a browser calls a file that has no name.
const NAMELESS: &str = "blob";

/// A part and where its content is.
struct Part {
    head: Head,
    content: Range<usize>,
    kind: Kind,
}

/// How the content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Json,
    /// Nobody looks into it.
    File,
}

struct Held {
    unit: Bytes,
    parts: Vec<Part>,
    row: Row,
    /// As many as parts; those of JSON that are declared.
    texts: Vec<Option<Unit>>,
}

/// One form.
pub(crate) struct Parts {
    map: Arc<FieldMap>,
    boundary: Box<str>,
    limits: Limits,
    held: Option<Held>,
    read: bool,
}

impl Parts {
    pub(crate) const fn new(map: Arc<FieldMap>, boundary: Box<str>, limits: Limits) -> Self {
        Self { map, boundary, limits, held: None, read: false }
    }

    fn place(&self, part: &Part) -> Option<Place> {
        match part.kind {
            Kind::Json => Place::find_json(&self.map, &part.head.name),
            // What is declared inside of a part can be read where it is JSON.
            Kind::Text | Kind::File => {
                Place::find(&self.map, &part.head.name).filter(|place| place.field.is_some())
            }
        }
    }

    /// Reads JSON as the member that it would be in a JSON body: strictly, whatever is declared. Nothing when nobody declared
    /// a value of its shape.
    fn json(
        &self,
        text: &[u8],
        place: Option<Place>,
        owner: &RecordSubject,
        asked: &mut Asked,
    ) -> Result<Option<Unit>, BodyFault> {
        if let Some(place) = place {
            let map = Arc::new(self.map.below(place.node));
            match Unit::read(&map, self.limits, text, owner, asked) {
                Err(BodyFault::Undeclared) => {}
                read => return read.map(Some),
            }
        }
        let any = FieldMap::builder().leaf("**", Field::Open).map_err(|_| BodyFault::Internal)?.build();
        Unit::read(&Arc::new(any), self.limits, text, owner, asked).map(|_| None)
    }
}

impl Media for Parts {
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault> {
        Ok(last.then_some(view.len()))
    }

    fn take(&mut self, unit: Bytes, asked: &mut Asked) -> Result<(), Fault> {
        let parts = read(&unit, &self.boundary, self.limits.fields_max)?;
        let (mut names, mut cells) = (Places::default(), Vec::with_capacity(parts.len()));
        for part in &parts {
            let place = self.place(part);
            if !names.insert(&part.head.name, place) {
                return Err(Fault::new(BodyFault::DuplicateKey, part.content.start));
            }
            let text = text(&unit, part)?;
            cells.push(Cell { name: &part.head.name, place, text, there: true });
        }
        if names.overlap() {
            return Err(Fault::new(BodyFault::DuplicateKey, 0));
        }
        let mut row = Row::read(&self.map, &cells, asked).map_err(|kind| Fault::new(kind, 0))?;
        let mut texts = Vec::with_capacity(parts.len());
        for (at, (part, cell)) in parts.iter().zip(&cells).enumerate() {
            if part.kind != Kind::Json {
                texts.push(None);
                continue;
            }
            let here = |kind| Fault::new(kind, part.content.start);
            let text = unit.get(part.content.clone()).ok_or(here(BodyFault::Internal))?;
            let read = self.json(text, cell.place, row.owner(), asked).map_err(here)?;
            if let Some(fate) = row.fates.get_mut(at).filter(|_| read.is_none()) {
                *fate = Fate::Undeclared;
            }
            texts.push(read);
        }
        self.held = Some(Held { unit, parts, row, texts });
        self.read = true;
        Ok(())
    }

    fn end(&mut self, _: &mut Asked) -> Result<(), BodyFault> {
        if self.read { Ok(()) } else { Err(BodyFault::Truncated) }
    }

    fn undeclared(&self) -> u64 {
        let Some(held) = &self.held else { return 0 };
        let heads = held.parts.iter().map(|part| part.head.undeclared);
        let texts = held.texts.iter().flatten().map(Unit::undeclared);
        held.row.undeclared() + heads.chain(texts).sum::<u64>()
    }

    fn write(
        &mut self,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        let Some(Held { unit, parts, row, texts }) = self.held.take() else { return Ok(()) };
        let heads: u64 = parts.iter().map(|part| part.head.undeclared).sum();
        report.undeclared = report.undeclared.saturating_add(row.undeclared() + heads);
        let (mut left, mut inside, mut contents) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (part, json)) in parts.iter().zip(texts).enumerate() {
            let text = text(&unit, part).map_err(|fault| fault.kind)?;
            let whole = row.left((at, text), &self.map, decide, key, report);
            let raw = unit.slice(part.content.clone());
            contents.push(match (json, &whole) {
                (Some(json), _) => json_left(json, &mut inside, decide, key, report)?,
                (None, Left::Nothing) => None,
                (None, Left::Clear) => Some(raw),
                (None, Left::Altered(_, text)) => Some(Bytes::copy_from_slice(text.as_bytes())),
            });
            left.push(whole);
        }
        if row.is_omitted(&left, &inside, report) {
            return Err(BodyFault::NothingLeft);
        }
        let divider = [b"--", self.boundary.as_bytes()].concat();
        for (part, content) in parts.iter().zip(contents) {
            let Some(content) = content else { continue };
            let is_same = unit.get(part.content.clone()) == Some(&content);
            let named = is_same && Place::find(&self.map, &part.head.name).is_some_and(|p| p.field.is_some());
            let mut piece = Vec::new();
            write_head(part, named, &mut piece);
            piece.extend_from_slice(&content);
            // A head that is written anew has what it says in lower case.
            if memchr::memmem::find(&piece, &divider).is_some() {
                return Err(BodyFault::Malformed);
            }
            out.extend_from_slice(&divider);
            out.extend_from_slice(&piece);
            out.extend_from_slice(b"\r\n");
        }
        if out.is_empty() {
            let personal = row.fates.iter().any(|fate| matches!(fate, Fate::Personal { .. } | Fate::Inner));
            return Err(if personal { BodyFault::NothingLeft } else { BodyFault::Undeclared });
        }
        out.extend_from_slice(&divider);
        out.extend_from_slice(b"--\r\n");
        Ok(())
    }
}

/// What is left of JSON; `inside` hears whether something personal is, if there was something.
fn json_left(
    json: Unit,
    inside: &mut Vec<bool>,
    decide: &dyn Decide,
    key: Option<&Pseudonyms>,
    report: &mut Report,
) -> Result<Option<Bytes>, BodyFault> {
    let (is_personal, before) = (json.is_personal(), report.personal_kept);
    let left = json.write(decide, key, report)?;
    if is_personal {
        inside.push(report.personal_kept > before);
    }
    Ok(left)
}

fn write_head(part: &Part, named: bool, out: &mut Vec<u8>) {
    let head = &part.head;
    let mut lines = format!("\r\nContent-Disposition: form-data; name=\"{}\"", head.name_raw);
    if let Some(file) = &head.file {
        // Of a part whose inside is decided on, or of which less is left, the name of the file is decided on by nobody.
        let file = if named { file } else { NAMELESS };
        lines.push_str(&format!("; filename=\"{file}\""));
    }
    if head.typed {
        // JSON has many names, and a name could hold another.
        let media_type = if part.kind == Kind::Json { "application/json" } else { &head.media_type };
        lines.push_str(&format!("\r\nContent-Type: {media_type}"));
        if let Some(charset) = &head.charset {
            lines.push_str(&format!("; charset={charset}"));
        }
    }
    lines.push_str("\r\n\r\n");
    out.extend_from_slice(lines.as_bytes());
}

fn read(unit: &[u8], boundary: &str, parts_max: usize) -> Result<Vec<Part>, Fault> {
    let ranges = parts(unit, boundary, parts_max)?;
    if ranges.is_empty() {
        return Err(Fault::new(BodyFault::Malformed, 0));
    }
    let one = |range: Range<usize>| {
        let here = |kind| Fault::new(kind, range.start);
        let mut head = head::read(unit.get(range.clone()).ok_or(here(BodyFault::Internal))?).map_err(here)?;
        let content = head::content(&range, &head);
        let json = Format::of(&head.media_type) == Some(Format::Json);
        let kind = match (&head.file, json) {
            (_, true) => Kind::Json,
            (None, false) if head.media_type == "text/plain" => Kind::Text,
            (Some(_) | None, false) => Kind::File,
        };
        let other = head.charset.as_deref().filter(|charset| *charset != "utf-8");
        if let Some(charset) = other.filter(|_| kind != Kind::File) {
            // What is the same in UTF-8 goes on as that.
            let same = is_ascii_based(charset) && unit.get(content.clone()).is_some_and(<[u8]>::is_ascii);
            if !same {
                return Err(here(BodyFault::PartUnreadable));
            }
            head.charset = None;
        }
        let part = Part { head, content, kind };
        if part.head.name == CHARSET && text(unit, &part)?.is_none_or(|t| !t.eq_ignore_ascii_case("utf-8")) {
            return Err(here(BodyFault::PartUnreadable));
        }
        Ok(part)
    };
    ranges.into_iter().map(one).collect()
}

/// The text of a part that is one.
fn text<'a>(unit: &'a [u8], part: &Part) -> Result<Option<&'a str>, Fault> {
    if part.kind != Kind::Text {
        return Ok(None);
    }
    let bytes = unit.get(part.content.clone()).ok_or(Fault::internal(part.content.start))?;
    let wrong = |e: std::str::Utf8Error| {
        Fault::new(BodyFault::InvalidUtf8, part.content.start.saturating_add(e.valid_up_to()))
    };
    std::str::from_utf8(bytes).map(Some).map_err(wrong)
}

/// The names and contents of a form that was read before, for whoever decides by them. Many services keep all that has the
/// name of a file among files, where no field is looked for; browsers and clients send objects so that others read as parts.
pub(crate) fn texts(body: &[u8], boundary: &str) -> Vec<(String, Piece)> {
    let parts = read(body, boundary, usize::MAX).unwrap_or_default();
    let piece = |part: Part| {
        let bytes = body.get(part.content.clone())?;
        let has_members =
            bytes.trim_ascii_start().starts_with(b"{") || bytes.trim_ascii_start().starts_with(b"[");
        let piece = match part.kind {
            Kind::Json if part.head.file.is_some() && !has_members => {
                Piece::File(Bytes::copy_from_slice(bytes))
            }
            Kind::Text => Piece::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
            Kind::Json => Piece::Json(Bytes::copy_from_slice(bytes)),
            Kind::File => Piece::File(Bytes::copy_from_slice(bytes)),
        };
        Some((part.head.name, piece))
    };
    parts.into_iter().filter_map(piece).collect()
}

/// What goes on beside the names and contents of such a form.
pub(crate) fn beside(body: &[u8], boundary: &str) -> Vec<String> {
    let parts = read(body, boundary, usize::MAX).unwrap_or_default();
    let texts = parts.into_iter().flat_map(|Part { head, kind, .. }| {
        let media_type = (kind == Kind::File).then_some(head.media_type);
        head.file.into_iter().chain(media_type)
    });
    texts.collect()
}
