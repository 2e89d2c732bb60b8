//! From what a person or a policy says of files to opinions that can be sealed: fetched, re-hashed, measured,
//! with proofs of possession.

use crate::{
    content,
    context::Context,
    error::{CliError, Result},
};
use openledger_client::AccountId;
use openledger_documents::{Measured, EXTRACTOR_VERSION};
use openledger_primitives::{
    api::PendingView,
    committee::{api::DrawView, possession, DrawnFile, Opinion, Opinions},
    RejectionReason, Score, Verdict,
};

/// What is said of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It belongs there.
    Accept(Score),
    /// It does not.
    Reject(RejectionReason),
    /// It cannot be fetched.
    Unavailable,
    /// It is here, and an earlier one that it would have to be compared with is not.
    Undecided,
}

/// A file of a draw with where it is.
pub(crate) async fn pending(
    context: &Context,
    view: &DrawView<AccountId>,
    file: &DrawnFile,
) -> Result<PendingView<AccountId>> {
    let found = context.client().await?.pending_file(view.datanet, file.sha256).await?;
    found.filter(|found| found.submission == file.submission).ok_or_else(|| {
        CliError::refused(format!("submission {} does not wait any more", file.submission))
    })
}

/// Refuses to measure with another extractor than the draw's.
pub(crate) fn require_extractor(view: &DrawView<AccountId>) -> Result<()> {
    if view.draw.extractor == EXTRACTOR_VERSION {
        return Ok(());
    }
    Err(CliError::refused(format!(
        "draw {} measures with extractor {}, and this openledger with {EXTRACTOR_VERSION}",
        view.id, view.draw.extractor
    ))
    .next("use the release of openledger that has it (docs/datasets.md lists them)"))
}

/// One file's opinion.
async fn opinion(
    context: &Context,
    view: &DrawView<AccountId>,
    file: &DrawnFile,
    word: Judgement,
) -> Result<Opinion> {
    if word == Judgement::Unavailable {
        return Ok(Opinion::UNAVAILABLE);
    }
    let waiting = pending(context, view, file).await?;
    let bytes = content::fetch_submission(context, &waiting).await.map_err(|error| {
        error.next("say that it cannot be fetched with --unavailable, which costs nothing")
    })?;
    let possession = possession(&view.draw.seed, &bytes);
    let verdict = match word {
        Judgement::Accept(score) => {
            require_extractor(view)?;
            let Measured { units, text_root } =
                content::read_submission(&waiting, &bytes)?.measured;
            if units < view.draw.min_units {
                return Err(CliError::failed(format!(
                    "submission {} has {units} {}; the Datanet takes {} or more",
                    file.submission,
                    file.media.modality().unit(),
                    view.draw.min_units
                ))
                .next("reject it for too-small"));
            }
            let text_root = text_root.into();
            Verdict::Accept { score, units, text_root, extractor: view.draw.extractor }
        }
        Judgement::Reject(reason) => Verdict::Reject(reason),
        Judgement::Unavailable | Judgement::Undecided => Verdict::Unavailable,
    };
    Ok(Opinion { verdict, possession })
}

/// The opinions of a draw, a word a file.
pub(crate) async fn opinions(
    context: &Context,
    view: &DrawView<AccountId>,
    words: &[Judgement],
) -> Result<Opinions> {
    let mut opinions = Opinions::default();
    for (file, word) in view.draw.files.iter().zip(words) {
        let opinion = opinion(context, view, file, *word).await?;
        opinions
            .try_push(opinion)
            .map_err(|_| CliError::failed("a draw has more files than a call"))?;
    }
    Ok(opinions)
}
