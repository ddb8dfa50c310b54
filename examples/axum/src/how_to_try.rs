//! What to type to see the layer at work.

use std::net::SocketAddr;

use consentry::identity::Issuer;

use crate::{Failure, parts};

/// The text, with tokens that work; whoever gave keys signs tokens of their own.
pub(crate) fn text(addr: SocketAddr, issuer: Option<&Issuer>) -> Result<String, Failure> {
    let mut text = format!("serving on http://{addr}; Ctrl-C ends it");
    let Some(issuer) = issuer else { return Ok(text) };
    let desk = parts::token(issuer, "front-desk", "essential.service")?;
    let letter = parts::token(issuer, "newsletter", "marketing.communications.email")?;
    text += &format!(
        "\n\nThe desk sees how to reach Ann, the month of her birthday, and not what she reads:\n\
         curl -H 'Authorization: Bearer {desk}' http://{addr}/members/ann\n\n\
         The letter goes to Bob, who asked for it, and not to Cleo, who stands on the same list:\n\
         curl -H 'Authorization: Bearer {letter}' http://{addr}/mailing-list\n\n\
         Cleo asks for it, and is on the list from then on:\n\
         curl --json '{{\"name\":\"Cleo\",\"email\":\"cleo@example.org\",\"opt_in\":true}}' http://{addr}/mailing-list"
    );
    Ok(text)
}
