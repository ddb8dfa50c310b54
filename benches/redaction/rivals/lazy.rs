//! Lazily: what stays is copied as it is written.

use sonic_rs::{JsonValueTrait, LazyValue};

use super::{Fate, Place, area, last_four};
use crate::Failure;

pub(super) fn redact(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(body.len());
    if body.first() == Some(&b'[') {
        out.push(b'[');
        for (n, person) in sonic_rs::to_array_iter(body).enumerate() {
            if n > 0 {
                out.push(b',');
            }
            object(person?.as_raw_str(), Place::Person, &mut out)?;
        }
        out.push(b']');
    } else {
        object(std::str::from_utf8(body)?, Place::Person, &mut out)?;
    }
    Ok(out)
}

fn object(text: &str, place: Place, out: &mut Vec<u8>) -> Result<(), Failure> {
    out.push(b'{');
    let mut any = false;
    for member in sonic_rs::to_object_iter(text) {
        let (name, value) = member?;
        let fate = place.fate(&name);
        if fate == Fate::Remove {
            continue;
        }
        if any {
            out.push(b',');
        }
        any = true;
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        member_value(fate, &value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn member_value(fate: Fate, value: &LazyValue<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let altered = match fate {
        Fate::Inside(inner) => return object(value.as_raw_str(), inner, out),
        Fate::LastFour => value.as_str().map(last_four),
        Fate::Area => value.as_str().map(|text| area(text).to_owned()),
        Fate::Keep | Fate::Remove => None,
    };
    match altered {
        Some(text) => serde_json::to_writer(out, &text)?,
        None => out.extend_from_slice(value.as_raw_str().as_bytes()),
    }
    Ok(())
}
