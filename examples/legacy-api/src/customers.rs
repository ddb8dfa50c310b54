//! Two hundred customers, each made from its number.

use serde_json::{Value, json};

/// Number of the first customer: `c-1001`.
const FIRST: usize = 1001;
/// How many customers there are.
pub(crate) const COUNT: usize = 200;

const GIVEN: [&str; 20] = [
    "Alder", "Birch", "Cedar", "Dale", "Elm", "Fern", "Glen", "Hazel", "Iris", "Juniper", "Kit", "Linden",
    "Marlow", "Noel", "Oakley", "Perry", "Quinn", "Rowan", "Sorrel", "Tarn",
];
const FAMILY: [&str; 10] = [
    "Sample",
    "Example",
    "Specimen",
    "Placeholder",
    "Fixture",
    "Mockup",
    "Dummy",
    "Pattern",
    "Template",
    "Draft",
];
const CITIES: [(&str, &str, &str); 5] = [
    ("Testville", "10115", "DE"),
    ("Fixture Falls", "02134", "US"),
    ("Sampleton", "SW1A 0AA", "GB"),
    ("Exempelby", "11122", "SE"),
    ("Modelburg", "75001", "FR"),
];
const PLANS: [&str; 3] = ["starter", "team", "enterprise"];
const BRANDS: [&str; 3] = ["visa", "mastercard", "amex"];

fn pick<T: Copy>(from: &[T], at: usize) -> Option<T> {
    from.get(at.checked_rem(from.len())?).copied()
}

/// The place of an id among the customers, from 0.
pub(crate) fn index(id: &str) -> Option<usize> {
    let digits = id.strip_prefix("c-").filter(|d| d.len() == 4 && d.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse::<usize>().ok()?.checked_sub(FIRST).filter(|at| *at < COUNT)
}

/// `c-1001` to `c-1200`.
pub(crate) fn id(at: usize) -> String {
    format!("c-{}", FIRST + at)
}

/// A name that nobody else here has.
pub(crate) fn name(at: usize) -> String {
    let given = pick(&GIVEN, at).unwrap_or_default();
    let family = pick(&FAMILY, at / GIVEN.len()).unwrap_or_default();
    format!("{given} {family}")
}

/// The address that belongs to the name.
pub(crate) fn email(at: usize) -> String {
    format!("{}@example.com", name(at).to_lowercase().replace(' ', "."))
}

/// A number of the range kept for fiction.
pub(crate) fn phone(at: usize) -> String {
    let area = if at < 100 { 202 } else { 303 };
    format!("+1-{area}-555-01{:02}", at % 100)
}

/// Everything in the customer's record.
pub(crate) fn profile(at: usize) -> Value {
    let (city, postal_code, country) = pick(&CITIES, at).unwrap_or_default();
    let score = at * 37 % 101;
    json!({
        "id": id(at),
        "name": name(at),
        "email": email(at),
        "phone": phone(at),
        "company": format!("Example Company {}", at % 40 + 1),
        "address": {
            "street": format!("{} Placeholder Street", at % 90 + 1),
            "city": city,
            "postal_code": postal_code,
            "country": country,
        },
        "card": {
            "brand": pick(&BRANDS, at),
            "last4": format!("{:04}", at * 7919 % 10_000),
            "pan_token": pan_token(at),
        },
        "plan": pick(&PLANS, at),
        "uptime_percent": uptime(at),
        "internal_score": score,
        "support_notes": format!("Prefers to be called at {}; complained {} times.", phone(at), score % 4),
    })
}

/// One of ten steps, twenty customers on each.
pub(crate) fn uptime(at: usize) -> f64 {
    99.0 + f64::from(u8::try_from(at % 10).unwrap_or(0)) / 10.0
}

fn pan_token(at: usize) -> String {
    format!("tok_test_{:08}", at * 104_729 % 100_000_000)
}

/// Three invoices.
pub(crate) fn invoices(at: usize) -> Value {
    let invoice = |n: usize| {
        json!({
            "number": format!("i-{}-{n}", FIRST + at),
            "customer": id(at),
            "name": name(at),
            "email": email(at),
            "amount": 49 + at % 10 * 10,
            "currency": "EUR",
            "issued": format!("2026-{:02}-01", n * 3),
            "paid": n < 3,
        })
    };
    json!({ "invoices": [invoice(1), invoice(2), invoice(3)] })
}

/// The last payment.
pub(crate) fn payment(at: usize) -> Value {
    json!({
        "customer": id(at),
        "name": name(at),
        "pan_token": pan_token(at),
        "amount": 49 + at % 10 * 10,
        "currency": "EUR",
        "phone": phone(at),
        "notes": format!("Called from {} about the last invoice.", phone(at)),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn customers_are_distinct_and_found_by_their_ids_only() {
        let emails: BTreeSet<_> = (0..COUNT).map(email).collect();
        let phones: BTreeSet<_> = (0..COUNT).map(phone).collect();
        assert_eq!((emails.len(), phones.len()), (COUNT, COUNT));
        for at in 0..COUNT {
            assert_eq!(index(&id(at)), Some(at));
        }
        for wrong in ["c-1000", "c-1201", "c-01001", "c-+100", "1001", "C-1001", "c-", ""] {
            assert_eq!(index(wrong), None, "{wrong}");
        }
    }
}
