//! A bundle's text: it is read, or every mistake has a place; and what was read decides.

use consentry_policy::{Bundle, Engine, Sources};

/// Reads the input as the only file of a bundle.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Bundle::read(&Sources::from_texts([("fuzz.yaml", text)])) {
        Ok(bundle) => drop(Engine::new(bundle)),
        Err(found) => {
            assert!(found.has_errors(), "a bundle that is not read has no error");
            assert!(!found.render(false).is_empty() && !found.to_json().is_empty());
        }
    }
}
