//! The engine's own model behind the scheduler.

use super::forward::{Forward, Page, Pages, Rows};
use super::scheduler::{Bounds, Scheduler};
use super::settings::ServingSettings;
use super::work::RowWork;
use crate::error::Result;
use crate::model::fast::{BatchStep, Part, PreparedAdapter, ServingArithmetic};
use crate::model::kv::{KvPage, KvPages, KvPool};
use crate::model::Model;
use crate::tokenizer::Tokenizer;
use std::sync::Arc;

impl Scheduler<ModelForward> {
    /// Starts serving a model, on a thread of its own beside the threads of the step.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for a setting out of range or memory that cannot be had,
    /// [`crate::Error::Threads`] when the thread cannot be started.
    pub fn start(
        model: Arc<Model>,
        tokenizer: Arc<Tokenizer>,
        settings: ServingSettings,
    ) -> Result<Self> {
        let memory = settings.memory(&model.config)?;
        let pool = KvPool::new(&model.config, settings.kv_bytes)?;
        let bounds = Bounds { longest: memory.longest, vocabulary: model.config.vocab_size };
        let arithmetic = settings.arithmetic.unwrap_or_else(|| ServingArithmetic::of(&model));
        let threads = settings.threads;
        let make = move || {
            let step = BatchStep::new(model.clone(), arithmetic, threads)?;
            let work = RowWork::new(&model.config, arithmetic);
            Ok(ModelForward::new(step, pool.clone(), work))
        };
        Self::start_with(make, tokenizer, bounds, settings)
    }
}

/// The engine's own step over its paged cache.
#[derive(Debug)]
pub struct ModelForward {
    step: BatchStep,
    pool: KvPool,
    work: RowWork,
}

impl ModelForward {
    /// A step whose sequences live in `pool`, and what its rows cost.
    pub fn new(step: BatchStep, pool: KvPool, work: RowWork) -> Self {
        Self { step, pool, work }
    }
}

impl Forward for ModelForward {
    type Pages = KvPages;
    type Adapter = PreparedAdapter;

    fn pages(&self) -> usize {
        self.pool.pages()
    }

    fn free(&self) -> usize {
        self.pool.free()
    }

    fn open(&self, limit: usize, start: Vec<KvPage>) -> KvPages {
        KvPages::from_pages(&self.pool, limit, start)
    }

    fn row_work(&self, position: usize) -> u64 {
        self.work.at(position)
    }

    fn run(&mut self, rows: &mut [Rows<'_, Self>]) -> Result<()> {
        let mut parts: Vec<Part<'_>> = rows
            .iter_mut()
            .map(|rows| Part {
                pages: &mut *rows.pages,
                tokens: rows.tokens,
                adapter: rows.adapter,
                logits: rows.logits.as_deref_mut(),
            })
            .collect();
        self.step.run(&mut parts)
    }
}

impl Pages for KvPages {
    type Page = KvPage;

    fn len(&self) -> usize {
        self.len()
    }

    fn held(&self) -> usize {
        self.pages()
    }

    fn page(&self, index: usize) -> Option<KvPage> {
        self.page(index)
    }

    fn needed(&self, tokens: usize) -> usize {
        self.needed(tokens)
    }

    fn reserve(&mut self, tokens: usize) -> bool {
        self.reserve(tokens).is_ok()
    }

    fn turned_for(&self) -> usize {
        self.turned_for()
    }
}

impl Page for KvPage {
    fn is_alone(&self) -> bool {
        self.is_alone()
    }
}
