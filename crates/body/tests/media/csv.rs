//! Tables.

use consentry_body::{BodyFault, Limits};
use consentry_model::Format;

use crate::support::{EMAIL, NAME, OPEN, check, clear, map, masked, only, run, scope, withheld};

#[test]
fn rows_are_records_and_columns_are_fields() {
    let map = map(&[("id", OPEN), ("name", NAME), ("mail", EMAIL)], Some(("", scope("id", &[]))));
    let two = "id,ssn,name\r\n1,x,Ann\r\n2,y,\"B, \"\"b\"\"\nob\"\r\n";
    check(
        Format::Csv,
        &map,
        &[
            ("id,name", &clear, Ok("id,name")),
            ("id,name\n1,Ann\n", &clear, Ok("id,name\n1,Ann\n")),
            ("id,name\n1,Ann", &clear, Ok("id,name\n1,Ann")),
            // What a spreadsheet begins with is no part of a name.
            ("\u{feff}name,id\n\u{feff}Ann,2\n", &clear, Ok("\u{feff}name,id\n\u{feff}Ann,2\n")),
            ("\u{feff}name,id\nAnn,1\nBob,2\n", &only("2"), Ok("\u{feff}name,id\nBob,2\n")),
            ("\u{feff}\"name\",id\nAnn,1\n", &withheld, Ok("\u{feff}\"name\",id\n")),
            ("\u{feff}ssn,id\n1,2\n", &clear, Ok("\u{feff}id\n2\n")),
            // A column without a name is one that nobody declared.
            (",name,id\n0,Ann,1\n1,Bob,2\n", &only("2"), Ok("name,id\nBob,2\n")),
            ("id,\"\",name\n1,ssn,Ann\n", &clear, Ok("id,name\n1,Ann\n")),
            (two, &clear, Ok("id,name\r\n1,Ann\r\n2,\"B, \"\"b\"\"\nob\"\r\n")),
            (two, &only("2"), Ok("id,name\r\n2,\"B, \"\"b\"\"\nob\"\r\n")),
            (two, &withheld, Ok("id,name\r\n")),
            (
                "id,\"mail\",name\n1,\"ann@x.org\",=1+1\n",
                &masked,
                Ok("id,\"mail\",name\n1,\"a***@x.org\",\n"),
            ),
            ("id,mail,name\n1,ann@x.org,\n", &masked, Ok("id,mail,name\n1,a***@x.org,\n")),
            ("id,name\n1,\n", &withheld, Ok("id,name\n1,\n")),
            // Whether there was something in it is not told by quotes.
            ("id,name\n\"1\",\"\"\n\"2\",\"Ann\"\n", &only("2"), Ok("id,name\n\"1\",\n\"2\",\"Ann\"\n")),
            ("id,mail\n\"\",\"\"\n\"2\",\"\"\n", &masked, Ok("id,mail\n\"\",\n\"2\",\n")),
        ],
    );
    let alone = map_of_one();
    check(
        Format::Csv,
        &alone,
        &[
            ("name\nAnn\nBob\n", &withheld, Ok("name\n\"\"\n\"\"\n")),
            ("x,name\n1,Ann\n", &withheld, Ok("name\n\"\"\n")),
            ("x,name\n1,\n2,Bob\n3,", &clear, Ok("name\n\"\"\nBob\n\"\"")),
            ("x,name\r\n1,\r\n", &withheld, Ok("name\r\n\"\"\r\n")),
            ("name\n\"\"\n", &clear, Ok("name\n\"\"\n")),
        ],
    );
}

#[test]
fn law_1_a_blank_line_in_a_table_of_one_column_has_two_readings_and_is_refused() {
    let rows = ["name\n\nAnn\n", "name\nAnn\n\n", "name\r\nAnn\r\n\r\n", "name\n\n"];
    let rows: Vec<crate::support::Row<'_>> = rows
        .iter()
        .map(|body| (*body, &clear as crate::support::Verdict<'_>, Err(BodyFault::Ragged)))
        .collect();
    check(Format::Csv, &map_of_one(), &rows);
}

fn map_of_one() -> std::sync::Arc<consentry_model::FieldMap> {
    map(&[("name", NAME)], None)
}

#[test]
fn law_1_a_table_with_two_readings_is_refused() {
    let map = map(&[("id", OPEN), ("name", NAME)], None);
    check(
        Format::Csv,
        &map,
        &[
            ("", &clear, Err(BodyFault::Truncated)),
            ("\n", &clear, Err(BodyFault::Malformed)),
            ("id,name,id\n", &clear, Err(BodyFault::DuplicateKey)),
            ("id,name,x,x\n", &clear, Err(BodyFault::DuplicateKey)),
            ("id,,name,\n", &clear, Err(BodyFault::DuplicateKey)),
            ("id,,name,\"\"\n", &clear, Err(BodyFault::DuplicateKey)),
            ("\"\"\n1\n", &clear, Err(BodyFault::Undeclared)),
            (",\n1,2\n", &clear, Err(BodyFault::DuplicateKey)),
            ("\u{feff}\u{feff}id,name\n", &clear, Err(BodyFault::Malformed)),
            ("\u{feff}\"\u{feff}id\",name\n", &clear, Err(BodyFault::Malformed)),
            ("\"\u{feff}id\",name\n", &clear, Err(BodyFault::Malformed)),
            ("id,\u{feff}name\n", &clear, Err(BodyFault::Malformed)),
            ("\u{feff}", &clear, Err(BodyFault::Malformed)),
            ("\u{feff}\n", &clear, Err(BodyFault::Malformed)),
            ("\u{feff}id,id\n", &clear, Err(BodyFault::DuplicateKey)),
            ("id;name\n1;Ann\n", &clear, Err(BodyFault::Undeclared)),
            ("1,Ann\n2,Bob\n", &clear, Err(BodyFault::Undeclared)),
            ("id,name\n1\n", &clear, Err(BodyFault::Ragged)),
            ("id,name\n1,Ann,x\n", &clear, Err(BodyFault::Ragged)),
            ("id,name\n\n", &clear, Err(BodyFault::Ragged)),
            ("id,name\n1,Ann\n \n", &clear, Err(BodyFault::Ragged)),
            ("id,name\n1,\"Ann\n", &clear, Err(BodyFault::Truncated)),
            ("id,name\n1,A\"nn\"\n", &clear, Err(BodyFault::Malformed)),
            ("id,name\n1,\"Ann\" \n", &clear, Err(BodyFault::Malformed)),
            ("id,name\r1,Ann\r", &clear, Err(BodyFault::Malformed)),
            ("[{\"id\":1}]", &clear, Err(BodyFault::Malformed)),
        ],
    );
    let ran = run(Format::Csv, &map, Limits::default(), b"id,name\n1,\xff\n", &[], &clear);
    assert_eq!(ran.unwrap_err().1, BodyFault::InvalidUtf8);
    let few = Limits { fields_max: 2, record_bytes_max: 12, ..Limits::default() };
    for (body, fault) in [
        ("id,name,x\n", BodyFault::TooManyFields),
        ("id,name\n1,\"a\n b\n c\n d\"", BodyFault::RecordTooLarge),
    ] {
        assert_eq!(
            run(Format::Csv, &map, few, body.as_bytes(), &[5], &clear).unwrap_err().1,
            fault,
            "{body}"
        );
    }
}

/// Much more is held of a cell than a comma.
#[test]
fn law_1_a_table_that_is_decided_as_a_whole_has_so_many_cells_and_no_more() {
    let map = map_of_one();
    let few = Limits { fields_max: 10, ..Limits::default() };
    let whole = Limits { window_bytes_max: usize::MAX, window_subjects_max: usize::MAX, ..few };
    let names = "name,b,c,d,e,f,g,h,i,j\n";
    let long = format!("name,{}\n{}", "x".repeat(3_000), "A,\n".repeat(8));
    assert!(run(Format::Csv, &map, whole, long.as_bytes(), &[], &clear).is_ok());
    let many = Limits { fields_max: 300, ..whole };
    let wide: Vec<String> = (0..300).map(|n| format!("c{n}")).collect();
    let wide = format!("name,{}\n", wide[1..].join(","));
    for (limits, rows, held) in [(many, 256, true), (many, 257, false)] {
        let body = format!("{wide}{}", format!("A{}\n", ",".repeat(299)).repeat(rows));
        let ran = run(Format::Csv, &map, limits, body.as_bytes(), &[], &clear);
        assert_eq!(ran.err().map(|(_, fault)| fault), (!held).then_some(BodyFault::TooManyFields), "{rows}");
    }
    // An answer is decided in more windows.
    let body = format!("{names}{}", "A,,,,,,,,,\n".repeat(2_000));
    assert!(run(Format::Csv, &map, few, body.as_bytes(), &[], &clear).is_ok());
}
