//! The read-only `openledger_*` methods: runtime APIs with JSON answers that `curl` can read.
//!
//! ```sh
//! curl -s -H 'Content-Type: application/json' http://127.0.0.1:9944 -d \
//!   '{"jsonrpc":"2.0","id":1,"method":"openledger_leaderboard","params":[0]}'
//! ```

use super::json::{hash, Item};
use crate::service::FullClient;
use jsonrpsee::{
    types::{ErrorObjectOwned, Params},
    RpcModule,
};
use openledger_primitives::{
    api::{
        BoardCursor, DatanetsApi, LeaderboardApi, LeafView, ReviewApi, RevocationView,
        SubmissionItem, SubmissionKey, TrainingApi,
    },
    json::{
        file_shares, Adapter, Attribution, BaseModel, Check, Datanet, DatanetDetails, Dispute,
        Entry, Job, Payout, Pool, Quota, Share, Submission, WaitingPolicy, Worker,
    },
    leaf::{leaves_out, DatasetRef},
    ExtractorVersion, MAX_ITEMS, PARTS,
};
use openledger_runtime::{AccountId, Hash, OpaqueBlock as Block};
use serde::Serialize;
use sp_api::{ApiError, ApiExt, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Most files one attribution answer lists; longer ones are read in pages of leaves.
const MAX_FILES: usize = 10_000;
/// Leaves read in one runtime call.
const PAGE: u32 = 100;

/// The runtime could not be asked.
const RUNTIME_ERROR: i32 = 8_001;
/// What was asked for does not exist.
const NOT_FOUND: i32 = 8_002;
/// The answer would be too long.
const TOO_LARGE: i32 = 8_003;

fn error(code: i32, message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message.into(), None::<()>)
}

fn runtime(cause: ApiError) -> ErrorObjectOwned {
    error(RUNTIME_ERROR, format!("the runtime could not answer: {cause}"))
}

fn invalid(message: String) -> ErrorObjectOwned {
    error(jsonrpsee::types::error::INVALID_PARAMS_CODE, message)
}

type Answer<T> = Result<T, ErrorObjectOwned>;

/// The methods.
pub(crate) fn module(
    client: Arc<FullClient>,
) -> Result<RpcModule<Arc<FullClient>>, jsonrpsee::core::RegisterMethodError> {
    let mut module = RpcModule::new(client);
    method(&mut module, "openledger_quota", quota)?;
    method(&mut module, "openledger_check", check)?;
    method(&mut module, "openledger_datanets", datanets)?;
    method(&mut module, "openledger_submission", submission)?;
    method(&mut module, "openledger_submissions", submissions)?;
    method(&mut module, "openledger_extractor", extractor)?;
    method(&mut module, "openledger_leaderboard", leaderboard)?;
    method(&mut module, "openledger_claimable", claimable)?;
    method(&mut module, "openledger_pool", pool)?;
    method(&mut module, "openledger_share", share)?;
    method(&mut module, "openledger_payout", payout)?;
    method(&mut module, "openledger_waitingPolicy", waiting_policy)?;
    method(&mut module, "openledger_datanetDetails", datanet_details)?;
    method(&mut module, "openledger_job", job)?;
    method(&mut module, "openledger_jobs", jobs)?;
    method(&mut module, "openledger_jobsOf", jobs_of)?;
    method(&mut module, "openledger_place", place)?;
    method(&mut module, "openledger_dispute", dispute)?;
    method(&mut module, "openledger_worker", worker)?;
    method(&mut module, "openledger_workers", workers)?;
    method(&mut module, "openledger_baseModels", base_models)?;
    method(&mut module, "openledger_adapter", adapter)?;
    method(&mut module, "openledger_ancestry", ancestry)?;
    method(&mut module, "openledger_attribution", attribution)?;
    Ok(module)
}

fn method<T: Serialize + 'static>(
    module: &mut RpcModule<Arc<FullClient>>,
    name: &'static str,
    answer: fn(&FullClient, Hash, &Params<'_>) -> Answer<T>,
) -> Result<(), jsonrpsee::core::RegisterMethodError> {
    module.register_blocking_method(name, move |params, client, _| {
        answer(&client, client.info().best_hash, &params).and_then(|value| {
            serde_json::to_value(value)
                .map_err(|cause| error(RUNTIME_ERROR, format!("no JSON for the answer: {cause}")))
        })
    })?;
    Ok(())
}

/// `openledger_quota(account)`
fn quota(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Quota> {
    let account: AccountId = params.one()?;
    Ok(client.runtime_api().quota(at, account).map_err(runtime)?.into())
}

/// `openledger_check(account, datanet, items)`
fn check(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Check> {
    let (account, datanet, items): (AccountId, u32, Vec<Item>) = params.parse()?;
    // One more than allowed still reaches the rule that refuses it.
    if items.len() > 2 * MAX_ITEMS as usize {
        return Err(invalid(format!("{} items; a submission takes 1 to {MAX_ITEMS}", items.len())));
    }
    let items: Vec<SubmissionItem> =
        items.into_iter().map(TryInto::try_into).collect::<Result<_, _>>().map_err(invalid)?;
    let result =
        client.runtime_api().check_submission(at, account, datanet, items).map_err(runtime)?;
    Ok(result.into())
}

/// `openledger_datanets(start?, limit?)`
fn datanets(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Vec<Datanet<AccountId>>> {
    let mut params = params.sequence();
    let start: Option<u32> = params.optional_next()?;
    let limit: Option<u32> = params.optional_next()?;
    let views = client
        .runtime_api()
        .datanets(at, start.unwrap_or(0), limit.unwrap_or(PAGE))
        .map_err(runtime)?;
    Ok(views.into_iter().map(Into::into).collect())
}

/// A runtime of before there were reads of single submissions has none.
fn has_submissions(client: &FullClient, at: Hash) -> Answer<()> {
    let version = client.runtime_api().api_version::<dyn DatanetsApi<Block, AccountId>>(at);
    match version.map_err(runtime)? {
        Some(2..) => Ok(()),
        _ => {
            Err(error(NOT_FOUND, "this chain's runtime is of before single submissions were read"))
        }
    }
}

/// What `openledger_submission` takes as second parameter: a number, or a sha256 in hexadecimal.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Key {
    Number(u64),
    Sha256(String),
}

/// `openledger_submission(datanet, numberOrSha256)`: with its votes, or why, by whom and when it was
/// refused
fn submission(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Submission<AccountId>> {
    let (datanet, key): (u32, Key) = params.parse()?;
    has_submissions(client, at)?;
    let key = match key {
        Key::Number(number) => SubmissionKey::Number(number),
        Key::Sha256(text) => SubmissionKey::Sha256(hash(&text).ok_or_else(|| {
            invalid(format!("sha256 is {text:?}; it takes 64 hexadecimal digits"))
        })?),
    };
    let view = client.runtime_api().submission(at, datanet, key).map_err(runtime)?;
    view.map(Into::into).ok_or_else(|| {
        error(NOT_FOUND, "the chain keeps no such submission; the gateway's index keeps all")
    })
}

/// `openledger_submissions(account, after?, limit?)`: in every state, by number
fn submissions(
    client: &FullClient,
    at: Hash,
    params: &Params<'_>,
) -> Answer<Vec<Submission<AccountId>>> {
    let mut params = params.sequence();
    let account: AccountId = params.next()?;
    let after: Option<u64> = params.optional_next()?;
    let limit: Option<u32> = params.optional_next()?;
    has_submissions(client, at)?;
    let api = client.runtime_api();
    let views = api.submissions_of(at, account, after, limit.unwrap_or(PAGE)).map_err(runtime)?;
    Ok(views.into_iter().map(Into::into).collect())
}

/// `openledger_extractor()`: the extractor version that votes to accept must name
fn extractor(client: &FullClient, at: Hash, _: &Params<'_>) -> Answer<ExtractorVersion> {
    client.runtime_api().extractor(at).map_err(runtime)
}

/// `openledger_leaderboard(datanet, limit?, after?)` with `after` = [points, sequence] of the last
/// entry seen
fn leaderboard(
    client: &FullClient,
    at: Hash,
    params: &Params<'_>,
) -> Answer<Vec<Entry<AccountId>>> {
    let mut params = params.sequence();
    let datanet: u32 = params.next()?;
    let limit: Option<u32> = params.optional_next()?;
    let after: Option<(String, u64)> = params.optional_next()?;
    let cursor = after
        .map(|(points, sequence)| {
            points.parse().map(|points| BoardCursor { points, sequence }).map_err(|_| {
                invalid(format!("points are {points:?}; give them as a decimal string"))
            })
        })
        .transpose()?;
    let entries = client
        .runtime_api()
        .leaderboard(at, datanet, cursor, limit.unwrap_or(PAGE))
        .map_err(runtime)?;
    Ok(entries.into_iter().map(Into::into).collect())
}

/// `openledger_claimable(datanet, account)`: plancks
fn claimable(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<String> {
    let (datanet, account): (u32, AccountId) = params.parse()?;
    let amount = client.runtime_api().claimable(at, datanet, account).map_err(runtime)?;
    Ok(amount.to_string())
}

/// `openledger_pool(datanet)`: the pool as it is now, what waits, and what `fund` has to name; null
/// where there is none
fn pool(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Option<Pool>> {
    let datanet: u32 = params.one()?;
    Ok(client.runtime_api().pool_view(at, datanet).map_err(runtime)?.map(Into::into))
}

/// `openledger_share(datanet, account)`: what a funder owns of a pool; null for who owns nothing
fn share(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Option<Share>> {
    let (datanet, account): (u32, AccountId) = params.parse()?;
    Ok(client.runtime_api().share(at, datanet, account).map_err(runtime)?.map(Into::into))
}

/// `openledger_payout(account)`: where an account's rewards are paid; null where it never said so
fn payout(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Option<Payout<AccountId>>> {
    let account: AccountId = params.one()?;
    Ok(client.runtime_api().payout(at, account).map_err(runtime)?.map(Into::into))
}

/// `openledger_waitingPolicy(datanet)`: the review policy that waits; null where none does
fn waiting_policy(
    client: &FullClient,
    at: Hash,
    params: &Params<'_>,
) -> Answer<Option<WaitingPolicy<AccountId>>> {
    let datanet: u32 = params.one()?;
    Ok(client.runtime_api().waiting_policy(at, datanet).map_err(runtime)?.map(Into::into))
}

/// `openledger_datanetDetails(datanet)`: what its owner says about it, and what stands open
fn datanet_details(
    client: &FullClient,
    at: Hash,
    params: &Params<'_>,
) -> Answer<DatanetDetails<AccountId>> {
    let datanet: u32 = params.one()?;
    let details = client.runtime_api().details(at, datanet).map_err(runtime)?;
    details
        .map(Into::into)
        .ok_or_else(|| error(NOT_FOUND, format!("there is no Datanet {datanet}")))
}

/// Of at most `limit` jobs from number `start` on, those with a parent. A chain whose runtime is of
/// before jobs could name one has none.
fn parents(client: &FullClient, at: Hash, start: u64, limit: u32) -> Answer<BTreeMap<u64, u64>> {
    let api = client.runtime_api();
    if !has_parents(client, at)? {
        return Ok(BTreeMap::new());
    }
    Ok(api.parents(at, start, limit).map_err(runtime)?.into_iter().collect())
}

fn has_parents(client: &FullClient, at: Hash) -> Answer<bool> {
    Ok(training_version(client, at)? >= 2)
}

fn training_version(client: &FullClient, at: Hash) -> Answer<u32> {
    let version = client.runtime_api().api_version::<dyn TrainingApi<Block, AccountId>>(at);
    Ok(version.map_err(runtime)?.unwrap_or(0))
}

/// Refuses what an earlier runtime would answer in other shapes, or not at all.
fn with_views(client: &FullClient, at: Hash) -> Answer<()> {
    match training_version(client, at)? {
        3.. => Ok(()),
        version => Err(error(
            RUNTIME_ERROR,
            format!("TrainingApi is at version {version}, this node reads 3: upgrade the runtime"),
        )),
    }
}

/// `openledger_job(job)`
fn job(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Job<AccountId>> {
    let id: u64 = params.one()?;
    with_views(client, at)?;
    let job = client.runtime_api().job(at, id).map_err(runtime)?;
    job.map(|job| Job::new(job, None)).ok_or_else(|| no_job(id))
}

fn no_job(id: u64) -> ErrorObjectOwned {
    error(NOT_FOUND, format!("there is no job {id}"))
}

/// `openledger_jobs(start?, limit?)`
fn jobs(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Vec<Job<AccountId>>> {
    let mut params = params.sequence();
    let start: Option<u64> = params.optional_next()?;
    let limit: Option<u32> = params.optional_next()?;
    with_views(client, at)?;
    let (start, limit) = (start.unwrap_or(0), limit.unwrap_or(PAGE));
    let jobs = client.runtime_api().jobs(at, start, limit).map_err(runtime)?;
    Ok(jobs.into_iter().map(|(_, job)| Job::new(job, None)).collect())
}

/// `openledger_jobsOf(owner, state?, start?, limit?)`: of at most `limit` jobs of an owner from number
/// `start` on those in a state; the next page begins after the last number of a page of all states
fn jobs_of(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Vec<Job<AccountId>>> {
    let mut params = params.sequence();
    let owner: AccountId = params.next()?;
    let state: Option<String> = params.optional_next()?;
    let start: Option<u64> = params.optional_next()?;
    let limit: Option<u32> = params.optional_next()?;
    with_views(client, at)?;
    let (start, limit) = (start.unwrap_or(0), limit.unwrap_or(PAGE));
    let jobs = client.runtime_api().jobs_of(at, owner, start, limit).map_err(runtime)?;
    let in_state = |job: &Job<AccountId>| state.as_ref().is_none_or(|state| job.state == state);
    Ok(jobs.into_iter().map(|(_, job)| Job::new(job, None)).filter(in_state).collect())
}

/// `openledger_place(job)`: how many waiting jobs of the same kind and base model come first, at most
/// 1,000; nothing for a job that does not wait
fn place(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Option<u32>> {
    let id: u64 = params.one()?;
    with_views(client, at)?;
    let api = client.runtime_api();
    if api.job(at, id).map_err(runtime)?.is_none() {
        return Err(no_job(id));
    }
    Ok(api.place(at, id).map_err(runtime)?.map(|place| place.ahead))
}

/// `openledger_dispute(job)`: who was drawn, what they have shown, and how it ended; null where the job
/// was never disputed
fn dispute(
    client: &FullClient,
    at: Hash,
    params: &Params<'_>,
) -> Answer<Option<Dispute<AccountId>>> {
    let id: u64 = params.one()?;
    with_views(client, at)?;
    let api = client.runtime_api();
    if api.job(at, id).map_err(runtime)?.is_none() {
        return Err(no_job(id));
    }
    // A runtime of before disputes has none.
    match training_version(client, at)? {
        4.. => Ok(api.dispute(at, id).map_err(runtime)?.map(Dispute::from)),
        _ => Ok(None),
    }
}

/// `openledger_worker(account)`
fn worker(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Worker<AccountId>> {
    let account: AccountId = params.one()?;
    with_views(client, at)?;
    let view = client.runtime_api().worker(at, account.clone()).map_err(runtime)?;
    view.map(Worker::from).ok_or_else(|| error(NOT_FOUND, format!("{account} is no worker")))
}

/// `openledger_workers(after?, limit?)`
fn workers(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Vec<Worker<AccountId>>> {
    let mut params = params.sequence();
    let after: Option<AccountId> = params.optional_next()?;
    let limit: Option<u32> = params.optional_next()?;
    with_views(client, at)?;
    let page = client.runtime_api().workers(at, after, limit.unwrap_or(PAGE)).map_err(runtime)?;
    Ok(page.into_iter().map(Worker::from).collect())
}

/// `openledger_baseModels(start?, limit?)`
fn base_models(
    client: &FullClient,
    at: Hash,
    params: &Params<'_>,
) -> Answer<Vec<BaseModel<AccountId>>> {
    let mut params = params.sequence();
    let start: Option<u32> = params.optional_next()?;
    let limit: Option<u32> = params.optional_next()?;
    with_views(client, at)?;
    let (start, limit) = (start.unwrap_or(0), limit.unwrap_or(PAGE));
    let page = client.runtime_api().base_models(at, start, limit).map_err(runtime)?;
    Ok(page.into_iter().map(BaseModel::from).collect())
}

/// `openledger_adapter(job)`
fn adapter(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Adapter<AccountId>> {
    let id: u64 = params.one()?;
    let adapter = client.runtime_api().adapter(at, id).map_err(runtime)?;
    let parent = parents(client, at, id, 1)?.get(&id).copied();
    let adapter = adapter.ok_or_else(|| error(NOT_FOUND, format!("there is no adapter {id}")))?;
    let created_at = created_at(client, at, id)?;
    let mut holds_revoked = false;
    for dataset in adapter.datasets.iter() {
        let revoked = revocations(client, at, dataset)?;
        holds_revoked |= revoked.iter().any(|revoked| !leaves_out(created_at, revoked.at));
    }
    Ok(Adapter::new(id, adapter, parent, holds_revoked))
}

/// The block of a job; a runtime of before it was known answers 0, as today's does of such jobs.
fn created_at(client: &FullClient, at: Hash, job: u64) -> Answer<u32> {
    match training_version(client, at)? {
        5.. => client.runtime_api().created_at(at, job).map_err(runtime),
        _ => Ok(0),
    }
}

/// The revoked leaves of a version, at most [`MAX_FILES`] of them. Of a runtime that does not say in which
/// block they were revoked, no job leaves any out.
fn revocations(client: &FullClient, at: Hash, of: &DatasetRef) -> Answer<Vec<RevocationView>> {
    let api = client.runtime_api();
    let version = api.api_version::<dyn DatanetsApi<Block, AccountId>>(at).map_err(runtime)?;
    let mut found: Vec<RevocationView> = Vec::new();
    loop {
        let start = found.last().map_or(0, |last| last.leaf.saturating_add(1));
        let page = match version {
            Some(4..) => api.revocations(at, of.datanet, start, PAGE).map_err(runtime)?,
            Some(2..) => {
                let leaves = api.revoked(at, of.datanet, start, PAGE).map_err(runtime)?;
                let view = |leaf| RevocationView { leaf, at: 0, by_governance: false };
                leaves.into_iter().map(view).collect()
            }
            _ => return Ok(found),
        };
        let whole = page.len() < PAGE as usize;
        let past = page.last().is_some_and(|last| last.leaf >= of.version.leaves);
        found.extend(page.into_iter().filter(|view| view.leaf < of.version.leaves));
        if whole || past {
            return Ok(found);
        }
        if found.len() > MAX_FILES {
            return Err(error(
                TOO_LARGE,
                format!(
                    "more than {MAX_FILES} revoked files; read them in pages with the runtime API \
                     DatanetsApi_revocations"
                ),
            ));
        }
    }
}

/// `openledger_ancestry(job)`: the adapters from which a job's adapter comes, the nearest first, at
/// most 100 of them
fn ancestry(client: &FullClient, at: Hash, params: &Params<'_>) -> Answer<Vec<u64>> {
    let id: u64 = params.one()?;
    with_views(client, at)?;
    let api = client.runtime_api();
    if api.job(at, id).map_err(runtime)?.is_none() {
        return Err(no_job(id));
    }
    match has_parents(client, at)? {
        true => api.ancestry(at, id, PAGE).map_err(runtime),
        false => Ok(Vec::new()),
    }
}

/// `openledger_attribution(job)`: each file trained on, with its share by units, and how many of the
/// versions were left out since they had been revoked
fn attribution(
    client: &FullClient,
    at: Hash,
    params: &Params<'_>,
) -> Answer<Attribution<AccountId>> {
    let id: u64 = params.one()?;
    let api = client.runtime_api();
    let adapter = api
        .adapter(at, id)
        .map_err(runtime)?
        .ok_or_else(|| error(NOT_FOUND, format!("there is no adapter {id}")))?;
    let created_at = created_at(client, at, id)?;
    let mut leaves: Vec<(u32, LeafView<AccountId>)> = Vec::new();
    let mut left_out = 0u64;
    for dataset in adapter.datasets.iter() {
        let revoked = revocations(client, at, dataset)?.into_iter();
        let revoked = revoked.filter(|revoked| leaves_out(created_at, revoked.at));
        let revoked: BTreeSet<u64> = revoked.map(|revoked| revoked.leaf).collect();
        left_out = left_out.saturating_add(revoked.len() as u64);
        let mut start = 0;
        while start < dataset.version.leaves {
            let limit = (dataset.version.leaves - start).min(PAGE.into()) as u32;
            let page = api.leaves(at, dataset.datanet, start, limit).map_err(runtime)?;
            if page.is_empty() {
                return Err(error(
                    RUNTIME_ERROR,
                    "the chain no longer holds a leaf of this version",
                ));
            }
            start += page.len() as u64;
            let kept = page.into_iter().filter(|view| !revoked.contains(&view.index));
            leaves.extend(kept.map(|leaf| (dataset.datanet, leaf)));
            if leaves.len() > MAX_FILES {
                return Err(error(
                    TOO_LARGE,
                    format!(
                        "more than {MAX_FILES} files; read the leaves in pages with the runtime API \
                         DatanetsApi_leaves, or run `openledger adapter attribution {id}`"
                    ),
                ));
            }
        }
    }
    Ok(Attribution { adapter: id, parts: PARTS, files: file_shares(&leaves), left_out })
}
