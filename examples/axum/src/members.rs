//! The service: a reading circle's members and mailing list, in memory. It asks nobody who they are and answers with
//! everything it has. All people are made up.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use consentry::ledger::Ledger;
use consentry::model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, Purpose, Space,
};
use serde_json::{Value, json};

use crate::{Failure, bundle};

type List = Arc<Mutex<Vec<Value>>>;

/// The whole service, without the layer.
pub(crate) fn router() -> Router {
    let list = vec![
        json!({"name": "Bob", "email": "bob@example.org"}),
        json!({"name": "Cleo", "email": "cleo@example.org"}),
    ];
    Router::new()
        .route("/members/{id}", get(member))
        .route("/mailing-list", get(mailing_list).post(sign_up))
        // Somebody added this route and told nobody: the service map does not describe it.
        .route("/export", get(mailing_list))
        .with_state(List::new(Mutex::new(list)))
}

async fn member(Path(id): Path<String>) -> Response {
    let (name, birthday, reads) = match id.as_str() {
        "ann" => ("Ann", "1990-04-17", "crime"),
        "bob" => ("Bob", "1985-11-02", "poetry"),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let email = format!("{id}@example.org");
    Json(json!({"id": id, "name": name, "email": email, "birthday": birthday, "reads": reads}))
        .into_response()
}

async fn mailing_list(State(list): State<List>) -> Json<Value> {
    let rows = list.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Json(json!({ "rows": rows }))
}

async fn sign_up(State(list): State<List>, Json(form): Json<Value>) -> Json<Value> {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.retain(|row| row.get("email") != form.get("email"));
    list.push(json!({"name": form.get("name"), "email": form.get("email")}));
    Json(json!({"status": "signed up"}))
}

/// Tells an empty ledger about the people of the example. In earnest, the contract is recorded where it is concluded,
/// and the consent by the route on which it is given.
pub(crate) async fn introduce(ledger: &dyn Ledger) -> Result<(), Failure> {
    let now = bundle::now();
    let ann = Identifier::new(Space::new("member"), "ann");
    let joined = LedgerEvent::Contract { state: ContractState::Active, effective: now };
    ledger.append(&ann, &[joined], now).await?;

    let bob = Identifier::new(Space::new("email"), "bob@example.org");
    let agreed = LedgerEvent::Consent(ConsentEvent {
        purpose: Purpose::new("marketing.communications.email")?,
        state: ConsentState::Given,
        kind: ConsentKind::OptIn,
        recipient: None,
        effective: now,
        valid_until: None,
        notice: None,
    });
    ledger.append(&bob, &[agreed], now).await?;
    Ok(())
}
