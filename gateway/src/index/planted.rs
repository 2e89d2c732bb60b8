//! A chain that is made up, block by block, for tests and benchmarks: the same numbers give the same blocks.
//! Its events come in the order, and with the state, that the pallets bring them in.

use openledger_client::{
    blocks::{Block, BlockEvent, ChainEvent, Changed, DatanetRecord, Detail, Said},
    AccountId, BaseModel, H256,
};
use openledger_primitives::{
    api::SubmissionItem,
    job::{Assignment, Job, JobState},
    leaf::{DatasetRef, LeafVersion},
    Adapter, ContentId, DatasetLeaf, DatasetVersion, JobKind, JobResult, MediaType, Method,
    Modality, ModelFamily, Pool, RateClass, RejectionReason, ReviewPolicy, RewardTerms, Score,
    SizeClass, TrainingSpec, Verdict,
};
use std::collections::BTreeMap;

/// Blocks of a reward period.
const PERIOD: u32 = 10;
/// Milliseconds between two blocks.
const SLOT: u64 = 3_000;
/// Time of the first block.
const BEGIN: u64 = 1_700_000_000_000;
/// Units that every accepted file has.
const UNITS: u64 = 100;

/// What is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Datanets, made in the first block.
    pub datanets: u32,
    /// Accounts that submit, in turns.
    pub contributors: u32,
    /// Files that come in each block from the second on, each decided in the block after.
    pub files: u32,
    /// Jobs that come in each block from the third on, each completed in the block after.
    pub jobs: u32,
    /// Distinguishes chains.
    pub seed: u8,
}

impl Plan {
    /// A small chain with something of everything.
    pub const SMALL: Self = Self { datanets: 2, contributors: 5, files: 4, jobs: 1, seed: 1 };
}

/// An account of a made-up chain.
pub fn account(number: u32) -> AccountId {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    AccountId::from(bytes)
}

/// The curator of every made-up Datanet.
pub fn curator() -> AccountId {
    account(u32::MAX)
}

fn digest(kind: u8, seed: u8, number: u64) -> [u8; 32] {
    let mut bytes = [kind; 32];
    bytes[1] = seed;
    bytes[2..10].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// Makes the blocks of a plan, one after the other.
#[derive(Clone, Debug)]
pub struct Maker {
    plan: Plan,
    next: u32,
    parent: H256,
    submissions: u64,
    waiting: Vec<(u64, u32, AccountId)>,
    leaves: BTreeMap<u32, u64>,
    totals: BTreeMap<(u32, [u8; 32]), u128>,
    pools: BTreeMap<u32, Pool>,
    jobs: u64,
    running: Vec<u64>,
}

impl Maker {
    /// Before the first block.
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            next: 0,
            parent: H256::zero(),
            submissions: 0,
            waiting: Vec::new(),
            leaves: BTreeMap::new(),
            totals: BTreeMap::new(),
            pools: BTreeMap::new(),
            jobs: 0,
            running: Vec::new(),
        }
    }

    /// The first blocks of a plan.
    pub fn blocks(plan: Plan, count: u32) -> Vec<Block> {
        let mut maker = Self::new(plan);
        (0..count).map(|_| maker.block()).collect()
    }

    /// The next block.
    pub fn block(&mut self) -> Block {
        let number = self.next;
        let hash = H256(digest(1, self.plan.seed, number.into()));
        let mut block = Block {
            number,
            hash,
            parent: self.parent,
            time: if number == 0 { 0 } else { BEGIN + SLOT * u64::from(number) },
            spec: 102,
            period_length: PERIOD,
            extrinsics: vec![H256(digest(2, self.plan.seed, number.into()))],
            events: Vec::new(),
            changed: Changed::default(),
        };
        match number {
            0 => {}
            1 => self.begin(&mut block),
            _ => {
                self.decide(&mut block);
                self.submit(&mut block);
                self.complete_jobs(&mut block);
                if number > 2 {
                    self.create_jobs(&mut block);
                }
            }
        }
        self.next = number.saturating_add(1);
        self.parent = hash;
        block
    }

    fn begin(&mut self, block: &mut Block) {
        for id in 0..self.plan.datanets {
            let owner = account(id);
            block.changed.datanets.push(DatanetRecord {
                id,
                owner,
                name: format!("Datanet number {id}"),
                modality: Modality::Text,
                min_units: 1,
                max_units: 1_000,
                daily_limit: None,
            });
            let members = vec![curator()].try_into().unwrap_or_default();
            block.changed.policies.push((id, ReviewPolicy::Curators { members, threshold: 1 }));
            push(block, ChainEvent::DatanetCreated { datanet: id, owner }, Detail::None);
            let amount = 1_000_000_000;
            let terms = RewardTerms { per_period: 1_000, max_per_point: 10 };
            let pool = Pool { total_in: amount, available: amount, terms, ..Pool::default() };
            self.pools.insert(id, pool);
            block.changed.pools.push((id, pool));
            push(block, ChainEvent::Funded { datanet: id, who: owner, amount }, Detail::None);
        }
        let model = BaseModel {
            id: 0,
            registrar: account(0),
            family: ModelFamily::Llama,
            name: "made up".to_owned(),
            licence: "MIT".to_owned(),
            weights: ContentId::raw(digest(3, self.plan.seed, 0)),
            weights_sha256: digest(3, self.plan.seed, 0),
            weights_size: 1 << 20,
            tokenizer: None,
            config: None,
            retired: false,
        };
        block.changed.base_models.push(model);
        let registered = ChainEvent::BaseModelRegistered { base: 0, registrar: account(0) };
        push(block, registered, Detail::None);
    }

    fn submit(&mut self, block: &mut Block) {
        for _ in 0..self.plan.files {
            let submission = self.submissions;
            self.submissions += 1;
            let datanet = (submission % u64::from(self.plan.datanets.max(1))) as u32;
            // Shifted, so that no account's files are all refused.
            let turn = submission + submission / 5;
            let contributor = account((turn % u64::from(self.plan.contributors.max(1))) as u32);
            let sha256 = digest(4, self.plan.seed, submission);
            let content = ContentId::raw(sha256);
            let item = SubmissionItem { content, sha256, size: 1_000, media: MediaType::Txt };
            self.waiting.push((submission, datanet, contributor));
            push(
                block,
                ChainEvent::Submitted { datanet, submission, contributor, sha256 },
                Detail::File(item),
            );
        }
    }

    /// Every fifth file is refused, every seventh taken back, the others are accepted.
    fn decide(&mut self, block: &mut Block) {
        for (submission, datanet, contributor) in std::mem::take(&mut self.waiting) {
            let sha256 = digest(4, self.plan.seed, submission);
            if submission % 7 == 6 {
                let event = ChainEvent::Withdrawn { datanet, submission, contributor, sha256 };
                push(block, event, Detail::None);
                continue;
            }
            let accepted = submission % 5 != 4;
            let score = Score::new((submission % 100) as u8 + 1).unwrap_or(Score::MAX);
            let text_root = H256(digest(5, self.plan.seed, submission)).0.into();
            let verdict = match accepted {
                true => Verdict::Accept { score, units: UNITS, text_root, extractor: 2 },
                false => Verdict::Reject(RejectionReason::OffTopic),
            };
            let voted = ChainEvent::Voted {
                datanet,
                submission,
                curator: curator(),
                replaced: false,
                verdict: Said(Some(verdict)),
            };
            push(block, voted, Detail::Vote(verdict));
            if accepted {
                self.accept(block, submission, datanet, contributor, score);
            } else {
                let reason = RejectionReason::OffTopic;
                let event =
                    ChainEvent::Rejected { datanet, submission, contributor, sha256, reason };
                push(block, event, Detail::None);
            }
            push(block, ChainEvent::Decided { datanet, submission, accepted }, Detail::None);
        }
    }

    fn accept(
        &mut self,
        block: &mut Block,
        submission: u64,
        datanet: u32,
        contributor: AccountId,
        score: Score,
    ) {
        let sha256 = digest(4, self.plan.seed, submission);
        let points = u128::from(score.get()) * u128::from(UNITS);
        let period = block.number / PERIOD;
        let pool = self.pools.entry(datanet).or_default();
        let closing = pool.points;
        if let Ok(Some((ended, rate))) = pool.advance(period) {
            let event = ChainEvent::PeriodClosed { datanet, period: ended, points: closing, rate };
            push(block, event, Detail::None);
        }
        let earned = pool.earn(points);
        debug_assert!(earned.is_ok());
        let pool = *pool;
        block.changed.pools.retain(|(of, _)| *of != datanet);
        block.changed.pools.push((datanet, pool));
        let total = self.totals.entry((datanet, contributor.0)).or_default();
        *total += points;
        let total = *total;
        push(
            block,
            ChainEvent::PointsEarned { datanet, account: contributor, points, total },
            Detail::None,
        );
        let leaf = self.leaves.entry(datanet).or_default();
        let place = *leaf;
        *leaf += 1;
        let record = DatasetLeaf {
            version: LeafVersion::V2 { extractor: 2 },
            submission,
            contributor,
            sha256,
            size: 1_000,
            units: UNITS,
            score,
            text_root: H256(digest(5, self.plan.seed, submission)).0.into(),
        };
        push(
            block,
            ChainEvent::Accepted { datanet, submission, contributor, sha256, leaf: place, points },
            Detail::Leaf(record),
        );
    }

    fn job(&self, id: u64, state: JobState<AccountId>) -> Job<AccountId> {
        let version = DatasetVersion { leaves: 1, root: digest(6, self.plan.seed, 0).into() };
        let datasets = vec![DatasetRef { datanet: 0, version }].try_into().unwrap_or_default();
        Job {
            owner: account((id % u64::from(self.plan.contributors.max(1))) as u32),
            base: 0,
            size: SizeClass::default(),
            kind: JobKind { family: ModelFamily::Llama, method: Method::Lora },
            datasets,
            spec: TrainingSpec::default(),
            token_ceiling: 1_000_000,
            price_per_token: 1,
            budget: 1_000_000,
            deposit: 1_000,
            deadline: u32::MAX,
            attempts: 0,
            refused: Default::default(),
            sequence: id,
            state,
            ended_at: 0,
        }
    }

    fn create_jobs(&mut self, block: &mut Block) {
        for _ in 0..self.plan.jobs {
            let id = self.jobs;
            self.jobs += 1;
            let job = self.job(id, JobState::Queued);
            let event = ChainEvent::JobCreated { job: id, owner: job.owner, budget: job.budget };
            push(block, event, Detail::None);
            // Every second one goes on from the one before, which is completed by now.
            if id % 2 == 1 && !self.running.contains(&(id - 1)) {
                push(block, ChainEvent::ParentNamed { job: id, parent: id - 1 }, Detail::None);
            }
            block.changed.jobs.push((id, job));
            self.running.push(id);
        }
    }

    fn complete_jobs(&mut self, block: &mut Block) {
        for id in std::mem::take(&mut self.running) {
            let assignment =
                Assignment { worker: curator(), price: 1_000, rate: RateClass::default() };
            let job = self.job(id, JobState::Completed { assignment });
            let content = ContentId::raw(digest(8, self.plan.seed, id));
            let result = JobResult {
                content,
                sha256: digest(8, self.plan.seed, id),
                size: 1_000,
                eval_loss_before: 2_500_000,
                eval_loss_after: 1_500_000,
                tokens: 1_000,
                dataset_root: digest(6, self.plan.seed, id).into(),
                checkpoints_root: [0; 32].into(),
                influence_root: [0; 32].into(),
            };
            let event = ChainEvent::JobCompleted {
                job: id,
                worker: curator(),
                price: 1_000,
                refund: job.budget - 1_000,
            };
            push(block, event, Detail::None);
            let adapter = Adapter {
                owner: job.owner,
                worker: curator(),
                base: 0,
                datasets: job.datasets.clone(),
                result,
                registered_at: block.number,
            };
            block.changed.adapters.push((id, adapter));
            block.changed.jobs.push((id, job));
        }
    }
}

fn push(block: &mut Block, event: ChainEvent, detail: Detail) {
    let index = block.events.len() as u32;
    block.events.push(BlockEvent { index, extrinsic: Some(0), event, detail });
}
