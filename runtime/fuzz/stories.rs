//! What an input of the fuzz target says: a bounded story of blocks and extrinsics on a chain on which
//! something has happened already. It is played through Executive, as a node does, and ends with a look
//! at every pallet's books.
//!
//! An input is a row of steps, each a byte that says of which kind, and what it takes:
//!
//! | byte | step | takes |
//! |---|---|---|
//! | 0–127 | a call that may well succeed, drawn by the bytes that follow | what the dice take |
//! | 128–159 | 1 to 32 blocks | – |
//! | 160–223 | a call, signed by one of those who act | its SCALE encoding |
//! | 224–255 | an extrinsic as it comes from the network | two bytes for its length, and so many bytes |

use crate::{
    common::*,
    likely::{likely, Dice},
    random_governance::{delegate_of, governance_call, governor, together, wrapped},
    random_reviews::{committees, step},
    random_staking::stake_call,
};
use codec::{Decode, DecodeLimit};
use frame_support::{
    storage::{with_transaction_unchecked, TransactionOutcome},
    traits::{schedule::DispatchTime, CallMetadata, GetCallMetadata, StorePreimage},
};
use openledger_primitives::{
    committee::Phase, ContentId, JobKind, ModelFamily, RewardTerms, Serves, Verdict, OPEN,
    TOTAL_SUPPLY,
};
use openledger_runtime::{
    governance::origins::Origin, AccountId, Datanets, Executive, Preimage, Runtime, RuntimeCall,
    System, UncheckedExtrinsic,
};
use sp_core::{sr25519, Encode};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{generic::Preamble, transaction_validity::TransactionSource, DispatchError};
use std::{cell::RefCell, collections::BTreeMap};

/// Most steps of a story; what an input says beyond them is not read.
pub const MOST_STEPS: u32 = 64;
/// Most blocks of a story.
pub const MOST_BLOCKS: u32 = 128;
/// How deep a call may be nested, as in a block (`sp_api::MAX_EXTRINSIC_DEPTH`).
const DEPTH: u32 = 256;

/// What came of a story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Steps that were taken.
    pub steps: u32,
    /// Extrinsics that stand in a block.
    pub included: u32,
    /// Calls of them that succeeded.
    pub succeeded: u32,
}

/// Who acts, each with its key.
struct Actors {
    pairs: Vec<sr25519::Pair>,
    by_account: BTreeMap<AccountId, usize>,
}

impl Actors {
    fn new() -> Self {
        let known = [
            Sr25519Keyring::Alice,
            Sr25519Keyring::Bob,
            Sr25519Keyring::Charlie,
            Sr25519Keyring::Dave,
            Sr25519Keyring::Eve,
            Sr25519Keyring::Ferdie,
        ];
        let pairs: Vec<_> =
            known.map(|key| key.pair()).into_iter().chain((5..10).map(user)).collect();
        let by_account = pairs.iter().enumerate().map(|(n, pair)| (id(pair), n)).collect();
        Self { pairs, by_account }
    }

    fn of(&self, account: &AccountId) -> Option<&sr25519::Pair> {
        self.by_account.get(account).and_then(|n| self.pairs.get(*n))
    }

    fn any(&self, byte: u8) -> &sr25519::Pair {
        &self.pairs[usize::from(byte) % self.pairs.len()]
    }
}

/// A call that may well succeed, and who makes it: of the pallets of our own, of committees, governance, staking
/// and nomination pools, or one inside another.
fn next_call(dice: &mut Dice) -> (AccountId, RuntimeCall) {
    let (who, call) = match dice.roll(17) {
        0 => together(dice),
        1..=4 => {
            let call = governance_call(dice);
            (governor(dice, &call), call)
        }
        5 => stake_call(dice),
        _ => likely(dice, true),
    };
    if dice.roll(12) > 0 {
        return (who, call);
    }
    let call = wrapped(dice, call);
    let delegate = match &call {
        RuntimeCall::Proxy(pallet_proxy::Call::proxy { real, .. }) => delegate_of(real),
        _ => None,
    };
    (delegate.unwrap_or(who), call)
}

/// A chain between two blocks on which a file is accepted, a pool is filled, a base model stands and five workers wait.
pub fn begun() -> sp_io::TestExternalities {
    let mut chain = genesis("development");
    chain.execute_with(|| {
        // Whoever has this key may write any state, and nothing would have to hold any more.
        pallet_sudo::Key::<Runtime>::kill();
        begin_block();
        let datanet = text_datanet();
        let alice = Sr25519Keyring::Alice.to_account_id();
        for n in 5..10 {
            let dest = id(&user(n)).into();
            let value = 1_000 * OPEN;
            dispatch(&alice, pallet_balances::Call::transfer_keep_alive { dest, value });
        }
        let (author, file) = (id(&user(5)), item(b"the first"));
        dispatch(&author, pallet_datanets::Call::register {});
        dispatch(&author, submit(datanet, vec![file]));
        let terms = RewardTerms { per_period: OPEN, max_per_point: OPEN };
        fund(&Sr25519Keyring::Dave.to_account_id(), datanet, 10 * OPEN, terms);
        dispatch(
            &alice,
            pallet_training::Call::register_base_model {
                family: ModelFamily::Llama,
                name: b"model".to_vec().try_into().expect("short"),
                files: pallet_training::types::ModelFiles {
                    weights: ContentId::raw([1; 32]),
                    weights_sha256: [1; 32],
                    weights_size: 1,
                    tokenizer: None,
                    config: None,
                },
                licence: b"Apache-2.0".to_vec().try_into().expect("short"),
            },
        );
        for n in 5..10_u32 {
            let worker = pallet_training::Call::register_worker {
                kinds: JobKind::all().collect::<Vec<_>>().try_into().expect("all fit"),
                price_per_token: u128::from(n),
                endpoint: Default::default(),
                serves: Serves::Models(vec![0].try_into().expect("one fits")),
                tokens_per_second: 32,
            };
            dispatch(&id(&user(n)), worker);
        }
        end_block();
        for _ in 0..4 {
            begin_block();
            end_unchecked_block();
        }
        begin_block();
        let pending = Datanets::pending(datanet, None, 1).remove(0);
        let (sha256, submission) = (pending.item.sha256, pending.submission);
        let verdict: Verdict = accept(80, 700, 1);
        for curator in [Sr25519Keyring::Bob, Sr25519Keyring::Charlie] {
            let vote = pallet_review::Call::vote { datanet, sha256, submission, verdict };
            dispatch(&curator.to_account_id(), vote);
        }
        end_block();
    });
    chain.commit_all().expect("no transaction is open");
    chain
}

/// The same, and there is a second Datanet, of which a committee has accepted a file, so that it may be challenged,
/// another file waits for its committee, and a referendum for votes.
fn going_on() -> sp_io::TestExternalities {
    let mut chain = begun();
    chain.execute_with(|| {
        begin_block();
        let author = id(&user(5));
        let datanet = drawn_from(&author);
        proposed_by(&Sr25519Keyring::Alice.to_account_id());
        let mut dice = Dice::seeded(0);
        for _ in 0..MOST_BLOCKS {
            // A committee that does not agree is followed by another one.
            let last = pallet_review::NextDraw::<Runtime>::get().saturating_sub(1);
            let drawn = pallet_review::Draws::<Runtime>::get(last);
            if drawn.is_some_and(|record| matches!(record.draw.phase, Phase::Judged { .. })) {
                dispatch(&author, submit(datanet, vec![item(b"for another committee")]));
                return end_block();
            }
            while let Some((call, who)) = step(&mut dice, last) {
                dispatch(&who, call);
            }
            end_unchecked_block();
            begin_block();
        }
        panic!("no committee has judged in {MOST_BLOCKS} blocks");
    });
    chain.commit_all().expect("no transaction is open");
    chain
}

/// A Datanet whose files committees judge, with a file of an author's.
fn drawn_from(author: &AccountId) -> u32 {
    let datanet = text_datanet();
    let known = [Sr25519Keyring::Bob, Sr25519Keyring::Charlie, Sr25519Keyring::Dave];
    let mut reviewers: Vec<_> = (5..10).map(|n| id(&user(n))).collect();
    reviewers.extend(known.map(|one| one.to_account_id()));
    committees(datanet, &reviewers);
    dispatch(author, submit(datanet, vec![item(b"for a committee")]));
    datanet
}

/// A referendum on a small sum of the treasury, which waits for votes.
fn proposed_by(who: &AccountId) {
    let spend: RuntimeCall = pallet_treasury::Call::spend {
        asset_kind: Box::new(()),
        amount: OPEN,
        beneficiary: Box::new(who.clone()),
        valid_from: None,
    }
    .into();
    let proposal = Preimage::bound(spend).expect("it is short enough");
    let submit = pallet_referenda::Call::submit {
        proposal_origin: Box::new(Origin::SmallSpender.into()),
        proposal,
        enactment_moment: DispatchTime::After(1),
    };
    dispatch(who, submit);
    dispatch(who, pallet_referenda::Call::place_decision_deposit { index: 0 });
}

thread_local! {
    static CHAIN: RefCell<sp_io::TestExternalities> = RefCell::new(going_on());
    static ACTORS: Actors = Actors::new();
}

/// Plays an input. Panics where a pallet's books are wrong or OPEN is not conserved.
pub fn play(input: &[u8]) -> Told {
    on_the_chain(|actors| {
        let mut told = Told::default();
        let mut dice = Dice::of(input);
        let mut blocks = 0;
        while told.steps < MOST_STEPS {
            let Some((kind, rest)) = dice.input.split_first() else { break };
            dice.input = rest;
            told.steps += 1;
            match kind {
                0..=127 => {
                    let (who, call) = next_call(&mut dice);
                    if let Some(pair) = actors.of(&who) {
                        told.note(include(pair, call));
                    }
                }
                128..=159 => {
                    for _ in 128..=*kind {
                        if blocks < MOST_BLOCKS {
                            blocks += 1;
                            end_unchecked_block();
                            begin_block();
                        }
                    }
                }
                160..=223 => {
                    let mut left = dice.input;
                    if let Ok(call) = RuntimeCall::decode_with_depth_limit(DEPTH, &mut left) {
                        dice.input = left;
                        told.note(include(actors.any(*kind), call));
                    }
                }
                224..=255 => {
                    let Some((length, rest)) = dice.input.split_first_chunk() else { break };
                    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
                    let (bytes, rest) = rest.split_at(length);
                    dice.input = rest;
                    told.note(offer(bytes));
                }
            }
        }
        end_block();
        assert_eq!(pallet_balances::TotalIssuance::<Runtime>::get(), TOTAL_SUPPLY);
        told
    })
}

/// Runs in the block after what has happened already, and forgets what it did.
fn on_the_chain<R>(run: impl FnOnce(&Actors) -> R) -> R {
    CHAIN.with_borrow_mut(|chain| {
        let result = chain.execute_with(|| {
            begin_block();
            ACTORS.with(run)
        });
        chain.reset_overlay();
        result
    })
}

/// What came of an extrinsic: `None` if it stands in no block.
type Came = Option<Result<(), DispatchError>>;

impl Told {
    fn note(&mut self, came: Came) {
        self.included += u32::from(came.is_some());
        self.succeeded += u32::from(matches!(came, Some(Ok(()))));
    }
}

/// Puts a call into the block, signed.
fn include(pair: &sr25519::Pair, call: RuntimeCall) -> Came {
    let nonce = System::account_nonce(id(pair));
    apply(sign(pair, nonce, call)).ok()
}

/// What a node does with bytes from the network: what its pool takes comes into the block. Neither
/// panics, whatever the bytes are.
fn offer(bytes: &[u8]) -> Came {
    let extrinsic = UncheckedExtrinsic::decode(&mut &bytes[..]).ok()?;
    let again = extrinsic.encode();
    assert_eq!(UncheckedExtrinsic::decode(&mut &again[..]).map(|read| read.encode()), Ok(again));
    let parent = System::parent_hash();
    let valid = with_transaction_unchecked(|| {
        let source = TransactionSource::External;
        let valid = Executive::validate_transaction(source, extrinsic.clone(), parent);
        TransactionOutcome::Rollback(valid)
    });
    // An author may try what its pool would not take, but no inherent, which it makes itself.
    if valid.is_ok() || !matches!(extrinsic.preamble, Preamble::Bare(_)) {
        return apply(extrinsic).ok();
    }
    None
}

/// A story in which calls succeed, drawn from a seed and written out as an input, where a fuzzer begins; and
/// the pallet and name of each of its calls.
pub fn written(seed: u64) -> (Vec<u8>, Vec<CallMetadata>) {
    on_the_chain(|actors| {
        let mut dice = Dice::seeded(seed);
        let (mut input, mut calls) = (Vec::new(), Vec::new());
        let (mut steps, mut blocks) = (0, 0);
        for _ in 0..20 * MOST_STEPS {
            if steps == MOST_STEPS {
                break;
            }
            if dice.roll(12) == 0 && blocks < MOST_BLOCKS {
                let count = 1 + dice.roll(6) as u32;
                input.push(127 + count as u8);
                (steps, blocks) = (steps + 1, blocks + count);
                for _ in 0..count {
                    end_unchecked_block();
                    begin_block();
                }
                continue;
            }
            // Which also takes a preimage back that somebody noted for a proposal: no extrinsic says it.
            let next = || TransactionOutcome::Rollback(next_call(&mut dice));
            let (who, call) = with_transaction_unchecked(next);
            let Some(signer) = actors.by_account.get(&who) else { continue };
            let pair = &actors.pairs[*signer];
            let extrinsic = sign(pair, System::account_nonce(&who), call.clone());
            // What fails stays out of it, so that the story goes the same way without.
            let succeeded = with_transaction_unchecked(|| match apply(extrinsic.clone()) {
                Ok(Ok(())) => TransactionOutcome::Commit(Ok::<_, DispatchError>(true)),
                _ => TransactionOutcome::Rollback(Ok(false)),
            });
            if succeeded != Ok(true) {
                continue;
            }
            steps += 1;
            calls.push(call.get_call_metadata());
            let bytes = extrinsic.encode();
            if dice.roll(4) == 0 && bytes.len() <= usize::from(u16::MAX) {
                input.push(224);
                input.extend((bytes.len() as u16).to_le_bytes());
                input.extend(bytes);
            } else {
                let first = 160_usize.next_multiple_of(actors.pairs.len());
                input.push((first + signer) as u8);
                call.encode_to(&mut input);
            }
        }
        (input, calls)
    })
}
