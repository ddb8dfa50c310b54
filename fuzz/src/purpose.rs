//! The header `Data-Purpose`: lines in, one purpose or a refusal out.

use consentry_identity::declared_purpose;

/// Reads the lines of the input as the header's lines.
pub fn run(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|b| *b == b'\n').collect();
    if let Ok(Some(purpose)) = declared_purpose(&lines) {
        assert_eq!(lines.len(), 1, "one purpose of several lines");
        let text = purpose.to_string();
        let written = String::from_utf8(lines[0].to_vec()).expect("a purpose is ASCII");
        assert_eq!(written.trim_matches([' ', '\t']), text, "the purpose is not the one that was written");
        assert_eq!(declared_purpose(&[text.as_bytes()]), Ok(Some(purpose)));
    }
}
