//! Submissions that ended without a leaf, as long as the chain keeps them.

use crate::{connection::Client, errors::Result};
use codec::Encode;
use openledger_primitives::{DatanetId, SubmissionId};
use sp_crypto_hashing::{twox_128, twox_64};

/// Keys of one request.
const KEYS: u32 = 1_000;

impl Client {
    /// The numbers of a Datanet's submissions from `from` on to `before`, that one not included, that have ended: with
    /// a leaf, or refused and kept yet. In order.
    ///
    /// They are keys of storage (`Datanets::Settled`), in which numbers are written big-endian.
    pub async fn settled(
        &self,
        datanet: DatanetId,
        from: SubmissionId,
        before: SubmissionId,
    ) -> Result<Vec<SubmissionId>> {
        let encoded = datanet.encode();
        let (pallet, map) = (twox_128(b"Datanets"), twox_128(b"Settled"));
        let prefix = [&pallet[..], &map[..], &twox_64(&encoded), &encoded].concat();
        let key = |number: SubmissionId| [prefix.as_slice(), &number.to_be_bytes()].concat();
        let mut found: Vec<SubmissionId> = Vec::new();
        let mut start = from.checked_sub(1).map(key);
        loop {
            let methods = &self.inner.methods;
            let page = methods.state_get_keys_paged(&prefix, KEYS, start.as_deref(), None).await;
            let page = page.map_err(|error| self.failed("state_getKeysPaged", error))?;
            let last = page.len() < KEYS as usize;
            for key in page {
                let number = key.get(prefix.len()..).and_then(|number| number.try_into().ok());
                let Some(number) = number.map(SubmissionId::from_be_bytes) else { continue };
                if number >= before {
                    return Ok(found);
                }
                // A node that does not go on would be asked without end.
                if number < from || found.last().is_some_and(|found| number <= *found) {
                    return Ok(found);
                }
                found.push(number);
            }
            match found.last() {
                Some(number) if !last => start = Some(key(*number)),
                _ => return Ok(found),
            }
        }
    }
}
