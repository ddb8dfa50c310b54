//! A body that is one datum.

use consentry_body::{BodyFault, Limits};
use consentry_model::Format;

use crate::support::{EMAIL, NAME, OPEN, clear, map, masked, run, withheld};

#[test]
fn all_of_it_or_nothing() {
    let map = map(&[("**", EMAIL)], None);
    let body = b"%PDF-1.7 \xff\0 ann@example.org";
    for pieces in [&[][..], &[1], &[7, 3]] {
        let (out, report) = run(Format::Whole, &map, Limits::default(), body, pieces, &clear).unwrap();
        assert_eq!((&out[..], report.personal_kept), (&body[..], 1));
        for verdict in [&withheld as crate::support::Verdict<'_>, &masked] {
            let ran = run(Format::Whole, &map, Limits::default(), body, pieces, verdict);
            assert_eq!(ran.unwrap_err(), (Vec::new(), BodyFault::NothingLeft));
        }
    }
    // Even that there is nothing is about somebody.
    let ran = run(Format::Whole, &map, Limits::default(), b"", &[], &withheld);
    assert_eq!(ran.unwrap_err().1, BodyFault::NothingLeft);
    assert_eq!(run(Format::Whole, &map, Limits::default(), b"", &[], &clear).unwrap().0, b"");
}

#[test]
fn law_1_without_a_class_nothing_passes() {
    for map in [map(&[("**", OPEN)], None), map(&[("a", NAME)], None), map(&[], None)] {
        let ran = run(Format::Whole, &map, Limits::default(), b"x", &[], &clear);
        assert_eq!(ran.unwrap_err().1, BodyFault::Undeclared);
    }
}
