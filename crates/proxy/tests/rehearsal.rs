//! The real policy's cases, played through the real layer.

use consentry_policy::Bundle;
use consentry_proxy::rehearse;

#[tokio::test]
async fn every_case_of_panopta_holds() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/panopta");
    let bundle = Bundle::load(&dir).unwrap_or_else(|e| panic!("{e:?}"));
    assert!(!bundle.cases.is_empty());
    let results = rehearse(&bundle).await;
    assert_eq!(results.len(), bundle.cases.len());
    let failing: Vec<String> = results.iter().filter(|r| !r.holds()).map(ToString::to_string).collect();
    assert!(failing.is_empty(), "{} of {} cases fail\n{}", failing.len(), results.len(), failing.join("\n"));
}
