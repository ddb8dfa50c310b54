//! The part of `deny.toml` that is checked here.

use cargo_metadata::semver::{Version, VersionReq};
use serde::{Deserialize, Deserializer};

/// The file. Sections that only cargo-deny knows are left to it; in the lists below an unknown key is an error.
#[derive(Debug, Deserialize)]
pub(crate) struct Deny {
    pub(crate) graph: Graph,
    pub(crate) licenses: Licenses,
    pub(crate) bans: Bans,
}

/// For which platforms the graph is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Graph {
    pub(crate) targets: Vec<String>,
}

/// `[licenses]`.
#[derive(Debug, Deserialize)]
pub(crate) struct Licenses {
    pub(crate) allow: Vec<String>,
    #[serde(default)]
    pub(crate) exceptions: Vec<LicenceException>,
}

/// Licences allowed for one crate only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LicenceException {
    #[serde(rename = "crate")]
    pub(crate) spec: Spec,
    pub(crate) allow: Vec<String>,
}

/// `[bans]`.
#[derive(Debug, Deserialize)]
pub(crate) struct Bans {
    #[serde(default)]
    pub(crate) deny: Vec<Wall>,
    #[serde(default)]
    pub(crate) skip: Vec<Skip>,
}

/// A crate that only the named crates may depend on directly.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wall {
    #[serde(rename = "crate")]
    pub(crate) spec: Spec,
    #[serde(default)]
    pub(crate) wrappers: Vec<String>,
    pub(crate) reason: String,
}

/// A version that may be there besides another one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Skip {
    #[serde(rename = "crate")]
    pub(crate) spec: Spec,
    pub(crate) reason: String,
}

/// `name`, `name@1.2.3` (that version) or `name:1.2` (a requirement).
#[derive(Debug)]
pub(crate) struct Spec {
    name: String,
    version: VersionReq,
}

impl Deny {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not TOML, misses a section, or an entry gives no reason.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let deny: Self = toml::from_str(text).map_err(|e| format!("deny.toml: {e}"))?;
        let reasons = deny.bans.deny.iter().map(|wall| (&wall.spec, &wall.reason));
        let mut reasons = reasons.chain(deny.bans.skip.iter().map(|skip| (&skip.spec, &skip.reason)));
        match reasons.find(|(_, reason)| reason.trim().is_empty()) {
            Some((spec, _)) => Err(format!("deny.toml: the entry for `{}` gives no reason", spec.name)),
            None => Ok(deny),
        }
    }
}

impl Spec {
    /// Whether the package is meant.
    pub(crate) fn matches(&self, name: &str, version: &Version) -> bool {
        self.name == name && (self.version == VersionReq::STAR || self.version.matches(version))
    }

    /// The crate's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (name, version) = match (text.split_once('@'), text.split_once(':')) {
            (Some((name, version)), _) => (name, VersionReq::parse(&format!("={version}"))),
            (None, Some((name, version))) => (name, VersionReq::parse(version)),
            (None, None) => (text, Ok(VersionReq::STAR)),
        };
        let version = version.map_err(|e| format!("`{text}` does not name a version: {e}"))?;
        Ok(Self { name: name.to_owned(), version })
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_names_a_crate_and_perhaps_its_versions() {
        let cases = [
            ("a", "a", "1.2.3", true),
            ("a", "a", "1.2.3-rc.1", true),
            ("a", "b", "1.2.3", false),
            ("a@1.2.3", "a", "1.2.3", true),
            ("a@1.2.3", "a", "1.2.4", false),
            ("a:1.2", "a", "1.9.0", true),
            ("a:0.2", "a", "0.3.0", false),
        ];
        for (spec, name, version, expected) in cases {
            let matches = Spec::parse(spec).unwrap().matches(name, &Version::parse(version).unwrap());
            assert_eq!(matches, expected, "{spec} on {name} {version}");
        }
        assert!(Spec::parse("a@x").is_err());
    }

    #[test]
    fn what_has_no_reason_or_an_unknown_key_is_refused() {
        let file = |entry: &str| {
            format!("[graph]\ntargets = []\n[licenses]\nallow = []\n[bans]\nskip = [{entry}]\n")
        };
        assert!(Deny::parse(&file(r#"{ crate = "a", reason = "b needs it" }"#)).is_ok());
        for entry in [
            r#"{ crate = "a" }"#,
            r#"{ crate = "a", reason = " " }"#,
            r#"{ crate = "a", reason = "x", depth = 2 }"#,
            r#"{ crate = "a@", reason = "x" }"#,
        ] {
            assert!(Deny::parse(&file(entry)).is_err(), "{entry}");
        }
    }
}
