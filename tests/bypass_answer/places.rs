//! Places and files that an answer names.

use consentry_tests::world::json;

use crate::{answer, ask_for, seen, world};

#[tokio::test]
async fn law_1_a_redirection_goes_to_described_places_only() {
    let world = world().await;
    for (path, status, to, passes) in [
        ("/orders", 302, "/orders", true),
        ("/orders", 301, "/orders?page=2", true),
        ("/orders", 303, "https://www.example/orders", true),
        ("/orders", 307, "/quiet", true),
        ("/orders", 308, "/page", true),
        ("/orders", 302, "/customers/c-1", false),
        ("/orders", 302, "/nowhere", false),
        ("/orders", 302, "/orders?user=ann@example.org", false),
        ("/orders", 302, "/orders#ann@example.org", false),
        ("/orders", 302, "//evil.example/orders", false),
        ("/orders", 302, "https://evil.example/orders", false),
        ("/orders", 302, "https://ann@www.example/orders", false),
        ("/orders", 302, "https://www.example:8443/orders", false),
        ("/orders", 302, "orders", false),
        ("/orders", 302, "../orders", false),
        ("/orders", 302, "/x/../orders", false),
        ("/orders", 302, "/%6frders", false),
        ("/orders", 302, "javascript:alert(1)", false),
        ("/orders", 302, "data:text/html,ann", false),
        ("/orders", 302, "", false),
        ("/orders", 300, "/orders", false),
        ("/orders", 304, "/orders", false),
        ("/orders", 305, "/orders", false),
        ("/quiet", 302, "/orders", false),
        // What narrows or adds may say anything: a place that tells of nobody says nothing of anybody there either.
        ("/orders", 302, "/people?q=shoes&with=ids", true),
        ("/orders", 302, "/people?q=1790123456789012345", true),
        ("/orders", 302, "/people?q=4111111111111111", true),
        (
            "/orders",
            302,
            "/people?q=kX8-4v_Zq0Jr7mPy2LwTtB5sNcUe1hGdRoAaIiVfQzKjWx39EMnHbSlFpDuYgC6-_OT",
            true,
        ),
        ("/orders", 302, "/people?q=ann%40example.org", false),
        ("/orders", 302, "/people?q=%2B43+1+2345678", false),
        ("/orders", 302, "/people?q=YW5uQGV4YW1wbGUub3Jn", false),
        ("/orders", 302, "/people?with=ids,ann@example.org", false),
        ("/customers/c-1", 302, "/people?q=shoes", true),
        ("/customers/c-1", 302, "/customers/c-1", true),
        ("/customers/c-1", 302, "/orders", true),
        ("/customers/c-1", 302, "/customers/c-1/more", false),
        ("/customers/c-1", 302, "/papers/c-1?page=2&key=k-1", true),
        // The place is decided as an identifier, and a name is none.
        ("/customers/c-1", 302, "/papers/c-1?called=bob", false),
        ("/customers/c-1", 302, "/papers/c-1?key=k-1&called=bob", false),
    ] {
        let seen = seen(&world, path, status, &[("location", to)]).await;
        let expected = if passes { status } else { 502 };
        assert_eq!(seen.status, expected, "{path} {status} {to}: {seen:?}");
        assert_eq!(seen.headers.contains_key("location"), passes, "{path} {status} {to}");
        assert!(!passes || seen.body.as_ref().is_ok_and(bytes::Bytes::is_empty), "{path} {to}: {seen:?}");
        assert!(!format!("{seen:?}").contains("ann"), "{to}: {seen:?}");
    }
    let two = seen(&world, "/orders", 302, &[("location", "/orders"), ("location", "/quiet")]).await;
    assert_eq!((two.status.as_u16(), &*two.code()), (502, "response-redirect"));
}

#[tokio::test]
async fn law_13_a_place_that_names_somebody_is_decided_like_a_datum() {
    const SERVICE: &str = "essential.service";
    const FRAUD: &str = "essential.fraud_detection";
    let world = world().await;
    let (moved, other) = (("location", "/customers/c-1"), ("link", "</customers/c-1>; rel=self"));
    // For the one purpose the number of a customer may be told, for the other one the name.
    for (purpose, status, header, told, left) in [
        (SERVICE, 302, moved, 302, None),
        (FRAUD, 302, moved, 502, None),
        (SERVICE, 200, other, 200, Some(r#"{"id":"c-1"}"#)),
        (FRAUD, 200, other, 200, Some(r#"{"name":"Bea"}"#)),
    ] {
        let mut answer = answer(status, &[header]);
        *answer.body_mut() = json(r#"{"id":"c-1","name":"Bea"}"#).into_body();
        world.upstream.answers(answer);
        let seen = world.send(ask_for(&world, "/customers/c-1", purpose)).await;
        assert_eq!(world.upstream.take().len(), 1, "{purpose} {header:?}: the service was asked");
        assert_eq!(seen.status, told, "{purpose} {header:?}: {seen:?}");
        let passes = (purpose == SERVICE).then_some(header.1);
        let named = seen.headers.get(header.0).map(|value| value.to_str().unwrap());
        assert_eq!(named, passes, "{purpose} {header:?}: {seen:?}");
        let body = std::str::from_utf8(seen.body.as_ref().unwrap()).unwrap();
        match (told, left) {
            (502, _) => assert_eq!(seen.code(), "response-redirect"),
            (_, left) => assert_eq!(body, left.unwrap_or_default(), "{purpose} {header:?}"),
        }
    }
    let seen = world.send(ask_for(&world, "/customers/c-9", SERVICE)).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "not-permitted"), "nobody knows c-9: {seen:?}");
    assert!(world.upstream.take().is_empty(), "nobody is asked of whom nothing may be told");
}

#[tokio::test]
async fn law_1_headers_that_name_places_and_files_have_one_form() {
    let world = world().await;
    for (path, name, value, expected) in [
        ("/orders", "content-location", "/orders?page=1", Some("/orders?page=1")),
        ("/orders", "content-location", "/customers/c-1", None),
        ("/orders", "link", "</orders?page=2>; rel=\"next\"", Some("</orders?page=2>; rel=\"next\"")),
        (
            "/orders",
            "link",
            "</orders>; rel=first, </orders?page=2>; rel=next",
            Some("</orders>; rel=first, </orders?page=2>; rel=next"),
        ),
        // A comma in a target, or in quotes, divides nothing.
        ("/orders", "link", "</orders?page=1,2>; rel=next", Some("</orders?page=1,2>; rel=next")),
        (
            "/orders",
            "link",
            "</orders?page=1,2>; rel=next, </orders?page=3,4>; rel=\"last\"",
            Some("</orders?page=1,2>; rel=next, </orders?page=3,4>; rel=\"last\""),
        ),
        ("/orders", "link", "</orders>; rel=\"next,last\"", None),
        // Neither tells capitals apart.
        ("/orders", "link", "</orders?page=2>; Rel=\"Next\"", Some("</orders?page=2>; Rel=\"Next\"")),
        ("/orders", "link", "</orders>; REL=PRELOAD", None),
        ("/orders", "link", "</orders>; rev=next", None),
        ("/orders", "link", "</orders?page=1,<//evil.example/>; rel=next", None),
        ("/orders", "link", "</orders?page=\">; rel=next, <//evil.example/>; rel=\"next\"", None),
        ("/orders", "link", "</orders>; rel=\"next, <//evil.example/>; rel=next", None),
        ("/orders", "link", "</orders>; rel=\"next\\\", <//evil.example/>; rel=\"next\"", None),
        ("/orders", "link", "</orders, </orders>; rel=next", None),
        ("/orders", "link", "</orders>; rel=next,", None),
        ("/orders", "link", "</customers/ann>; rel=next", None),
        ("/orders", "link", "<https://evil.example/x.css>; rel=stylesheet", None),
        ("/orders", "link", "</orders>; rel=preload", None),
        ("/orders", "link", "</orders>; rel=next; title=ann", None),
        ("/orders", "link", "</orders>; rel=next, <//evil.example/>; rel=next", None),
        ("/orders", "retry-after", "120", Some("120")),
        ("/orders", "retry-after", "Mon, 01 Jun 2026 00:00:10 GMT", Some("Mon, 01 Jun 2026 00:00:10 GMT")),
        ("/orders", "retry-after", "999999", Some("999999")),
        ("/orders", "retry-after", "4111111111111111", None),
        ("/orders", "retry-after", "0000000", None),
        ("/orders", "retry-after", "", None),
        ("/orders", "retry-after", "Tue, 01 Jun 2026 00:00:10 GMT", None),
        ("/orders", "retry-after", "Pan, 41 Jun 2026 11:11:11 GMT", None),
        ("/orders", "retry-after", "ann", None),
        ("/orders", "content-disposition", "attachment; filename=\"ann.json\"", Some("attachment")),
        ("/orders", "content-disposition", "inline", Some("inline")),
        ("/orders", "content-disposition", "form-data; name=ann", None),
        ("/quiet", "content-disposition", "inline", None),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename=\"c-1.json\"",
            Some("attachment; filename=\"c-1.json\""),
        ),
        // The same name in any signs, as frameworks always write it beside the other.
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename=\"c-1.json\"; filename*=UTF-8''c-1.json",
            Some("attachment; filename=\"c-1.json\"; filename*=UTF-8''c-1.json"),
        ),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename*=utf-8''%C3%A9t%c3%a9%20(1).csv",
            Some("attachment"),
        ),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename*=utf-8''%C3%A9t%c3%a9%20%281%29.csv; filename=_t_.csv",
            Some("attachment; filename*=utf-8''%C3%A9t%c3%a9%20%281%29.csv; filename=_t_.csv"),
        ),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename*=UTF-8''c-1.json",
            Some("attachment; filename*=UTF-8''c-1.json"),
        ),
        ("/orders", "content-disposition", "attachment; filename*=UTF-8''ann.json", Some("attachment")),
        (
            "/papers/c-1",
            "content-disposition",
            "Attachment; FileName=\"c-1.json\"; FILENAME*=utf-8''c-1.json",
            Some("Attachment; FileName=\"c-1.json\"; FILENAME*=utf-8''c-1.json"),
        ),
        ("/papers/c-1", "content-disposition", "attachment; filename=a; FileName=b", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; FileName=../c-1.json", Some("attachment")),
        ("/orders", "content-disposition", "attachment; FILENAME=\"ann.json\"", Some("attachment")),
        // Without quotes, as many services write it, a name is one word.
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename=c-1.json",
            Some("attachment; filename=c-1.json"),
        ),
        ("/papers/c-1", "content-disposition", "attachment; filename=c-1 .json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=c-1%2ejson", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=../c-1.json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=.profile", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=\"c-1.json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=c-1.json\"", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=a; filename=\"b\"", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment;", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; name=a; filename=b", Some("attachment")),
        // In whatever charset its name is: without it what is meant to be kept would be shown.
        ("/papers/c-1", "content-disposition", "attachment; filename=\"\u{e9}.json\"", Some("attachment")),
        ("/orders", "content-disposition", "Attachment;filename=\u{e9}", Some("attachment")),
        ("/orders", "content-disposition", "\u{e9}; filename=a", None),
        ("/orders", "content-disposition", "attachment; filename=ann.json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "Attachment; filename=\"/ann\"", Some("attachment")),
        ("/papers/c-1", "content-disposition", "form-data; filename=\"c-1.json\"", None),
        // Without its kind an uploaded page would be shown, whoever may not know its name.
        ("/customers/c-1", "content-disposition", "attachment; filename=\"ann.json\"", Some("attachment")),
        ("/customers/c-1", "content-disposition", "Attachment;filename*=UTF-8''ann", Some("attachment")),
        ("/customers/c-1", "content-disposition", "attachment", Some("attachment")),
        ("/customers/c-1", "content-disposition", "form-data; name=ann", None),
    ] {
        let seen = seen(&world, path, 200, &[(name, value)]).await;
        assert!([200, 403].contains(&seen.status.as_u16()), "{path} {name} {value}: {seen:?}");
        let got = seen.headers.get(name).map(|v| v.to_str().unwrap());
        assert_eq!(got, expected, "{path} {name}: {value}");
        assert!(!format!("{seen:?}").contains("ann"), "{name} {value}: {seen:?}");
    }
}

#[tokio::test]
async fn law_1_a_name_of_a_file_in_other_signs_leads_nowhere_either() {
    let world = world().await;
    for name in [
        "UTF-8''",
        "UTF-8''.profile",
        "UTF-8''%20.profile",
        "UTF-8''%2Eprofile",
        "UTF-8''..%2Fpasswd",
        "UTF-8''a%5Cb",
        "UTF-8''a%3Ab",
        "UTF-8''a%3Bb",
        "UTF-8''a%22b",
        "UTF-8''a%25b",
        "UTF-8''a%252Fb",
        "UTF-8''a%00b",
        "UTF-8''a%0D%0Ab",
        "UTF-8''a%E2%80%AEfdp.exe",
        "UTF-8''a%E2%80%8Bb",
        "UTF-8''a%EF%BC%8Fb",
        "UTF-8''%EF%BC%8Eprofile",
        "UTF-8''a%FFb",
        "UTF-8''a%C0%AFb",
        "UTF-8''a%2",
        "UTF-8''a%zz",
        "UTF-8''a b",
        "UTF-8''a/b",
        "UTF-8''a'b",
        "UTF-8''a; filename*=UTF-8''b",
        "UTF-8'en'a",
        "UTF-8'a",
        "ISO-8859-1''a",
        "\"UTF-8''a\"",
        "a",
        "",
    ] {
        let line = format!("attachment; filename=\"c-1.json\"; filename*={name}");
        let seen = seen(&world, "/papers/c-1", 200, &[("content-disposition", &line)]).await;
        assert_eq!(seen.headers.get("content-disposition").unwrap(), "attachment", "{name}");
    }
}
