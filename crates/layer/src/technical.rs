//! The few headers that pass without being declared, each in a form that has no room for a person's data.

use consentry_model::{Format, MediaTypes, Moment};
use http::{HeaderMap, HeaderValue, header};

/// The attributes of a cookie that say how a browser keeps it. Any other, and what of these has no plain form, is left
/// out: a path or a host's name can hold somebody's. One that is described holds nobody's and stays: without it a browser
/// keeps a cookie for other places than was meant, and takes away another one.
const FLAGS: [&str; 3] = ["secure", "httponly", "partitioned"];
const SAME_SITE: [&str; 3] = ["strict", "lax", "none"];
/// A date of RFC 9110 and one of RFC 850, with `0` for any digit and `a` for any letter.
const DATES: [&str; 2] = ["aaa, 00 aaa 0000 00:00:00 GMT", "aaa, 00-aaa-0000 00:00:00 GMT"];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// GMT, and its other names.
const ZONES: [&str; 4] = ["GMT", "UTC", "+0000", "-0000"];
const MAX_AGE_DIGITS_MAX: usize = 10;

/// What a caller accepts, as far as an answer could be passed on: the route's media types and wildcards over them, what is
/// preferred first, without any parameter.
pub(crate) fn accept(headers: &HeaderMap, types: &MediaTypes) -> Option<HeaderValue> {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let listed =
        || types.listed().map(|(name, _)| name).chain(types.has(Format::Json).then_some("application/json"));
    let range = |item: &str| {
        let (essence, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight(parameters);
        let essence = essence.trim().to_ascii_lowercase();
        let wild = match essence.strip_suffix('*') {
            Some("*/") => true,
            Some(kind) => kind.ends_with('/') && listed().any(|name| name.starts_with(kind)),
            None => false,
        };
        let name = match types.format(&essence) {
            // Any name of JSON was meant, and any could hold another.
            Some(Format::Json) if !types.names(&essence) => Some("application/json".to_owned()),
            format => (wild || format.is_some()).then_some(essence),
        };
        name.filter(|_| weight > 0).map(|name| (weight, name))
    };
    let mut ranges: Vec<(u16, String)> = lines.flat_map(|line| line.split(',')).filter_map(range).collect();
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let mut kept: Vec<String> = Vec::new();
    for (_, range) in ranges {
        if !kept.contains(&range) {
            kept.push(range);
        }
    }
    HeaderValue::from_str(&kept.join(", ")).ok().filter(|value| !value.is_empty())
}

/// How much a range is preferred, in thousandths: nothing where it is not acceptable (RFC 9110, section 12.4.2). What says so in
/// no way that can be read is like any other.
fn weight(parameters: &str) -> u16 {
    let mut pairs = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let stated = pairs.rfind(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let read = |value: &str| {
        let (whole, part) = value.split_once('.').unwrap_or((value, ""));
        let plain = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
        let thousandths = format!("{part:0<3}").parse::<u16>().ok().filter(|_| plain)?;
        match whole {
            "0" => Some(thousandths),
            "1" if thousandths == 0 => Some(1000),
            _ => None,
        }
    };
    stated.and_then(|(_, value)| read(value.trim())).unwrap_or(1000)
}

/// A cookie as it is set: its name and value, and the attributes that may stay.
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: String,
    attributes: Vec<String>,
    /// How many attributes were left out.
    pub(crate) left_out: u64,
}

impl SetCookie {
    /// Reads a line; one that names no cookie is none. Of a `path` and a `domain` it is asked whether it is described.
    pub(crate) fn read(line: &HeaderValue, is_described: impl Fn(&str, &str) -> bool) -> Option<Self> {
        let mut parts = line.to_str().ok()?.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let (mut attributes, mut left_out) = (Vec::new(), 0);
        for attribute in parts.filter(|a| !a.is_empty()) {
            match plain(attribute, &is_described) {
                Some(plain) => attributes.push(plain),
                None => left_out += 1,
            }
        }
        Some(Self { name: name.trim().to_owned(), value: value.trim().to_owned(), attributes, left_out })
    }

    /// For how many seconds from now on it lives. Of an age and a date the age counts (RFC 6265, section 5.3), of several
    /// the last; a cookie without either ends with the session.
    fn lives(&self, now: Moment) -> Option<i64> {
        let last = |wanted: &str| {
            let value = |a: &String| a.split_once('=').map(|(_, v)| v.trim().to_owned()).unwrap_or_default();
            self.attributes.iter().rfind(|a| attribute_name(a) == wanted).map(value)
        };
        // What cannot be read lives for ever.
        match (last("max-age"), last("expires")) {
            (Some(age), _) => Some(age.parse::<i64>().unwrap_or(i64::MAX)),
            (None, Some(date)) => Some(seconds_until(&date, now).unwrap_or(i64::MAX)),
            (None, None) => None,
        }
    }

    /// The cookie with a life of at most so many seconds from now on, and whether it was shortened.
    pub(crate) fn clamped(self, seconds_max: u64, now: Moment) -> (Self, bool) {
        let max = i64::try_from(seconds_max).unwrap_or(i64::MAX);
        if self.lives(now).is_none_or(|lives| lives <= max) {
            return (self, false);
        }
        let lasts = |a: &String| ["max-age", "expires"].contains(&attribute_name(a).as_str());
        let kept = self.attributes.into_iter().filter(|a| !lasts(a));
        let attributes = kept.chain([format!("Max-Age={seconds_max}")]).collect();
        (Self { attributes, ..self }, true)
    }

    /// The same without a value, where it takes the cookie away from whoever has it: that tells and keeps nothing.
    pub(crate) fn taken_away(self, now: Moment) -> Option<Self> {
        self.lives(now).is_some_and(|lives| lives <= 0).then(|| Self { value: String::new(), ..self })
    }

    /// The line as it goes on.
    pub(crate) fn line(&self) -> Option<HeaderValue> {
        let pair = format!("{}={}", self.name, self.value);
        let all: Vec<&str> =
            std::iter::once(pair.as_str()).chain(self.attributes.iter().map(String::as_str)).collect();
        HeaderValue::from_str(&all.join("; ")).ok()
    }
}

fn attribute_name(attribute: &str) -> String {
    attribute.split('=').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How long it is until an HTTP date (RFC 9110, section 5.6.7).
fn seconds_until(date: &str, now: Moment) -> Option<i64> {
    Some(http_date(date)?.as_millisecond().saturating_sub(now.unix_millis()) / 1000)
}

/// When an HTTP date is. What is later than any moment that is reckoned with, on the last day of the year 9999, is the last one.
fn http_date(date: &str) -> Option<jiff::Timestamp> {
    let date = date.replace('-', " ");
    let at = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", date).ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(at).unwrap_or(jiff::Timestamp::MAX))
}

/// An attribute in its plain form, if it has one.
fn plain(attribute: &str, is_described: impl Fn(&str, &str) -> bool) -> Option<String> {
    let (name, value) =
        attribute.split_once('=').map_or((attribute, None), |(n, v)| (n.trim(), Some(v.trim())));
    let lower = name.to_ascii_lowercase();
    let stays = match (lower.as_str(), value) {
        // A browser takes no notice of what stands behind these (RFC 6265, section 5.2), and keeps more without them.
        (flag, _) if FLAGS.contains(&flag) => return Some(name.to_owned()),
        ("expires", Some(value)) => return cookie_date(value).map(|date| format!("{name}={date}")),
        ("samesite", Some(value)) => SAME_SITE.contains(&value.to_ascii_lowercase().as_str()),
        ("path", Some("/")) => true,
        (place @ ("path" | "domain"), Some(value)) => is_described(place, value),
        ("max-age", Some(value)) => {
            let digits = value.strip_prefix('-').unwrap_or(value);
            (1..=MAX_AGE_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        }
        (_, _) => false,
    };
    stays.then(|| attribute.to_owned())
}

/// The end of a cookie as an HTTP date, also where it is written as services still write it: in the zone of Greenwich by another
/// name or by none, with a year of two digits, a day of one, a weekday in full, or as `asctime` writes it (RFC 6265, section 5.1.1).
fn cookie_date(text: &str) -> Option<String> {
    let text = ZONES.iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(text).trim_end();
    let Some((weekday, rest)) = text.split_once(", ") else {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[weekday, month, day, time, year] = words.as_slice() else { return None };
        return in_one_form(weekday, [day, month, year], time, " ");
    };
    let (date, time) = rest.rsplit_once(' ')?;
    let divider = if date.contains('-') { "-" } else { " " };
    let parts: Vec<&str> = date.split(divider).collect();
    let &[day, month, year] = parts.as_slice() else { return None };
    in_one_form(weekday, [day, month, year], time, divider)
}

/// An HTTP date of these parts.
fn in_one_form(weekday: &str, [day, month, year]: [&str; 3], time: &str, divider: &str) -> Option<String> {
    // A weekday in full stands before what hyphens divide (RFC 850).
    let in_full = WEEKDAYS.iter().find(|name| **name == weekday && divider == "-");
    let weekday = in_full.map_or(Some(weekday), |name| name.get(..3))?;
    let century = match year.len() {
        2 if year < "70" => "20",
        2 => "19",
        _ => "",
    };
    let date = format!("{weekday}, {day:0>2}{divider}{month}{divider}{century}{year} {time} GMT");
    is_http_date(&date).then_some(date)
}

/// Whether a text is an HTTP date (RFC 9110, section 5.6.7) whose day is that of the date.
pub(crate) fn is_http_date(text: &str) -> bool {
    DATES.iter().any(|form| is_of(form, text)) && http_date(text).is_some()
}

fn is_of(form: &str, text: &str) -> bool {
    let fits = |(want, got): (u8, u8)| match want {
        b'0' => got.is_ascii_digit(),
        b'a' => got.is_ascii_alphabetic(),
        want => want == got,
    };
    form.len() == text.len() && form.bytes().zip(text.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_what_could_be_passed_on() {
        for (lines, expected) in [
            (&["application/json"][..], Some("application/json")),
            (&["text/html, application/xhtml+xml, */*;q=0.8"], Some("*/*")),
            (&["application/json;q=0.5", "*/*"], Some("*/*, application/json")),
            (&["application/json;q=0, */*;q=0.001"], Some("*/*")),
            (&["application/json;q=0.000", "application/*; Q = 0.0"], None),
            (
                &["*/*;q=0.1, application/json;v=1;q=0.25, application/*;q=.5"],
                Some("application/*, application/json, */*"),
            ),
            (
                &["application/json;q=0.2, application/hal+json;q=0.9, */*;q=0.5"],
                Some("application/json, */*"),
            ),
            (&["application/json;q=0.0001, */*"], Some("application/json, */*")),
            (&["application/json;q=2, */*;q=1.000"], Some("application/json, */*")),
            (&["application/json;for=ann"], Some("application/json")),
            (
                &["application/vnd.4111111111111111+json, */*, application/json", "a/b"],
                Some("application/json, */*"),
            ),
            (&["ann@example.org", "text/html"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("accept", line.parse().unwrap());
            }
            let value = accept(&headers, &MediaTypes::json());
            assert_eq!(value.as_ref().map(|v| v.to_str().unwrap()), expected, "{lines:?}");
        }
        let table = MediaTypes::read(["text/csv"]).unwrap();
        let mut headers = HeaderMap::new();
        headers
            .append("accept", "text/*, Text/CSV;q=1, application/*, application/json, a*".parse().unwrap());
        assert_eq!(accept(&headers, &table).unwrap(), "text/*, text/csv");
        let own = MediaTypes::read(["application/hal+json"]).unwrap();
        let mut headers = HeaderMap::new();
        headers.append("accept", "application/hal+json, application/ld+json".parse().unwrap());
        assert_eq!(accept(&headers, &own).unwrap(), "application/hal+json");
        let mut headers = HeaderMap::new();
        headers.append("accept", "text/html,application/xml;q=0.9,image/*,*/*;q=0.8".parse().unwrap());
        assert_eq!(accept(&headers, crate::page::types()).unwrap(), "text/html, image/*, */*");
    }

    #[test]
    fn law_13_an_attribute_of_a_cookie_holds_nobodys_name() {
        let described = |attribute: &str, value: &str| {
            [("path", "/shop"), ("domain", ".shop.example")].contains(&(attribute, value))
        };
        for (line, expected, left_out) in [
            ("sid=1", "sid=1", 0),
            ("sid = 1 ;Secure;HttpOnly", "sid=1; Secure; HttpOnly", 0),
            ("sid=1; Path=/; SameSite=Lax; Max-Age=-1", "sid=1; Path=/; SameSite=Lax; Max-Age=-1", 0),
            (
                "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                0,
            ),
            ("sid=1; Expires=Ann, 01 Jan 1970 00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Ann, 01 Jan 1970 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Fri, 01 Jan 1970 00:00:00 GMT", "sid=1", 1),
            (
                "sid=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
                "sid=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
                0,
            ),
            ("sid=1; Path=/ann; Domain=ann.example; Comment=ann", "sid=1", 3),
            ("sid=1; Path=/shop; Domain=.shop.example", "sid=1; Path=/shop; Domain=.shop.example", 0),
            ("sid=1; Path; Domain=/shop; Comment=/shop", "sid=1", 3),
            ("sid=1; Max-Age=491700123456; Secure=ann; ann", "sid=1; Secure", 2),
            ("sid=1; HttpOnly=true; secure=; Partitioned = ann", "sid=1; HttpOnly; secure; Partitioned", 0),
            (
                "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 UTC",
                "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                0,
            ),
            (
                "sid=1; expires=Thu, 01 Jan 1970 00:00:00 -0000",
                "sid=1; expires=Thu, 01 Jan 1970 00:00:00 GMT",
                0,
            ),
            (
                "sid=1; Expires=Thursday, 01-Jan-70 00:00:00 GMT",
                "sid=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
                0,
            ),
            (
                "sid=1; Expires=Thursday, 31-Dec-26 00:00:00 GMT",
                "sid=1; Expires=Thu, 31-Dec-2026 00:00:00 GMT",
                0,
            ),
            // However services write it, and whatever a browser would take it for.
            ("sid=1; Expires=Thu, 01-Jan-70 00:00:00 GMT", "sid=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT", 0),
            ("sid=1; Expires=Thu, 31-Dec-69 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Tue, 31-Dec-69 00:00:00 GMT", "sid=1; Expires=Tue, 31-Dec-2069 00:00:00 GMT", 0),
            ("sid=1; Expires=Fri, 31 Dec 99 23:59:59 GMT", "sid=1; Expires=Fri, 31 Dec 1999 23:59:59 GMT", 0),
            (
                "sid=1; Expires=Thu, 1 Jan 1970 00:00:00 GMT",
                "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                0,
            ),
            (
                "sid=1; Expires=Thursday, 1-Jan-70 00:00:00 UTC",
                "sid=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
                0,
            ),
            ("sid=1; Expires=Thu, 01 Jan 1970 00:00:00", "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("sid=1; Expires=Thu Jan  1 00:00:00 1970", "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0),
            (
                "sid=1; Expires=Thu Jan 01 00:00:00 1970 GMT",
                "sid=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                0,
            ),
            (
                "sid=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
                "sid=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
                0,
            ),
            (
                "sid=1; Expires=Fri, 31-Dec-9999 23:59:59 GMT",
                "sid=1; Expires=Fri, 31-Dec-9999 23:59:59 GMT",
                0,
            ),
            ("sid=1; Expires=Sat, 31 Dec 9999 23:59:59 GMT", "sid=1", 1),
            ("sid=1; Expires=Fri, 31 Dec 9999 24:11:11 GMT", "sid=1", 1),
            ("sid=1; Expires=Sat, 01 Jan 10000 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Thu, 001 Jan 1970 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Thu, 01 Jan 170 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Thu, 01 Jan 7A 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Thu, 01-Jan 1970 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Fri Jan  1 00:00:00 1970", "sid=1", 1),
            ("sid=1; Expires=Thu Jan  1 00:00:00 1970 ann", "sid=1", 1),
            ("sid=1; Expires=Thu Ann  1 00:00:00 1970", "sid=1", 1),
            ("sid=1; Expires=Thu, 01 Jan 1970 00:00:00 CET", "sid=1", 1),
            ("sid=1; Expires=", "sid=1", 1),
            ("sid=1; Expires=GMT", "sid=1", 1),
            ("sid=1; Expires=Friday, 01-Jan-70 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Thursday, 01-Ann-70 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Thursday, 01 Jan 1970 00:00:00 GMT", "sid=1", 1),
            ("sid=1; Expires=Thu, 01 Jan 1970 00:00:00 +0100", "sid=1", 1),
            ("sid=1; SameSite=ann", "sid=1", 1),
        ] {
            let cookie = SetCookie::read(&line.parse().unwrap(), described).unwrap();
            assert_eq!(cookie.line().unwrap(), expected, "{line}");
            assert_eq!(cookie.left_out, left_out, "{line}");
        }
        assert!(SetCookie::read(&HeaderValue::from_static("ann"), described).is_none());
    }

    #[test]
    fn law_8_a_cookie_lives_no_longer_than_it_may() {
        let now = Moment::from_unix_millis(1_780_272_000_000); // 2026-06-01
        let year = 31_536_000;
        for (line, expected, shortened) in [
            ("sid=1", "sid=1", false),
            ("sid=1; Max-Age=60", "sid=1; Max-Age=60", false),
            ("sid=1; Max-Age=-1", "sid=1; Max-Age=-1", false),
            ("sid=1; Max-Age=99999999; Secure", "sid=1; Secure; Max-Age=31536000", true),
            ("sid=1; Max-Age=60; Max-Age=99999999", "sid=1; Max-Age=31536000", true),
            (
                "sid=1; Expires=Mon, 01 Jun 2026 00:00:10 GMT",
                "sid=1; Expires=Mon, 01 Jun 2026 00:00:10 GMT",
                false,
            ),
            (
                "sid=1; Expires=Thu, 31 Dec 2099 23:59:59 GMT; Max-Age=5",
                "sid=1; Expires=Thu, 31 Dec 2099 23:59:59 GMT; Max-Age=5",
                false,
            ),
            // A date that nobody can read is left out: the cookie ends with the session.
            ("sid=1; Expires=Fri, 41 Foo 2099 23:59:59 GMT", "sid=1", false),
            ("sid=1; Expires=Thu, 31 Dec 2099 23:59:59 GMT", "sid=1; Max-Age=31536000", true),
            // There is no moment after the last: the cookie would stay for ever.
            ("sid=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", "sid=1; Max-Age=31536000", true),
            ("sid=1; Expires=Fri, 31-Dec-49 23:59:59 GMT", "sid=1; Max-Age=31536000", true),
        ] {
            let cookie = SetCookie::read(&line.parse().unwrap(), |_, _| false).unwrap();
            let (cookie, cut) = cookie.clamped(year, now);
            assert_eq!((cookie.line().unwrap().to_str().unwrap(), cut), (expected, shortened), "{line}");
        }
    }
}
