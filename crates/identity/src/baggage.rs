//! The member of `baggage` that declares a purpose (W3C Baggage), read strictly: every line, every byte.

use consentry_model::{Purpose, Reason};

/// The key of the member that declares a purpose.
pub(crate) const KEY: &str = "data-purpose";
/// Most bytes of all lines together, and most members: what everybody must propagate (W3C Baggage, section 3.3.2).
const BYTES_MAX: usize = 8192;
const MEMBERS_MAX: usize = 64;

/// Reads the purpose that `baggage` declares, from the values of all its lines.
///
/// What is malformed declares nothing and is nobody's business here, unless our key occurs in it: then somebody meant to
/// declare a purpose, and which one cannot be told.
pub(crate) fn purpose(lines: &[&[u8]]) -> Result<Option<Purpose>, Reason> {
    match members(lines) {
        Some(members) => ours(&members),
        None if lines.iter().any(|line| mentions(line)) => Err(Reason::PurposeMalformed),
        None => Ok(None),
    }
}

struct Member<'a> {
    key: &'a str,
    value: &'a str,
    properties: bool,
}

fn ours(members: &[Member<'_>]) -> Result<Option<Purpose>, Reason> {
    let mut found = members.iter().filter(|member| member.key.eq_ignore_ascii_case(KEY));
    let Some(member) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Reason::PurposeConflict);
    }
    // Another spelling of the key is another key, and a second reading; nobody has said what a property of ours means.
    if member.key != KEY || member.properties {
        return Err(Reason::PurposeMalformed);
    }
    let value = decode(member.value).ok_or(Reason::PurposeMalformed)?;
    Purpose::new(&value).map(Some).map_err(|_| Reason::PurposeUnknown)
}

/// The members of all lines in their order; `None` when anything is malformed or over a limit.
fn members<'a>(lines: &[&'a [u8]]) -> Option<Vec<Member<'a>>> {
    let bytes = lines.iter().fold(0_usize, |sum, line| sum.saturating_add(line.len()));
    if bytes > BYTES_MAX {
        return None;
    }
    let mut members = Vec::new();
    for line in lines {
        let text = std::str::from_utf8(line).ok()?;
        for member in text.split(',') {
            if members.len() == MEMBERS_MAX {
                return None;
            }
            members.push(read(member)?);
        }
    }
    Some(members)
}

/// `key = value`, then properties, each `key` or `key = value`; blanks are allowed around each part.
fn read(member: &str) -> Option<Member<'_>> {
    let mut parts = member.split(';');
    let (key, value) = parts.next()?.split_once('=')?;
    let (key, value) = (trim(key), trim(value));
    let mut properties = false;
    for property in parts {
        properties = true;
        let (key, value) = property.split_once('=').unwrap_or((property, ""));
        if !is_token(trim(key)) || !is_value(trim(value)) {
            return None;
        }
    }
    (is_token(key) && is_value(value)).then_some(Member { key, value, properties })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let of_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(of_token)
}

/// Baggage octets: visible ASCII without the quote, the comma, the semicolon and the backslash, and every `%` an escape.
fn is_value(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !b"\",;\\".contains(&b)) && decode(text).is_some()
}

/// Percent-decodes. The standard replaces what is no UTF-8; here it is no value.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Whether our key occurs anywhere, however it is spelt.
fn mentions(line: &[u8]) -> bool {
    line.windows(KEY.len()).any(|window| window.eq_ignore_ascii_case(KEY.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reason::{PurposeConflict, PurposeMalformed, PurposeUnknown};

    #[test]
    fn law_1_only_one_plain_member_of_ours_declares_a_purpose() {
        let long = format!("a={}", "b".repeat(BYTES_MAX));
        let long_ours = format!("{long},data-purpose=marketing");
        let many = vec!["a=1"; MEMBERS_MAX].join(",");
        let many_ours = format!("{many},data-purpose=marketing");
        let fits = format!("{},data-purpose=marketing", vec!["a=1"; MEMBERS_MAX - 1].join(","));
        type Case<'a> = (&'a [&'a str], Result<Option<&'a str>, Reason>);
        let cases: &[Case<'_>] = &[
            (&[], Ok(None)),
            (&["a=1,b=2"], Ok(None)),
            (&["data-purpose=marketing"], Ok(Some("marketing"))),
            (&[" data-purpose = marketing "], Ok(Some("marketing"))),
            (&["a=1;p,data-purpose=marketing,c=x=y=z"], Ok(Some("marketing"))),
            (&["a=1", "data-purpose=marketing"], Ok(Some("marketing"))),
            (&["data-purpose=market%69ng"], Ok(Some("marketing"))),
            (&[&fits], Ok(Some("marketing"))),
            // The four defects: a second `=`, a second line, what stands for itself, and a key named twice.
            (&["data-purpose=marketing=billing"], Err(PurposeUnknown)),
            (&["a=1", "data-purpose=marketing", "data-purpose=billing"], Err(PurposeConflict)),
            (&["data-purpose=marketing%41"], Err(PurposeUnknown)),
            (&["data-purpose=%ff"], Err(PurposeMalformed)),
            (&["data-purpose=marketing,data-purpose=billing"], Err(PurposeConflict)),
            (&["data-purpose=marketing,data-purpose=marketing"], Err(PurposeConflict)),
            (&["data-purpose=marketing,Data-Purpose=marketing"], Err(PurposeConflict)),
            (&["Data-Purpose=marketing"], Err(PurposeMalformed)),
            (&["data-purpose=marketing;v=1"], Err(PurposeMalformed)),
            (&["data-purpose=marketing;"], Err(PurposeMalformed)),
            (&["data-purpose="], Err(PurposeUnknown)),
            (&["data-purpose=Marketing"], Err(PurposeUnknown)),
            (&["data-purpose"], Err(PurposeMalformed)),
            (&["data-purpose=marketing,"], Err(PurposeMalformed)),
            (&[",data-purpose=marketing"], Err(PurposeMalformed)),
            (&["data-purpose=marketing", ""], Err(PurposeMalformed)),
            (&["data-purpose=\"marketing\""], Err(PurposeMalformed)),
            (&["data-purpose=mar keting"], Err(PurposeMalformed)),
            (&["data-purpose=marketing%"], Err(PurposeMalformed)),
            (&["data-purpose=marketing%4"], Err(PurposeMalformed)),
            (&["data-purpose=marketing\\"], Err(PurposeMalformed)),
            (&["a=\u{e9},data-purpose=marketing"], Err(PurposeMalformed)),
            (&["a b=1,data-purpose=marketing"], Err(PurposeMalformed)),
            (&["a=1;p q,data-purpose=marketing"], Err(PurposeMalformed)),
            (&["a=data-purpose,"], Err(PurposeMalformed)),
            (&[&long_ours], Err(PurposeMalformed)),
            (&[&many_ours], Err(PurposeMalformed)),
            (&[&many_ours, "DATA-PURPOSE"], Err(PurposeMalformed)),
            // Malformed and not about purposes: nobody's business.
            (&["a=1,"], Ok(None)),
            (&["purpose"], Ok(None)),
            (&["a=%zz"], Ok(None)),
            (&[&long], Ok(None)),
            (&[&many, "a=1"], Ok(None)),
            (&["data_purpose=marketing"], Ok(None)),
        ];
        for (lines, expected) in cases {
            let bytes: Vec<&[u8]> = lines.iter().map(|l| l.as_bytes()).collect();
            let expected = expected.map(|p| p.map(|p| Purpose::new(p).unwrap()));
            assert_eq!(purpose(&bytes), expected, "{lines:?}");
        }
        assert_eq!(purpose(&[b"data-purpose=\xff"]), Err(PurposeMalformed));
        assert_eq!(purpose(&[b"a=\xff"]), Ok(None));
    }
}
