//! Says so when a validator's node has no key to make blocks with: it would look on in silence.

use crate::service::FullClient;
use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sp_core::crypto::key_types;
use sp_keystore::KeystorePtr;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Warns while the keystore has no key of BABE, at once and then not more often than each `epoch`.
pub(crate) async fn warn_without(client: Arc<FullClient>, keystore: KeystorePtr, epoch: Duration) {
    // Of blocks that are fetched while it catches up there is no notice.
    let mut blocks = client.import_notification_stream();
    while keystore.sr25519_public_keys(key_types::BABE).is_empty() {
        tracing::warn!(
            "This node runs with --validator, but has no session keys: it makes no block and votes on none. Next: \
             `openledger --key NAME validator keys` on this machine, by the account that is to validate"
        );
        let said = Instant::now();
        while said.elapsed() < epoch {
            if blocks.next().await.is_none() {
                return;
            }
        }
    }
}
