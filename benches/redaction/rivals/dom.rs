//! The whole document in memory.

use serde_json::Value;
use simd_json::BorrowedValue;

use super::{Fate, Place, area, last_four};
use crate::Failure;

pub(super) fn serde(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut value: Value = serde_json::from_slice(body)?;
    if let Value::Array(people) = &mut value {
        people.iter_mut().for_each(|one| serde_object(one, Place::Person));
    } else {
        serde_object(&mut value, Place::Person);
    }
    Ok(serde_json::to_vec(&value)?)
}

fn serde_object(value: &mut Value, place: Place) {
    let Value::Object(members) = value else { return };
    members.retain(|name, value| {
        match (place.fate(name), &mut *value) {
            (Fate::Remove, _) => return false,
            (Fate::LastFour, Value::String(text)) => *text = last_four(text),
            (Fate::Area, Value::String(text)) => *text = area(text).to_owned(),
            (Fate::Inside(inner), value) => serde_object(value, inner),
            _ => {}
        }
        true
    });
}

pub(super) fn simd(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut copy = body.to_vec();
    let mut value = simd_json::to_borrowed_value(&mut copy)?;
    if let BorrowedValue::Array(people) = &mut value {
        people.iter_mut().for_each(|one| simd_object(one, Place::Person));
    } else {
        simd_object(&mut value, Place::Person);
    }
    let mut out = Vec::with_capacity(body.len());
    simd_json::prelude::Writable::write(&value, &mut out)?;
    Ok(out)
}

fn simd_object(value: &mut BorrowedValue<'_>, place: Place) {
    let BorrowedValue::Object(members) = value else { return };
    members.retain(|name, value| {
        match (place.fate(name), &mut *value) {
            (Fate::Remove, _) => return false,
            (Fate::LastFour, BorrowedValue::String(text)) => *text = last_four(text).into(),
            (Fate::Area, BorrowedValue::String(text)) => *text = area(text).to_owned().into(),
            (Fate::Inside(inner), value) => simd_object(value, inner),
            _ => {}
        }
        true
    });
}
