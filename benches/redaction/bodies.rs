//! The bodies: invented people, the same in each run.

use std::fmt::Write as _;

/// A body, and the path under which the six fields stand in it.
pub(crate) struct Body {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The path of one person: empty for the profile, `[]` for a list.
    pub(crate) person: &'static str,
}

const CITIES: [&str; 6] = ["Bristol", "Leeds", "Cork", "M\u{fc}nchen", "Utrecht", "Malm\u{f6}"];
const STREETS: [&str; 4] = ["Station Road", "Mill Lane", "Harbour Walk", "Old Market"];
const NAMES: [&str; 6] =
    ["Ann Example", "Bob Sample", "Cleo Specimen", "Dan Pattern", "Eve Model", "Finn Muster"];
const PLANS: [&str; 3] = ["basic", "family", "premium"];

impl Body {
    /// One person with much besides: two kilobytes.
    pub(crate) fn profile() -> Self {
        let mut text = String::new();
        text.push('{');
        person(7, &mut text);
        text.push_str(r#","bio":"Grew up by the sea, moved inland for work and never quite got used to it. Keeps bees, repairs clocks, and writes a column on both for the local paper.\nReads everything, remembers half, and lends books to whoever asks, with a slip of paper in each that says where the reading stopped and why it did.","preferences":{"language":"en-GB","currency":"GBP","timezone":"Europe/London","newsletter":false,"theme":"dark","page_size":50},"orders":["#);
        for n in 0..6 {
            let comma = if n == 0 { "" } else { "," };
            let _ = write!(
                text,
                r#"{comma}{{"order":"2024-{:05}","placed":"2024-0{}-1{}T09:{}4:00Z","total":{}.{}0,"currency":"GBP","state":"delivered","items":{}}}"#,
                48_211 + 977 * n,
                n + 1,
                n,
                n,
                19 + 31 * n,
                n + 1,
                n + 1
            );
        }
        text.push_str(r#"],"devices":[{"kind":"phone","system":"android 14","seen":"2024-06-03T18:22:01Z"},{"kind":"laptop","system":"debian 12","seen":"2024-06-01T07:45:39Z"}],"loyalty":{"tier":"silver","points":18250,"until":"2025-01-31","history":[1200,350,90,4100,75,800]},"settings":{"two_factor":true,"sessions":3,"export":null},"notes":"Prefers to be called in the morning; asked twice for paper invoices; the gate code is with the neighbour.","version":412}"#);
        Self { name: "2 KB profile", bytes: text.into_bytes(), person: "" }
    }

    /// A list of people, each a record with a subject of its own.
    pub(crate) fn list(name: &'static str, records: usize) -> Self {
        let mut text = String::from("[");
        for n in 0..records {
            if n > 0 {
                text.push(',');
            }
            record(n, &mut text);
        }
        text.push(']');
        Self { name, bytes: text.into_bytes(), person: "[]" }
    }

    /// The paths of the fields that carry nothing personal.
    pub(crate) fn open(&self) -> Vec<String> {
        let of_person = [
            "id",
            "name",
            "address.city",
            "address.country",
            "payment.bic",
            "plan",
            "active",
            "visits",
            "balance",
            "tags[]",
            "since",
        ];
        let of_profile = [
            "bio",
            "preferences.**",
            "orders[].**",
            "devices[].**",
            "loyalty.**",
            "settings.**",
            "notes",
            "version",
        ];
        let more = if self.person.is_empty() { &of_profile[..] } else { &[] };
        of_person.iter().chain(more).map(|path| self.path(path)).collect()
    }

    /// The path of one of a person's fields in this body.
    pub(crate) fn path(&self, field: &str) -> String {
        let dot = if self.person.is_empty() { "" } else { "." };
        format!("{}{dot}{field}", self.person)
    }
}

/// The record of one person.
pub(crate) fn record(n: usize, text: &mut String) {
    text.push('{');
    person(n, text);
    text.push('}');
}

fn person(n: usize, text: &mut String) {
    let pick = |of: &[&'static str]| of.get(n % of.len()).copied().unwrap_or_default();
    let (name, city, street, plan) = (pick(&NAMES), pick(&CITIES), pick(&STREETS), pick(&PLANS));
    let _ = write!(
        text,
        r#""id":"c{n:06}","name":"{name}","email":"person.{n}@example.org","phone":"+44 20 7946 {:04}","ssn":"{:03}-{:02}-{:04}","address":{{"street":"{} {street}","city":"{city}","zip":"BS{} {}DJ","country":"GB"}},"payment":{{"iban":"GB33BUKB2020{:010}","bic":"BUKBGB22"}},"plan":"{plan}","active":{},"visits":{},"balance":{}.{:02},"tags":["new","by-mail"],"since":"20{:02}-0{}-1{}""#,
        n * 7 % 10_000,
        n * 31 % 900,
        n % 90 + 10,
        n * 13 % 10_000,
        n % 180 + 1,
        n % 20 + 1,
        n % 9 + 1,
        n * 97,
        !n.is_multiple_of(3),
        n % 400,
        n * 37 % 5_000,
        n % 100,
        n % 14 + 10,
        n % 9 + 1,
        n % 9
    );
}
