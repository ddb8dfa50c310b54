//! Headers of an answer that name another place or a file: what they name is data, and only what the service map describes
//! is named to a caller.

use consentry_model::{Field, Treatment};
use consentry_policy::HeadField;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use crate::exchange::Decided;
use crate::query::{declared, have_one_reading, takes};
use crate::request::class_of;
use crate::spelled::is_no_cursor;
use crate::target::{Parameter, decode, is_deceptive, parameters, segments};
use crate::technical::is_http_date;

/// The relations of links that say how pages hang together (RFC 8288, IANA's registry). Others load, run or report.
const RELATIONS: [&str; 9] =
    ["alternate", "collection", "first", "item", "last", "next", "prev", "self", "up"];

/// What a name of a file in other signs than those of ASCII begins with.
const CHARSET: &str = "UTF-8''";

/// Longer, eleven days and more, could be a number of another kind.
const RETRY_DIGITS_MAX: usize = 6;

/// Whether a status sends the caller somewhere else (RFC 9110, section 15.4).
pub(crate) fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The lines of a declared header that may go on; none when it may not.
pub(crate) fn lines(decided: &Decided, declared: &HeadField, from: &HeaderMap) -> Vec<HeaderValue> {
    let personal = class_of(declared.field);
    let clear =
        |class| decided.answered.by_class.get(&class).is_some_and(|v| v.treatment == Treatment::Clear);
    let withheld = personal.is_some_and(|class| !clear(class));
    if withheld && *declared.name != header::CONTENT_DISPOSITION {
        return Vec::new();
    }
    let mut all: Vec<HeaderValue> = from.get_all(&declared.name).iter().cloned().collect();
    let good = |line: &HeaderValue| line.to_str().is_ok_and(|text| has_its_form(decided, declared, text));
    match declared.name.as_str() {
        // Of each of these there is one; of two nobody knows which counts.
        "location" | "content-location" | "retry-after" | "content-disposition" if all.len() > 1 => {
            return Vec::new();
        }
        // Without its disposition a file would be shown, with whatever script is in it.
        "content-disposition" if withheld || personal.is_none() || !all.iter().all(good) => {
            all = all.iter().filter_map(without_name).collect();
        }
        "content-security-policy" => all = all.iter().filter_map(without_reports).collect(),
        _ => {}
    }
    if all.iter().all(good) { all } else { Vec::new() }
}

/// How long to wait, as the service says it of an answer that is none, where it may be told.
pub(crate) fn wait(decided: &Decided, from: &HeaderMap) -> Option<HeaderValue> {
    let route = decided.access.route().ok()?;
    let declared = route.response_headers.iter().find(|f| f.name == header::RETRY_AFTER.as_str())?;
    lines(decided, declared, from).pop()
}

/// What an answer that is none says to browsers of other origins, as far as the route declares it.
pub(crate) fn cross_origin(decided: &Decided, from: &HeaderMap, out: &mut HeaderMap) {
    let Ok(route) = decided.access.route() else { return };
    let declared = |name: &str| route.response_headers.iter().find(|f| f.name == name);
    for name in from.keys().filter(|name| name.as_str().starts_with("access-control-")) {
        let lines = declared(name.as_str()).map(|field| lines(decided, field, from));
        lines.into_iter().flatten().for_each(|line| _ = out.append(name.clone(), line));
    }
}

fn has_its_form(decided: &Decided, declared: &HeadField, text: &str) -> bool {
    match declared.name.as_str() {
        "location" | "content-location" => leads_inside(decided, declared.field, text),
        "link" => links(text).into_iter().all(|link| is_link(decided, declared.field, link.trim())),
        "retry-after" => {
            let short = (1..=RETRY_DIGITS_MAX).contains(&text.len());
            (short && text.bytes().all(|b| b.is_ascii_digit())) || is_http_date(text)
        }
        "content-disposition" => is_disposition(text),
        _ => true,
    }
}

/// Whether a target is one that the service map describes, on a host that the policy speaks of. One that is declared to
/// say nothing of a person has no variable in its path and no parameter that tells something of one, by what the map says it
/// carries or, where it narrows or adds, by its value; one that is declared as a category has no parameter of another.
fn leads_inside(decided: &Decided, field: Field, target: &str) -> bool {
    let bundle = decided.access.installed.engine.bundle();
    let hosts = &bundle.settings.hosts;
    if !target.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return false;
    }
    let (host, place) = match target.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => (None, target.to_owned()),
        Some(_) => return false,
        None => match absolute(target) {
            Some((host, place)) if hosts.contains(&host) => (Some(host), place),
            Some(_) | None => return false,
        },
    };
    let (path, query) = place.split_once('?').unwrap_or((&place, ""));
    let (Some(segments), Some(query)) = (segments(path), parameters(query)) else { return false };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let own = decided.access.route().map_or("GET", |route| route.method.as_str());
    let found = ["GET", own].into_iter().find_map(|method| {
        let among =
            host.iter().map(Some).chain(hosts.iter().filter(|_| host.is_none()).map(Some)).chain([None]);
        let mut among = among.map(|host| bundle.service.find_on(host.map(String::as_str), method, &segments));
        among.find_map(|found| found)
    });
    let Some(found) = found else { return false };
    let category = |field: Field| Some(&bundle.service.class(class_of(field)?)?.category);
    let said = category(field);
    // What was decided is what the header is declared as: a parameter that tells something else was not.
    let told = |parameter: Field| match (class_of(parameter), category(parameter)) {
        (None, _) => true,
        (Some(_), other) => {
            said.zip(other).is_some_and(|(said, other)| bundle.vocabulary.category_is(other, said))
        }
    };
    // Of the values of these the map says nothing.
    let is_words = |name: &str| {
        found.route.narrows.iter().any(|n| n == name) || found.route.adds.iter().any(|a| a.parameter == name)
    };
    let of_nobody = |p: &Parameter| !p.readings().iter().any(|value| is_no_cursor(value));
    let tells = |p: &Parameter| {
        takes(found.route, &p.name)
            && declared(found.route, &p.name).is_none_or(|f| told(f.field))
            && (said.is_some() || !is_words(&p.name) || of_nobody(p))
    };
    (class_of(field).is_some() || found.variables.is_empty())
        && have_one_reading(Some(found.route), &query)
        && query.iter().all(tells)
}

/// The host of an absolute target, in lower case, and what follows it.
fn absolute(target: &str) -> Option<(String, String)> {
    let uri: Uri = target.parse().ok()?;
    let authority = uri.authority()?;
    let plain = ["http", "https"].contains(&uri.scheme_str()?) && !authority.as_str().contains('@');
    // A port is another door of the same house, which the policy does not speak of.
    let place = uri.path_and_query()?.as_str().to_owned();
    (plain && authority.port().is_none()).then(|| (authority.host().to_ascii_lowercase(), place))
}

/// The links of a line, each divided from the next by a comma (RFC 8288, section 3): one in a target or in quotes divides
/// nothing.
fn links(text: &str) -> Vec<&str> {
    let (mut in_target, mut in_quotes, mut after_backslash) = (false, false, false);
    let divides = |c: char| {
        match c {
            _ if after_backslash => after_backslash = false,
            '\\' if in_quotes => after_backslash = true,
            '"' if !in_target => in_quotes = !in_quotes,
            '<' if !in_quotes => in_target = true,
            '>' if !in_quotes => in_target = false,
            _ => return c == ',' && !in_target && !in_quotes,
        }
        false
    };
    text.split(divides).collect()
}

/// `<target>; rel=next`, and no further parameter.
fn is_link(decided: &Decided, field: Field, link: &str) -> bool {
    let parts = link.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    // Whoever divides a line at every comma sees no further link in a target.
    let Some((target, rest)) = parts.filter(|(target, _)| !target.contains(['<', '"'])) else { return false };
    // Neither the name of a parameter nor a relation that is registered tells capitals apart (RFC 8288, section 2.1.1).
    let parameter = rest.trim().strip_prefix(';').and_then(|rest| rest.trim().split_once('='));
    let relation = parameter.filter(|(name, _)| name.eq_ignore_ascii_case("rel")).map(|(_, name)| name);
    let relation =
        relation.map(|name| name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name));
    let is_known = |name: &str| RELATIONS.iter().any(|known| known.eq_ignore_ascii_case(name));
    relation.is_some_and(is_known) && leads_inside(decided, field, target)
}

/// A policy without the directives by which a browser reports to others which address it was at.
fn without_reports(line: &HeaderValue) -> Option<HeaderValue> {
    let reports = |directive: &str| {
        let name = directive.split_ascii_whitespace().next().unwrap_or_default();
        ["report-uri", "report-to"].iter().any(|other| name.eq_ignore_ascii_case(other))
    };
    // Each policy of a line is divided from the next by a comma.
    let one = |policy: &str| policy.split(';').filter(|d| !reports(d)).collect::<Vec<_>>().join(";");
    let kept: Vec<String> =
        line.to_str().ok()?.split(',').map(one).filter(|p| !p.trim().is_empty()).collect();
    HeaderValue::from_str(kept.join(",").trim()).ok().filter(|value| !value.is_empty())
}

/// The disposition alone: a file's name may be somebody's.
pub(crate) fn without_name(line: &HeaderValue) -> Option<HeaderValue> {
    // The name may be in any charset.
    let kind = line.as_bytes().split(|b| *b == b';').next()?.trim_ascii().to_ascii_lowercase();
    HeaderValue::from_bytes(&kind).ok()
}

/// RFC 6266, with one name at most in signs of ASCII, in quotes or one word, one in any others, and nothing in either that
/// leads elsewhere. Neither holds the sign that divides them.
fn is_disposition(text: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let (mut plain, mut extended) = (0_usize, 0_usize);
    let is_name = |part: &str| {
        let Some((name, written)) = part.split_once('=') else { return false };
        let (count, good) = match name.to_ascii_lowercase().as_str() {
            "filename" => (&mut plain, is_file_name(written)),
            "filename*" => (&mut extended, is_extended_name(written)),
            _ => return false,
        };
        *count += 1;
        good && *count == 1
    };
    (kind.eq_ignore_ascii_case("attachment") || kind.eq_ignore_ascii_case("inline")) && parts.all(is_name)
}

/// A file's name as RFC 6266 writes it: in quotes, or one word without any.
fn is_file_name(written: &str) -> bool {
    let quoted = |b: u8| (b.is_ascii_graphic() || b == b' ') && !b"\"\\/;%:".contains(&b);
    let word = |b: u8| b.is_ascii_alphanumeric() || b"-._+~!#$&".contains(&b);
    let named = |name: &str, plain: fn(u8) -> bool| {
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
    };
    match written.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').is_some_and(|name| named(name, quoted)),
        None => named(written, word),
    }
}

/// A file's name as RFC 8187 writes it: in UTF-8, of no language, with percent signs for what is no sign of an attribute.
fn is_extended_name(written: &str) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || b"!#$&+-.^_`|~%".contains(&b);
    let value = written.split_at_checked(CHARSET.len()).filter(|(set, _)| set.eq_ignore_ascii_case(CHARSET));
    let value = value.map(|(_, value)| value).filter(|value| value.bytes().all(sign));
    value.and_then(decode).is_some_and(|name| {
        !name.is_empty()
            && !name.trim_start().starts_with('.')
            && !name.contains(['/', '\\', ':', ';', '"', '%'])
            && !name.chars().any(is_deceptive)
    })
}
