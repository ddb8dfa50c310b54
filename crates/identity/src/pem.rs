//! One PEM block, read strictly: nothing before or after it but white space.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The bytes in the one block `label`.
pub(crate) fn decode(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    // A second block would bring dashes, which are no base64.
    let dense: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).ok()
}

/// Writes one block with lines of 64 characters.
pub(crate) fn encode(label: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut line = 0;
    for character in STANDARD.encode(bytes).chars() {
        if line == 64 {
            text.push('\n');
            line = 0;
        }
        text.push(character);
        line += 1;
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}
