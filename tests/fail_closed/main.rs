//! Law 1: whatever is unknown, malformed, missing, late or broken is refused or withheld, with a reason of its own in
//! the evidence, and nothing of it reaches anybody.

mod answers;
mod asking;
mod bodies;
mod broken;
mod consents;
mod dated;
mod precedents;
mod row;

use row::check;

#[tokio::test]
async fn law_1_whoever_asks_wrongly_in_any_way_is_refused_with_its_own_reason() {
    for row in asking::ROWS {
        check(row).await;
    }
}

#[tokio::test]
async fn law_1_a_body_that_is_wrong_in_any_way_is_refused_with_its_own_reason() {
    for row in bodies::ROWS {
        check(row).await;
    }
}

#[tokio::test]
async fn law_1_an_answer_that_is_wrong_in_any_way_is_not_passed_on() {
    for row in answers::ROWS {
        check(row).await;
    }
}
