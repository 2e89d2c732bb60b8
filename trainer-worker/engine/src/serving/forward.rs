//! What the policy needs of a model: pages of keys and values, and a step over rows.

use super::work::ROW;
use crate::error::Result;

pub use crate::model::kv::PAGE;

/// Takes rows of many sequences through a model. The policy is written against this trait, so that it
/// can be driven by a model whose answers are known.
///
/// What it computes for a row may depend on nothing but the row's own sequence, positions and adapter;
/// otherwise the answers would depend on who else is asking.
pub trait Forward {
    /// The pages of one sequence.
    type Pages: Pages;
    /// An adapter that any number of sequences use at the same time.
    type Adapter;

    /// Pages of the pool in all.
    fn pages(&self) -> usize;

    /// Pages of the pool that nobody holds.
    fn free(&self) -> usize;

    /// A sequence of at most `limit` tokens that begins with whole pages of others.
    fn open(&self, limit: usize, start: Vec<<Self::Pages as Pages>::Page>) -> Self::Pages;

    /// The work of the row at a position of its sequence, in units of [`ROW`], which a row costs at least.
    fn row_work(&self, _position: usize) -> u64 {
        ROW
    }

    /// Takes all rows one step on. The pages of each sequence grow by its tokens, for which the caller
    /// has reserved the room. On an error nothing changes.
    fn run(&mut self, rows: &mut [Rows<'_, Self>]) -> Result<()>;
}

/// What a step does for one sequence.
pub struct Rows<'a, F: Forward + ?Sized> {
    /// The sequence's pages.
    pub pages: &'a mut F::Pages,
    /// Its next tokens, at least one.
    pub tokens: &'a [u32],
    /// Its adapter.
    pub adapter: Option<&'a F::Adapter>,
    /// Where the logits after the last token go, if they are wanted.
    pub logits: Option<&'a mut [f32]>,
}

/// The pages of one sequence, each of [`PAGE`] tokens. They go back to the pool on drop.
pub trait Pages {
    /// A handle of one whole, written page. The page is not freed while there is one.
    type Page: Page;

    /// Tokens that were taken through the model.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pages held, written or not.
    fn held(&self) -> usize;

    /// Page `index`, once all its tokens are written.
    fn page(&self, index: usize) -> Option<Self::Page>;

    /// Pages that [`Self::reserve`] would take from the pool.
    fn needed(&self, tokens: usize) -> usize;

    /// Makes room for so many more tokens. On `false`, when the pool has too few pages, nothing changes.
    fn reserve(&mut self, tokens: usize) -> bool;

    /// The length that keys are turned for, where that matters; sequences share pages only when they
    /// agree in it.
    fn turned_for(&self) -> usize;
}

/// A handle of one whole, written page.
pub trait Page: Clone {
    /// Whether this handle is the only holder: dropping it would free the page.
    fn is_alone(&self) -> bool;
}
