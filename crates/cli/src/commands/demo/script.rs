//! What is asked, and what must come back.

use super::ask::Ask;
use super::people::{CUSTOMERS_IN_CONTRACT, READERS_WHO_AGREED, TRIALS_WITHOUT_OBJECTION};

const SUPPORT: &str = "essential.service.operations.support";
const PAYMENT: &str = "essential.service.payment_processing";
const NEWSLETTER: &str = "marketing.communications.email";
const THIRD_PARTY: &str = "marketing.advertising.third_party";
const DEMAND: &str = "third_party_sharing.legal_obligation";

const CARDS_OF_LIST: &[&str] = &[
    "customers[].card.brand",
    "customers[].card.last4",
    "customers[].card.pan_token",
    "customers[].internal_score",
];

/// All of it, in groups.
pub(super) fn acts() -> Vec<(&'static str, Vec<Ask>)> {
    vec![
        ("A customer's data serves the customer", customers()),
        ("Money goes where the payment goes, and nowhere else", payments()),
        ("Marketing reaches those who chose it, and customers not at all", marketing()),
        ("People see their own, and the law is answered with a reference", rights()),
        ("Visitors stay visitors", visits()),
        ("What nobody described does not pass", strangers()),
    ]
}

fn customers() -> Vec<Ask> {
    let support = |path| Ask::get("support", path).by("support", SUPPORT);
    vec![
        support("/customers/c-1001")
            .redacted(200, &["card.brand", "card.last4", "card.pan_token", "internal_score"])
            .by_clause("panopta-08"),
        support("/customers").redacted(200, CARDS_OF_LIST).rows(CUSTOMERS_IN_CONTRACT),
        support("/customers/c-1031").refused(403, "basis-lapsed").by_clause("panopta-17"),
        support("/customers/c-1032").refused(403, "processing-restricted"),
        support("/customers/c-1033").refused(403, "erased"),
        support("/customers/c-1199").refused(403, "subject-unresolved"),
    ]
}

fn payments() -> Vec<Ask> {
    let payment = |who, requester| Ask::get(who, "/customers/c-1001/payment").by(requester, PAYMENT);
    vec![
        payment("billing", "billing").redacted(200, &["notes"]),
        payment("card clearing", "clearing-house").redacted(200, &["notes", "phone"]),
        payment("credit bureau", "credit-bureau")
            .refused(403, "recipient-not-permitted")
            .by_clause("panopta-19"),
    ]
}

fn marketing() -> Vec<Ask> {
    let growth = |path, why| Ask::get("growth team", path).by("growth-svc", why);
    let partner = |path| Ask::get("ad partner", path).by("ad-partner", THIRD_PARTY);
    vec![
        newsletter(READERS_WHO_AGREED),
        growth("/customers/c-1002", NEWSLETTER).refused(403, "purpose-not-permitted").by_clause("panopta-17"),
        growth("/customers/c-1001", "analytics.reporting")
            .refused(403, "purpose-not-permitted")
            .by_clause("panopta-17"),
        partner("/customers/c-1002").refused(403, "recipient-not-permitted").by_clause("panopta-18"),
        partner("/feeds/leads").refused(403, "recipient-not-permitted"),
        Ask::get("sales", "/trial/contacts")
            .by("sales", "sales")
            .redacted(200, &[])
            .rows(TRIALS_WITHOUT_OBJECTION),
        Ask::get("machine learning", "/customers/c-1001")
            .by("ml-svc", "train_ai_system")
            .refused(403, "notice-not-delivered")
            .by_clause("panopta-23"),
    ]
}

/// The newsletter service fetches its list.
pub(super) fn newsletter(rows: usize) -> Ask {
    Ask::get("newsletter", "/mailing-list")
        .by("newsletter-svc", NEWSLETTER)
        .over_http2()
        .redacted(200, &["rows[].joined", "rows[].source"])
        .by_clause("panopta-05")
        .rows(rows)
}

fn rights() -> Vec<Ask> {
    let police = || Ask::get("police", "/customers/c-1001/disclosure").by("police", DEMAND);
    vec![
        Ask::get("customer c-1001", "/me/c-1001").signed_in("c-1001").allowed(200),
        Ask::get("customer c-1001", "/me/c-1002").signed_in("c-1001").refused(403, "identity-unverified"),
        police().refused(403, "legal-reference-required").by_clause("panopta-20"),
        police().header("legal-request", "26-117").header("legal-approver", "counsel").redacted(200, &[]),
    ]
}

fn visits() -> Vec<Ask> {
    vec![
        Ask::get("a visitor", "/site/pricing")
            .header("referer", "https://search.example.org/")
            .redacted(204, &[])
            .cookies(&["sid"]),
        Ask::post("a visitor", "/newsletter", r#"{"email":"new@example.org","opt_in":true}"#).allowed(202),
        Ask::post("a visitor", "/newsletter", r#"{"email":"shy@example.org"}"#)
            .refused(403, "subject-unresolved"),
        Ask::post(
            "a visitor",
            "/trial",
            r#"{"name":"Ann","email":"ann@example.org","card_number":"tok_test_1"}"#,
        )
        .redacted(201, &["request.body.card_number"]),
        Ask::get("analyst", "/analytics/visitors")
            .by("analyst", "analytics.reporting")
            .over_http2()
            .redacted(200, &["rows[].customer_id"]),
        Ask::get("analyst", "/analytics/visitors?join=customer_id")
            .by("analyst", "analytics.reporting")
            .refused(403, "linkage")
            .by_clause("panopta-04"),
        Ask::get("marketing", "/analytics/sessions/s-1")
            .by("marketing-svc", "marketing.advertising")
            .refused(403, "aggregate-only")
            .by_clause("panopta-12"),
    ]
}

fn strangers() -> Vec<Ask> {
    vec![
        Ask::get("nobody", "/customers/c-1001").stranger().refused(401, "token-missing"),
        Ask::get("support", "/customers/c-1001")
            .by("support", NEWSLETTER)
            .refused(403, "purpose-outside-requester"),
        Ask::get("support", "/customers/c-1001/everything")
            .by("support", SUPPORT)
            .refused(403, "route-unknown"),
    ]
}

/// What can be tried by hand.
pub(super) fn to_try() -> Vec<Ask> {
    vec![
        Ask::get("support sees a customer without the card", "/customers/c-1001").by("support", SUPPORT),
        Ask::get("the newsletter service sees who chose it", "/mailing-list")
            .by("newsletter-svc", NEWSLETTER),
        Ask::get("the advertising partner sees nobody", "/customers").by("ad-partner", THIRD_PARTY),
        Ask::get("a customer sees all of her own", "/me/c-1001").signed_in("c-1001"),
    ]
}
