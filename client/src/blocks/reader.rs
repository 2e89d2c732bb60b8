//! One block, read in the words of the runtime that made it.

use super::{
    absent, calls::Asked, stored::*, At, Block, BlockEvent, ChainEvent, Changed, DatanetRecord,
    Detail, Said, Seats,
};
use crate::{
    connection::Client,
    errors::{ClientError, Result},
    reads::BaseModel,
    runtime::{self, Call},
    AccountId, H256,
};
use codec::{Decode, DecodeAll};
use openledger_primitives::{
    api::{SubmissionItem, WorkerView},
    committee::{api::DrawView, DrawId, Opinions, PoolId},
    BaseModelId, DatanetId, DatanetText, DatasetLeaf, JobId, SubmissionId,
};
use std::collections::{BTreeMap, BTreeSet};
use subxt::{storage::Address, utils::Static};

/// Reads one block in the words of the runtime that made it.
pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    pub(super) runtime: &'a At,
    pub(super) block: H256,
    pub(super) number: u32,
}

impl Reader<'_> {
    /// The bytes of a stored value. subxt compares the entry's shape with that of the metadata within this
    /// program first.
    pub(super) async fn bytes<A: Address>(
        &self,
        address: A,
        keys: A::KeyParts,
    ) -> Result<Option<Vec<u8>>> {
        let what = format!("{}::{}", address.pallet_name(), address.entry_name());
        let refused = |error| match error {
            subxt::error::StorageError::IncompatibleCodegen => ClientError::Incompatible {
                what: format!("{what} of runtime version {}", self.runtime.spec_version()),
            },
            error => self.client.odd(&what, error),
        };
        let storage = self.runtime.storage();
        let key =
            storage.entry(address).and_then(|entry| entry.fetch_key(keys)).map_err(refused)?;
        let methods = &self.client.inner.methods;
        let bytes = methods.state_get_storage(&key, Some(self.block)).await;
        bytes.map_err(|error| self.client.failed("state_getStorage", error))
    }

    pub(super) async fn value<T: Decode, A: Address>(
        &self,
        address: A,
        keys: A::KeyParts,
    ) -> Result<Option<T>> {
        let what = format!("{}::{}", address.pallet_name(), address.entry_name());
        let Some(bytes) = self.bytes(address, keys).await? else { return Ok(None) };
        let decoded = T::decode_all(&mut bytes.as_slice());
        decoded.map(Some).map_err(|error| ClientError::Answer { what, reason: error.to_string() })
    }

    /// A value of an entry that earlier runtimes do not have.
    async fn since<T: Decode, A: Address>(
        &self,
        address: A,
        keys: A::KeyParts,
    ) -> Result<Option<T>> {
        let pallet = self.runtime.metadata_ref().pallet_by_name(address.pallet_name());
        let storage = pallet.and_then(|pallet| pallet.storage());
        match storage.is_some_and(|storage| storage.entry_by_name(address.entry_name()).is_some()) {
            true => self.value(address, keys).await,
            false => Ok(None),
        }
    }

    /// A value that an event speaks of.
    async fn present<T: Decode, A: Address>(&self, address: A, keys: A::KeyParts) -> Result<T> {
        let what = format!("{}::{}", address.pallet_name(), address.entry_name());
        self.value(address, keys).await?.ok_or_else(|| ClientError::Answer {
            what,
            reason: format!(
                "an event of block {} speaks of a value that is not there",
                self.number
            ),
        })
    }

    pub(super) async fn genesis(&self, changed: &mut Changed) -> Result<()> {
        let storage = runtime::storage();
        let jobs: JobId = self.value(storage.training().next_job(), ()).await?.unwrap_or(0);
        let submissions: SubmissionId =
            self.value(storage.datanets().next_submission(), ()).await?.unwrap_or(0);
        if jobs > 0 || submissions > 0 {
            let what = "a genesis that holds jobs or submissions".to_owned();
            return Err(ClientError::Incompatible { what });
        }
        let datanets: DatanetId =
            self.value(storage.datanets().next_datanet(), ()).await?.unwrap_or(0);
        for id in 0..datanets {
            changed.datanets.push(self.datanet(id).await?);
            let policy = self.present(storage.review().policies(), (id,)).await?;
            changed.policies.push((id, policy));
            let text = self.since(storage.datanets().texts(), (id,)).await?;
            changed.texts.extend(text.map(|text| (id, text)));
        }
        let models: BaseModelId =
            self.value(storage.training().next_base_model(), ()).await?.unwrap_or(0);
        for id in 0..models {
            changed.base_models.extend(self.base_model(id).await?);
        }
        Ok(())
    }

    async fn datanet(&self, id: DatanetId) -> Result<DatanetRecord> {
        let stored: StoredDatanet =
            self.present(runtime::storage().datanets().datanets(), (id,)).await?;
        Ok(DatanetRecord {
            id,
            owner: stored.owner,
            name: String::from_utf8_lossy(&stored.name).into_owned(),
            modality: stored.modality,
            min_units: stored.min_units,
            max_units: stored.max_units,
            daily_limit: stored.daily_limit,
        })
    }

    /// A base model, unless it is gone: one without jobs may be retired in the block that brings it.
    async fn base_model(&self, id: BaseModelId) -> Result<Option<BaseModel>> {
        let address = runtime::storage().training().base_models();
        let stored: Option<StoredBaseModel> = self.value(address, (id,)).await?;
        Ok(stored.map(|stored| BaseModel {
            id,
            registrar: stored.registrar,
            family: stored.family,
            name: String::from_utf8_lossy(&stored.name).into_owned(),
            licence: String::from_utf8_lossy(&stored.licence).into_owned(),
            weights: stored.weights,
            weights_sha256: stored.weights_sha256,
            weights_size: stored.weights_size,
            tokenizer: stored.tokenizer,
            config: stored.config,
            retired: stored.retired,
        }))
    }

    /// What the block's transactions asked for, by their place. Only transactions of events that need
    /// it are read.
    async fn asked(&self, block: &mut Block) -> Result<BTreeMap<u32, Asked>> {
        let mut asked = BTreeMap::new();
        let needed: BTreeSet<u32> = block
            .events
            .iter()
            .filter(|event| {
                let event = &event.event;
                matches!(
                    event,
                    ChainEvent::Submitted { .. }
                        | ChainEvent::Voted { .. }
                        | ChainEvent::Revealed { .. }
                )
            })
            .filter_map(|event| event.extrinsic)
            .collect();
        if block.events.iter().all(|event| event.extrinsic.is_none()) {
            return Ok(asked);
        }
        let client = self.client;
        let answer = client.inner.methods.chain_get_block(Some(self.block)).await;
        let answer = answer.map_err(|error| client.failed("chain_getBlock", error))?;
        let body = answer.ok_or_else(|| absent(self.number))?.block.extrinsics;
        let body = body.into_iter().map(|bytes| bytes.0).collect();
        let extrinsics = self.runtime.extrinsics().from_bytes(body).await;
        for extrinsic in extrinsics.iter() {
            let extrinsic =
                extrinsic.map_err(|error| client.odd("the block's transactions", error))?;
            block.extrinsics.push(extrinsic.hash());
            let place = extrinsic.index() as u32;
            if needed.contains(&place) {
                let call: Call = extrinsic.decode_call_data_as().map_err(|error| {
                    client.odd(&format!("transaction {place} of block {}", block.number), error)
                })?;
                asked.insert(place, Asked::of(call));
            }
        }
        Ok(asked)
    }

    pub(super) async fn details(&self, block: &mut Block) -> Result<()> {
        let mut asked = self.asked(block).await?;
        let number = block.number;
        let missing = |what: &str| ClientError::Answer {
            what: what.to_owned(),
            reason: format!("neither state nor transactions of block {number} say it"),
        };
        // Of several votes of one transaction on one submission the event says who, not what; the last
        // acceptance or refusal that fits the decision is the one that counted.
        for event in &mut block.events {
            let asked = event.extrinsic.and_then(|place| asked.get_mut(&place));
            event.detail = match &event.event {
                ChainEvent::Submitted { datanet, submission, sha256, .. } => {
                    let key = (*datanet, *sha256);
                    let stored = self.stored_file(key, *submission).await?;
                    let item = stored.or_else(|| {
                        let files = &mut asked?.files;
                        let place = files
                            .iter()
                            .position(|(of, item)| of == datanet && item.sha256 == *sha256)?;
                        Some(files.remove(place).1)
                    });
                    Detail::File(item.ok_or_else(|| missing("a submitted file"))?)
                }
                ChainEvent::Accepted { datanet, leaf, .. } => {
                    let address = runtime::storage().datanets().leaves();
                    Detail::Leaf(self.present(address, (*datanet, *leaf)).await?)
                }
                ChainEvent::Voted { verdict: Said(Some(verdict)), .. } => Detail::Vote(*verdict),
                ChainEvent::Voted { submission, curator, .. } => {
                    // Verdicts got a kind more since; what was written before reads as it did.
                    let address = runtime::storage().review().ballots().unvalidated();
                    let ballot: Option<StoredBallot> = self.value(address, (*submission,)).await?;
                    let kept = ballot.and_then(|ballot| {
                        ballot.votes.into_iter().find(|(who, _)| who == curator)
                    });
                    let verdict = kept.map(|(_, verdict)| verdict).or_else(|| {
                        let votes = &mut asked?.votes;
                        let place = votes.iter().position(|(of, _)| of == submission)?;
                        Some(votes.remove(place).1)
                    });
                    Detail::Vote(verdict.ok_or_else(|| missing("a vote"))?)
                }
                ChainEvent::Revealed { draw, account } => {
                    // Gone where the draw was decided in the same block.
                    let address = runtime::storage().review().reveals();
                    let kept: Option<Opinions> = self.value(address, (*draw, *account)).await?;
                    let shown = kept.or_else(|| {
                        let reveals = &mut asked?.reveals;
                        let place = reveals.iter().position(|(of, _)| of == draw)?;
                        Some(reveals.remove(place).1)
                    });
                    Detail::Opinions(shown.ok_or_else(|| missing("what a member revealed"))?)
                }
                _ => Detail::None,
            };
        }
        Ok(())
    }

    /// The file of a submission, if the Datanet still holds it under that submission.
    async fn stored_file(
        &self,
        (datanet, sha256): (DatanetId, [u8; 32]),
        submission: SubmissionId,
    ) -> Result<Option<SubmissionItem>> {
        let storage = runtime::storage();
        let stored: Option<StoredSubmission> =
            self.value(storage.datanets().submissions(), (datanet, sha256)).await?;
        Ok(match stored {
            Some(StoredSubmission::Pending { id, content, size, media, .. })
                if id == submission =>
            {
                Some(SubmissionItem { content, sha256, size, media })
            }
            Some(StoredSubmission::Accepted { leaf, content, media }) => {
                let leaf: DatasetLeaf<AccountId> =
                    self.present(storage.datanets().leaves(), (datanet, leaf)).await?;
                let size = leaf.size;
                (leaf.submission == submission).then_some(SubmissionItem {
                    content,
                    sha256,
                    size,
                    media,
                })
            }
            _ => None,
        })
    }

    pub(super) async fn changes(&self, block: &mut Block) -> Result<()> {
        let storage = runtime::storage();
        let (mut pools, mut jobs) = (BTreeSet::new(), BTreeSet::new());
        let mut waiting = BTreeSet::new();
        let mut funders: BTreeMap<(DatanetId, [u8; 32]), AccountId> = BTreeMap::new();
        let mut workers: BTreeMap<[u8; 32], AccountId> = BTreeMap::new();
        let changed = &mut block.changed;
        for event in &block.events {
            let event = &event.event;
            match event {
                ChainEvent::Funded { datanet, who, .. }
                | ChainEvent::SharesLeave { datanet, who, .. }
                | ChainEvent::PoolWithdrawn { datanet, account: who, .. } => {
                    funders.insert((*datanet, who.0), *who);
                }
                ChainEvent::PolicyAnnounced { datanet, .. }
                | ChainEvent::PolicyKept { datanet }
                | ChainEvent::PolicySet { datanet }
                | ChainEvent::CuratorResigned { datanet, .. } => {
                    waiting.insert(*datanet);
                }
                ChainEvent::TextSet { datanet } => {
                    let address = storage.datanets().texts();
                    // One that says nothing is not kept.
                    let text: Option<DatanetText> = self.value(address, (*datanet,)).await?;
                    changed.texts.retain(|(of, _)| of != datanet);
                    changed.texts.push((*datanet, text.unwrap_or_default()));
                }
                _ => {}
            }
            match event {
                ChainEvent::DatanetCreated { datanet, .. } => {
                    changed.datanets.push(self.datanet(*datanet).await?);
                    let policy = self.present(storage.review().policies(), (*datanet,)).await?;
                    changed.policies.push((*datanet, policy));
                }
                ChainEvent::PolicySet { datanet } | ChainEvent::CuratorResigned { datanet, .. } => {
                    let policy = self.present(storage.review().policies(), (*datanet,)).await?;
                    changed.policies.push((*datanet, policy));
                }
                ChainEvent::BaseModelRegistered { base, .. }
                | ChainEvent::BaseModelRetired { base, .. } => {
                    changed.base_models.extend(self.base_model(*base).await?);
                }
                ChainEvent::JobCompleted { job, .. } => {
                    let adapter = self.present(storage.training().adapters(), (*job,)).await?;
                    changed.adapters.push((*job, adapter));
                }
                ChainEvent::PointsEarned { datanet, .. }
                | ChainEvent::PeriodClosed { datanet, .. }
                | ChainEvent::Funded { datanet, .. }
                | ChainEvent::TermsSet { datanet, .. }
                | ChainEvent::Claimed { datanet, .. }
                | ChainEvent::SharesLeave { datanet, .. }
                | ChainEvent::PoolWithdrawn { datanet, .. } => {
                    pools.insert(*datanet);
                }
                ChainEvent::OwnerChanged { datanet, to, .. } => {
                    changed.owners.push((*datanet, *to));
                }
                _ => {}
            }
            jobs.extend(event.job());
            workers.extend(event.worker().map(|worker| (worker.0, worker)));
        }
        for datanet in pools {
            let pool = self.value(storage.leaderboard().pools(), (datanet,)).await?;
            changed.pools.extend(pool.map(|pool| (datanet, pool)));
            let funds = self.since(storage.leaderboard().pool_funds(), (datanet,)).await?;
            changed.funds.extend(funds.map(|funds| (datanet, funds)));
        }
        for ((datanet, _), account) in funders {
            let address = storage.leaderboard().funder_shares();
            let share = self.since(address, (datanet, account)).await?;
            changed.shares.push((datanet, account, share.unwrap_or_default()));
        }
        for datanet in waiting {
            let address = storage.review().waiting_policies();
            let stored: Option<StoredWaitingPolicy> = self.since(address, (datanet,)).await?;
            let waits = stored.map(|stored| (stored.policy, stored.from));
            changed.waiting_policies.push((datanet, waits));
        }
        for job in jobs {
            // One that is pruned in this block is gone; its events say what became of it.
            let value = self.value(storage.training().jobs(), (job,)).await?;
            changed.jobs.extend(value.map(|value| (job, value)));
        }
        self.committees(&block.events, changed).await?;
        for account in workers.into_values() {
            let worker = self.value(storage.training().workers(), (account,)).await?;
            let view = worker.map(|worker: StoredWorker| WorkerView {
                account,
                kinds: worker.kinds,
                price_per_token: worker.price_per_token,
                bond: worker.bond,
                endpoint: worker.endpoint,
                job: worker.job,
                paused: worker.paused,
                serves: worker.opt_in.into(),
                tokens_per_second: worker.rate.tokens_per_second(),
                lost: worker.lost,
                declines: worker.declines,
                rests_until: worker.rests_until,
                raise: worker.raise,
            });
            changed.workers.push((account, view));
        }
        Ok(())
    }

    /// Draws and seats that events speak of.
    async fn committees(&self, events: &[BlockEvent], changed: &mut Changed) -> Result<()> {
        let storage = runtime::storage();
        let mut draws: BTreeSet<DrawId> = BTreeSet::new();
        let mut seats: BTreeMap<(PoolId, [u8; 32]), AccountId> = BTreeMap::new();
        for event in events {
            match &event.event {
                ChainEvent::DrawOpened { draw, .. } | ChainEvent::CommitteeDrawn { draw, .. } => {
                    draws.insert(*draw);
                }
                ChainEvent::SeatsBonded { pool, account, .. }
                | ChainEvent::SeatsGivenUp { pool, account, .. }
                | ChainEvent::SeatsReturned { pool, account, .. }
                | ChainEvent::SeatsToppedUp { pool, account, .. }
                | ChainEvent::SeatsLost { pool, account, .. } => {
                    seats.insert((*pool, account.0), *account);
                }
                _ => {}
            }
        }
        for id in draws {
            let stored: Option<StoredDraw> = self.value(storage.review().draws(), (id,)).await?;
            changed.draws.extend(stored.map(|stored| DrawView {
                id,
                datanet: stored.datanet,
                pool: stored.pool,
                global: stored.global,
                bond: stored.bond,
                draw: stored.draw,
            }));
        }
        for ((pool, _), account) in seats {
            let address = storage.review().reviewers();
            // A record of nothing is not kept.
            let kept: Option<Seats> = self.value(address, (Static(pool), account)).await?;
            changed.seats.push((pool, account, kept.unwrap_or_default()));
        }
        Ok(())
    }
}
