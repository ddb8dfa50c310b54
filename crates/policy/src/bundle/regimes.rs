//! Regimes: dated data about a body of law. A regime says where it governs, which consents and bases count there, and to
//! which countries data may go; its rules only narrow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_model::{ConsentKind, Moment};

use super::countries::country;
use super::dates::Dates;
use crate::text::{Node, Object, Reader};

/// The regimes that are shipped, by id.
const SHIPPED: [(&str, &str); 3] = [
    ("eu-gdpr", include_str!("../../regimes/eu-gdpr.yaml")),
    ("uk-gdpr", include_str!("../../regimes/uk-gdpr.yaml")),
    ("us", include_str!("../../regimes/us.yaml")),
];

/// The text of a shipped regime.
pub(crate) fn shipped(id: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(there, _)| *there == id).map(|(_, text)| *text)
}

/// The ids of the shipped regimes.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(id, _)| *id)
}

/// Where data may go without further ado.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Free {
    Anywhere,
    To(BTreeSet<&'static str>),
}

/// A regime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regime {
    /// Its id, as bundles name it.
    pub id: Arc<str>,
    home: BTreeSet<&'static str>,
    free: Free,
    adequate: BTreeMap<&'static str, Dates>,
    consent_void: Vec<ConsentKind>,
    notice_void: bool,
}

impl Regime {
    /// Reads the `regime` section of a shipped file.
    pub(crate) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let keys = ["id", "consent_void", "basis_void", "home", "free", "adequate"];
        let section = reader.object(node, &keys, "a regime")?;
        let id = reader.need(&section, "id", "a regime").and_then(|n| reader.word(n))?;
        let kinds = ConsentKind::ALL.map(|k| (k.code(), k));
        let void = section.get("consent_void")?;
        let consent_void: Vec<_> =
            reader.list(void).iter().filter_map(|n| reader.one_of(n, "kind of consent", &kinds)).collect();
        let bases = reader.words(section.get("basis_void")?);
        let home = countries(section.get("home")?, reader)?;
        let free = match section.get("free")? {
            node if matches!(&node.kind, crate::text::Kind::Text(word) if word == "any") => Free::Anywhere,
            node => Free::To(countries(node, reader)?),
        };
        let table = reader.mapping(section.get("adequate")?)?;
        let adequate = adequacy(&table, reader)?;
        let notice_void = bases.iter().any(|(word, _)| *word == "notice");
        Some(Self { id: id.into(), home, free, adequate, consent_void, notice_void })
    }

    /// Whether the regime governs the data of somebody in a region, for a controller at home in a country; `None` when
    /// that depends on a region that nobody knows.
    #[must_use]
    pub fn governs(&self, controller: Option<&str>, region: Option<&str>) -> Option<bool> {
        if controller.is_some_and(|c| self.home.contains(c)) {
            return Some(true);
        }
        region.map(|region| self.home.contains(region))
    }

    /// Whether data may go to a country without a safeguard, on a date.
    #[must_use]
    pub fn adequate(&self, to: &str, at: Moment) -> bool {
        let free = match &self.free {
            Free::Anywhere => true,
            Free::To(countries) => countries.contains(to),
        };
        free || self.home.contains(to) || self.adequate.get(to).is_some_and(|dates| dates.hold(at))
    }

    /// Whether a kind of consent counts.
    #[must_use]
    pub fn voids(&self, kind: ConsentKind) -> bool {
        self.consent_void.contains(&kind)
    }

    /// Whether a published notice is no basis.
    #[must_use]
    pub const fn voids_notice(&self) -> bool {
        self.notice_void
    }
}

/// What a bundle's regimes say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regimes {
    /// Where the controller is at home.
    pub home: Option<&'static str>,
    /// The regimes that may govern.
    pub all: Vec<Regime>,
}

impl Regimes {
    /// Whether a kind of consent counts for somebody in a region: not where any regime that may govern voids it.
    #[must_use]
    pub fn counts(&self, kind: ConsentKind, region: Option<&str>) -> bool {
        self.may_govern(region).all(|regime| !regime.voids(kind))
    }

    /// Whether a country is adequate under every regime that may govern, on a date. Without any regime nothing is known
    /// to be.
    #[must_use]
    pub fn adequate(&self, to: &str, region: Option<&str>, at: Moment) -> bool {
        !self.all.is_empty() && self.may_govern(region).all(|regime| regime.adequate(to, at))
    }

    fn may_govern(&self, region: Option<&str>) -> impl Iterator<Item = &Regime> {
        self.all.iter().filter(move |regime| regime.governs(self.home, region) != Some(false))
    }
}

fn countries(node: &Node, reader: &mut Reader) -> Option<BTreeSet<&'static str>> {
    let words = reader.words(node);
    let read: BTreeSet<_> = words.iter().filter_map(|(word, _)| country(word)).collect();
    (read.len() == words.len()).then_some(read)
}

fn adequacy(table: &Object<'_>, reader: &mut Reader) -> Option<BTreeMap<&'static str, Dates>> {
    let mut out = BTreeMap::new();
    for (code, _, value) in table.entries() {
        let dates = reader.object(value, &["from", "until"], "an adequacy decision")?;
        out.insert(country(code)?, Dates::read(&dates, reader)?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Diagnostics;

    fn regimes(home: &'static str, ids: &[&str]) -> Regimes {
        let mut reader = Reader::new(Diagnostics::default());
        let all = ids.iter().map(|id| {
            let node = Node::parse(shipped(id).unwrap(), 0).unwrap();
            let file = reader.object(&node, &["regime", "rules"], "a regime file").unwrap();
            Regime::read(file.get("regime").unwrap(), &mut reader).unwrap()
        });
        Regimes { home: Some(home), all: all.collect() }
    }

    fn day(text: &str) -> Moment {
        let date: jiff::civil::Date = text.parse().unwrap();
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        Moment::from_unix_millis(zoned.timestamp().as_millisecond())
    }

    #[test]
    fn law_1_a_region_that_nobody_knows_leaves_every_regime_standing() {
        let us = regimes("US", &["us", "eu-gdpr"]);
        let governs = |region| us.all.iter().map(|r| r.governs(us.home, region)).collect::<Vec<_>>();
        assert_eq!(governs(Some("US")), [Some(true), Some(false)]);
        assert_eq!(governs(Some("FR")), [Some(true), Some(true)]);
        assert_eq!(governs(None), [Some(true), None]);
        for (region, counts) in [(Some("US"), true), (Some("FR"), false), (None, false)] {
            assert_eq!(us.counts(ConsentKind::Implied, region), counts, "{region:?}");
            assert!(us.counts(ConsentKind::OptIn, region), "{region:?}");
        }
    }

    /// A regime with this table of countries.
    fn tabled(table: &str) -> (Option<Regime>, Vec<&'static str>) {
        let text = format!(
            "{{id: here, consent_void: [], basis_void: [], home: [AT], free: [], adequate: {table}}}"
        );
        let mut reader = Reader::new(Diagnostics::default());
        let read = Regime::read(&Node::parse(&text, 0).unwrap(), &mut reader);
        (read, reader.found.iter().map(|found| found.code).collect())
    }

    #[test]
    fn law_1_a_country_is_adequate_until_its_last_day_is_over() {
        let (regime, found) =
            tabled("{GB: {from: 2021-06-28, until: 2031-12-28}, JP: {until: 2020-01-01}, KR: {}}");
        assert_eq!(found, Vec::<&str>::new());
        let regime = regime.unwrap();
        for (to, at, adequate) in [
            ("GB", day("2021-06-28").saturating_add_millis(-1), false),
            ("GB", day("2021-06-28"), true),
            ("GB", day("2031-12-28").saturating_add_millis(-1), true),
            ("GB", day("2031-12-28"), false),
            ("JP", Moment::BEGINNING, true),
            ("JP", day("2020-01-01").saturating_add_millis(-1), true),
            ("JP", day("2020-01-01"), false),
            ("KR", day("2200-01-01"), true),
        ] {
            assert_eq!(regime.adequate(to, at), adequate, "{to} {at:?}");
        }
        for (table, code) in [
            ("{GB: {from: 2031-12-28, until: 2021-06-28}}", "dates-inverted"),
            ("{GB: {from: 2021-06-28, until: 2021-06-28}}", "dates-inverted"),
            ("{GB: {until: 2021-06-31}}", "not-a-date"),
            ("{GB: {untill: 2021-06-28}}", "unknown-key"),
        ] {
            assert_eq!(tabled(table).1, [code], "{table}");
        }
    }

    #[test]
    fn a_country_is_adequate_from_its_date_on_and_under_every_regime_that_may_govern() {
        let uk = regimes("GB", &["uk-gdpr"]);
        for (to, at, adequate) in [
            ("JP", "2019-01-22", false),
            ("JP", "2019-01-23", true),
            ("FR", "2010-01-01", true),
            ("GB", "2010-01-01", true),
            ("IN", "2026-01-01", false),
        ] {
            assert_eq!(uk.adequate(to, Some("GB"), day(at)), adequate, "{to} {at}");
        }
        let both = regimes("GB", &["uk-gdpr", "eu-gdpr"]);
        assert!(both.adequate("KR", Some("GB"), day("2026-01-01")));
        assert!(!both.adequate("KR", None, day("2022-12-18")), "adequate for the one, not for the other");
        assert!(!Regimes::default().adequate("FR", Some("FR"), day("2026-01-01")));
        assert!(regimes("US", &["us"]).adequate("IN", Some("US"), day("2026-01-01")));
    }
}
