//! Keys and values of sequences in pages of a bounded pool.
//!
//! A page holds [`PAGE`] positions of every layer, so that a sequence takes one page after another
//! and gives them back whole. Pages are counted: sequences with the same beginning read the same
//! pages. Only whole pages whose positions are all written are shared, and a sequence writes only
//! to pages of its own, which is why no lock is held while a step reads and writes them.

use super::config::ModelConfig;
use super::rotary::RopeScaling;
use crate::error::{Error, Result};
use crate::kernels::memory::{before_line, LINE};
use crate::kernels::Shared;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Positions in a page.
pub const PAGE: usize = 32;

/// No page is left for what a sequence asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{needed} more pages of keys and values are needed and {free} are free")]
pub struct Full {
    /// Pages asked for.
    pub needed: usize,
    /// Pages that were free.
    pub free: usize,
}

/// Widths of what a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    layers: usize,
    key_width: usize,
    value_width: usize,
}

impl Shape {
    pub(super) fn new(config: &ModelConfig) -> Self {
        let heads = config.heads(0);
        Self {
            layers: config.num_hidden_layers,
            key_width: heads.key_width(),
            value_width: heads.value_width(),
        }
    }

    /// Values of a layer in a page.
    fn layer(self) -> usize {
        PAGE * (self.key_width + self.value_width)
    }

    /// Values of a page.
    fn page(self) -> usize {
        self.layers * self.layer()
    }
}

/// From which length on the rotary frequencies are others, and whether they go on changing.
#[derive(Debug, Clone, Copy)]
struct Turning {
    same_up_to: usize,
    grows: bool,
}

struct Inner {
    shape: Shape,
    turning: Option<Turning>,
    /// Room for all pages; nothing is read that was not written before, so that the system gives
    /// memory only to pages that were used.
    memory: Shared,
    /// Keeps the memory.
    _room: Vec<f32>,
    /// Handles of each page.
    counts: Box<[AtomicU32]>,
    free: Mutex<Vec<u32>>,
}

impl Inner {
    fn free(&self) -> MutexGuard<'_, Vec<u32>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, page: u32) -> &AtomicU32 {
        &self.counts[page as usize]
    }

    fn keep(&self, page: u32) {
        self.count(page).fetch_add(1, Ordering::Relaxed);
    }

    fn give_back(&self, page: u32) {
        if self.count(page).fetch_sub(1, Ordering::AcqRel) == 1 {
            self.free().push(page);
        }
    }

    /// Where a page begins.
    fn start(&self, page: u32) -> *mut f32 {
        // SAFETY: pages are numbered below the number that the room was made for.
        unsafe { self.memory.get().add(page as usize * self.shape.page()) }
    }
}

/// A bounded pool of pages. Clones are the same pool.
#[derive(Clone)]
pub struct KvPool(Arc<Inner>);

impl std::fmt::Debug for KvPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KvPool({} of {} pages free)", self.free(), self.pages())
    }
}

impl KvPool {
    /// As many pages as `bytes` hold.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when that is not one page, or more memory than can be had.
    pub fn new(config: &ModelConfig, bytes: usize) -> Result<Self> {
        let (shape, page) = (Shape::new(config), Self::page_bytes(config));
        let refused =
            |range: String| Error::Setting { name: "kv_bytes", value: bytes.to_string(), range };
        let pages = (bytes / page.max(1)).min(u32::MAX as usize);
        if pages == 0 {
            return Err(refused(format!("at least {page}: one page of {PAGE} tokens")));
        }
        let mut room: Vec<f32> = Vec::new();
        room.try_reserve_exact(pages * shape.page() + LINE)
            .map_err(|e| refused(format!("memory that this machine has ({e})")))?;
        let start = before_line(&room);
        let turning = config.rotary().and_then(|rotary| {
            let same_up_to = rotary.same_up_to()?;
            let grows = matches!(rotary.scaling, Some(RopeScaling::Dynamic(_)));
            Some(Turning { same_up_to, grows })
        });
        Ok(Self(Arc::new(Inner {
            shape,
            turning,
            memory: Shared(room.as_mut_ptr().wrapping_add(start)),
            _room: room,
            counts: (0..pages).map(|_| AtomicU32::new(0)).collect(),
            free: Mutex::new((0..pages as u32).rev().collect()),
        })))
    }

    /// A pool for one sequence of `tokens` tokens.
    pub fn for_tokens(config: &ModelConfig, tokens: usize) -> Result<Self> {
        Self::new(config, tokens.div_ceil(PAGE).max(1).saturating_mul(Self::page_bytes(config)))
    }

    /// Bytes of a page of a model.
    pub fn page_bytes(config: &ModelConfig) -> usize {
        Shape::new(config).page() * size_of::<f32>()
    }

    /// Pages in all.
    pub fn pages(&self) -> usize {
        self.0.counts.len()
    }

    /// Pages that nobody holds.
    pub fn free(&self) -> usize {
        self.0.free().len()
    }
}

/// A handle of one whole, written page, for those who keep pages for sequences to come. It keeps the
/// page from being freed.
pub struct KvPage {
    pool: KvPool,
    page: u32,
    turned_for: usize,
}

impl std::fmt::Debug for KvPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KvPage({})", self.page)
    }
}

impl KvPage {
    /// Whether nobody else holds the page: dropping the handle would free it.
    pub fn is_alone(&self) -> bool {
        self.pool.0.count(self.page).load(Ordering::Acquire) == 1
    }
}

impl Clone for KvPage {
    fn clone(&self) -> Self {
        self.pool.0.keep(self.page);
        Self { pool: self.pool.clone(), page: self.page, turned_for: self.turned_for }
    }
}

impl Drop for KvPage {
    fn drop(&mut self) {
        self.pool.0.give_back(self.page);
    }
}

/// The pages of one sequence, ascending.
#[derive(Debug)]
pub struct KvPages {
    pool: KvPool,
    pages: Vec<u32>,
    len: usize,
    limit: usize,
}

impl KvPages {
    /// An empty sequence that will have at most `limit` tokens. Where the rotary frequencies depend
    /// on the length, a sequence that may outgrow the model's original context is turned for `limit`
    /// tokens from its first one on (docs/arithmetic.md, "Serving").
    pub fn new(pool: &KvPool, limit: usize) -> Self {
        Self { pool: pool.clone(), pages: Vec::new(), len: 0, limit }
    }

    /// A sequence that begins with pages of others, as many of them from the first on as are turned
    /// alike.
    pub fn from_pages(
        pool: &KvPool,
        limit: usize,
        pages: impl IntoIterator<Item = KvPage>,
    ) -> Self {
        let mut all = Self::new(pool, limit);
        let turned_for = all.turned_for();
        let fits =
            |page: &KvPage| Arc::ptr_eq(&page.pool.0, &pool.0) && page.turned_for == turned_for;
        for page in pages.into_iter().take_while(fits).take(limit / PAGE) {
            all.pool.0.keep(page.page);
            all.pages.push(page.page);
            all.len += PAGE;
        }
        all
    }

    /// Tokens whose keys and values it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Most tokens that it may hold.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Pages that it holds.
    pub fn pages(&self) -> usize {
        self.pages.len()
    }

    /// The length that its queries and keys are turned for, where that matters; 0 elsewhere. Pages
    /// may be shared between sequences that agree in it.
    pub fn turned_for(&self) -> usize {
        match self.pool.0.turning {
            Some(turning) if self.limit > turning.same_up_to => {
                if turning.grows {
                    self.limit
                } else {
                    turning.same_up_to + 1
                }
            }
            _ => 0,
        }
    }

    /// A handle of page `index`, once all its positions are written.
    pub fn page(&self, index: usize) -> Option<KvPage> {
        let page = *self.pages.get(index).filter(|_| (index + 1) * PAGE <= self.len)?;
        self.pool.0.keep(page);
        Some(KvPage { pool: self.pool.clone(), page, turned_for: self.turned_for() })
    }

    /// A sequence that shares the first `pages` pages, or as many as are whole and written.
    pub fn share_prefix(&self, pages: usize) -> Self {
        let pages = self.pages[..pages.min(self.len / PAGE)].to_vec();
        pages.iter().for_each(|page| self.pool.0.keep(*page));
        let len = pages.len() * PAGE;
        Self { pool: self.pool.clone(), pages, len, limit: self.limit }
    }

    /// Pages that [`Self::reserve`] would take for `tokens` more tokens.
    pub fn needed(&self, tokens: usize) -> usize {
        let pages = (self.len + tokens).div_ceil(PAGE).saturating_sub(self.pages.len());
        pages + usize::from(tokens > 0 && self.last_is_shared())
    }

    /// Whether the next token's position lies in a page that others hold too, as after a
    /// [`Self::truncate`].
    fn last_is_shared(&self) -> bool {
        self.pages
            .get(self.len / PAGE)
            .is_some_and(|page| self.pool.0.count(*page).load(Ordering::Acquire) > 1)
    }

    /// Makes room for `tokens` more tokens, in pages of its own. On an error nothing changes.
    pub fn reserve(&mut self, tokens: usize) -> std::result::Result<(), Full> {
        let needed = self.needed(tokens);
        if needed == 0 {
            return Ok(());
        }
        let inner = self.pool.0.clone();
        let shared = self.last_is_shared();
        let mut free = inner.free();
        if free.len() < needed {
            return Err(Full { needed, free: free.len() });
        }
        let from = free.len() - needed;
        let mut new = free.split_off(from);
        drop(free);
        new.iter().for_each(|page| inner.count(*page).store(1, Ordering::Release));
        if let Some(page) = shared.then(|| new.pop()).flatten() {
            let old = std::mem::replace(&mut self.pages[self.len / PAGE], page);
            // SAFETY: both are whole pages; the new one is this sequence's alone, and a shared page
            // is not written by anyone.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    inner.start(old),
                    inner.start(page),
                    inner.shape.page(),
                );
            }
            inner.give_back(old);
        }
        self.pages.append(&mut new);
        Ok(())
    }

    /// Forgets all but the first `len` tokens, and gives back the pages that only they needed.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        let kept = self.len.div_ceil(PAGE);
        for page in self.pages.drain(kept.min(self.pages.len())..) {
            self.pool.0.give_back(page);
        }
    }

    /// Counts `tokens` more tokens as written.
    pub(super) fn advance(&mut self, tokens: usize) {
        self.len += tokens;
    }

    pub(super) fn shape(&self) -> Shape {
        self.pool.0.shape
    }

    /// The pages as a step sees them.
    pub(super) fn table(&self) -> PageTable<'_> {
        PageTable { inner: &self.pool.0, pages: &self.pages }
    }
}

impl Drop for KvPages {
    fn drop(&mut self) {
        for page in &self.pages {
            self.pool.0.give_back(*page);
        }
    }
}

/// Where the keys and values of a sequence lie.
#[derive(Clone, Copy)]
pub(super) struct PageTable<'a> {
    inner: &'a Inner,
    pages: &'a [u32],
}

impl PageTable<'_> {
    /// Whether both are those of one sequence.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        std::ptr::eq(self.pages, other.pages)
    }

    /// Keys of a layer in the page that holds `position`: rows of the layer's key width, the first
    /// one of the page's first position.
    pub(super) fn keys(&self, layer: usize, position: usize) -> *mut f32 {
        let start = self.inner.start(self.pages[position / PAGE]);
        // SAFETY: the layer lies within the page.
        unsafe { start.add(layer * self.inner.shape.layer()) }
    }

    /// The values beside [`Self::keys`].
    pub(super) fn values(&self, layer: usize, position: usize) -> *mut f32 {
        // SAFETY: the values lie behind the keys of the same layer and page.
        unsafe { self.keys(layer, position).add(PAGE * self.inner.shape.key_width) }
    }
}
