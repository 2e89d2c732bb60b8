//! The committed description of the API.

use std::path::Path;

#[test]
fn the_committed_description_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let current = format!("{:#}\n", openledger_gateway::server::description());
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "gateway/openapi.json is out of date; write it anew with `OPENLEDGER_UPDATE=1 ./scripts/test content \
         -- committed_description`, and then the web app's client with `npm run api` in web/"
    );
}
