//! What the calls share: errors, checks, and the agenda.

use crate::{
    Agenda, AgendaOf, Config, DisputeAgenda, Disputes, Error, NextPlace, Pallet, Payments, Shelved,
};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get, BoundedVec};
use openledger_primitives::{
    job::{
        dispute::{DisputeError, DisputeWindows},
        JobError,
    },
    text::{self, TextError},
    training::{SpecError, SpecField},
    BlockNumber, ContentCodec, ContentId, FileHash, Job, JobId, JobState, Windows,
};
use sp_runtime::traits::SaturatedConversion;

/// A job of the runtime's accounts.
pub(crate) type JobOf<T> = Job<<T as frame_system::Config>::AccountId>;

impl<T> From<JobError> for Error<T> {
    fn from(error: JobError) -> Self {
        match error {
            JobError::WrongState => Self::WrongState,
            JobError::NotTheWorker => Self::NotTheWorker,
            JobError::TooLate => Self::TooLate,
            JobError::AboveBudget => Self::AboveBudget,
            JobError::RefusedBefore => Self::RefusedBefore,
            JobError::StepBeyondTotal => Self::StepBeyondTotal,
            JobError::OtherTotal => Self::OtherTotal,
            JobError::NotHigher => Self::NotHigher,
            JobError::NotLater => Self::NotLater,
        }
    }
}

impl<T> From<DisputeError> for Error<T> {
    fn from(error: DisputeError) -> Self {
        match error {
            DisputeError::WrongState => Self::WrongState,
            DisputeError::NotDrawn => Self::NotDrawn,
            DisputeError::TooEarly => Self::RevealTooEarly,
            DisputeError::TooLate => Self::TooLate,
            DisputeError::CommittedBefore => Self::CommittedBefore,
            DisputeError::NotCommitted => Self::NotCommitted,
            DisputeError::RevealedBefore => Self::RevealedBefore,
            DisputeError::OtherCommitment => Self::OtherCommitment,
        }
    }
}

impl<T> From<SpecError> for Error<T> {
    fn from(error: SpecError) -> Self {
        match error.field {
            SpecField::LoraR => Self::LoraR,
            SpecField::LoraAlpha => Self::LoraAlpha,
            SpecField::LoraDropoutBp => Self::LoraDropoutBp,
            SpecField::TargetModules => Self::TargetModules,
            SpecField::LearningRateNano => Self::LearningRateNano,
            SpecField::WarmupRatioBp => Self::WarmupRatioBp,
            SpecField::PerDeviceTrainBatchSize => Self::PerDeviceTrainBatchSize,
            SpecField::GradientAccumulationSteps => Self::GradientAccumulationSteps,
            SpecField::NumTrainEpochs => Self::NumTrainEpochs,
            SpecField::MaxSeqLength => Self::MaxSeqLength,
            SpecField::WeightDecayMicro => Self::WeightDecayMicro,
            SpecField::MaxGradNormMilli => Self::MaxGradNormMilli,
            SpecField::EvalFractionBp => Self::EvalFractionBp,
        }
    }
}

/// Numbers and lengths.
impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// The lengths that jobs are measured by.
    pub fn windows() -> Windows {
        Windows {
            take: T::TakeWindow::get(),
            heartbeat: T::HeartbeatWindow::get(),
            progress: T::ProgressWindow::get(),
            block_seconds: T::BlockSeconds::get(),
        }
    }

    /// The lengths that disputes are measured by.
    pub fn dispute_windows() -> DisputeWindows {
        DisputeWindows { commit: T::CommitWindow::get(), reveal: T::RevealWindow::get() }
    }

    pub(crate) fn next_place() -> Result<u64, Error<T>> {
        let place = NextPlace::<T>::get();
        NextPlace::<T>::put(place.checked_add(1).ok_or(Error::<T>::Overflow)?);
        Ok(place)
    }
}

/// The agenda.
impl<T: Config> Pallet<T> {
    /// Sees to it that a job is looked at no later than it has to be. An earlier entry stays.
    pub(crate) fn enter_agenda(id: JobId, job: &JobOf<T>) {
        if let Some(at) = Self::looked_at(id, job) {
            if job.state.open_result().is_some() {
                // Payments and disputes have agendas of their own, which nothing else can fill.
                Self::leave_agenda(id);
            }
            Self::enter_agenda_at(id, job, at);
        }
    }

    /// Sees to it that a job is looked at no later than in block `at`.
    pub(crate) fn enter_agenda_at(id: JobId, job: &JobOf<T>, at: BlockNumber) {
        // This block's agenda has been worked off.
        let at = at.max(Self::now().saturating_add(1));
        if AgendaOf::<T>::get(id).is_some_and(|earlier| earlier <= at) {
            return;
        }
        Self::leave_agenda(id);
        match job.state {
            JobState::Submitted { .. } => Payments::<T>::insert(at, id, ()),
            JobState::Disputed { .. } => DisputeAgenda::<T>::insert(at, id, ()),
            _ => Agenda::<T>::insert(at, id, ()),
        }
        AgendaOf::<T>::insert(id, at);
    }

    /// Takes a job off the agenda, whichever it stands on.
    pub(crate) fn leave_agenda(id: JobId) {
        if let Some(at) = AgendaOf::<T>::take(id) {
            Agenda::<T>::remove(at, id);
            Payments::<T>::remove(at, id);
            DisputeAgenda::<T>::remove(at, id);
        }
    }

    /// The first block in which something is to be done about a job; `None` if it is over.
    pub(crate) fn looked_at(id: JobId, job: &JobOf<T>) -> Option<BlockNumber> {
        if matches!(job.state, JobState::Disputed { .. }) {
            return Disputes::<T>::get(id)?.due();
        }
        let due = job.due(&Self::windows())?;
        match job.state {
            JobState::Submitted { .. } => Some(due),
            // Before it fails it moves to the shelves of faster workers, each time that the slower
            // ones could no longer finish.
            JobState::Queued => {
                let rate = Shelved::<T>::get(id).unwrap_or_default();
                let floor = Self::windows().floor(job.token_ceiling, rate);
                Some(job.deadline.saturating_sub(floor).min(due).saturating_add(1))
            }
            // Until the end of the block in which it is due, a job may still move on by itself.
            _ => Some(due.saturating_add(1)),
        }
    }
}

/// A list of at most `S` entries that has been checked to have no more.
pub(crate) fn refill<Entry, S: Get<u32>>(entries: Vec<Entry>) -> BoundedVec<Entry, S> {
    BoundedVec::truncate_from(entries)
}

pub(crate) fn text_error<T: Config>(error: TextError, blank: Error<T>) -> Error<T> {
    match error {
        TextError::NotUtf8 => Error::NotUtf8,
        TextError::Blank => blank,
        TextError::Forbidden { .. } => Error::HiddenCharacter,
    }
}

/// An endpoint may be left out.
pub(crate) fn ensure_endpoint<T: Config>(endpoint: &[u8]) -> Result<(), Error<T>> {
    let checked = text::check_optional(endpoint).map(drop);
    checked.map_err(|error| text_error(error, Error::HiddenCharacter))
}

pub(crate) fn ensure_file<T: Config>(
    content: &ContentId,
    sha256: &FileHash,
    size: u64,
) -> Result<(), Error<T>> {
    ensure!(size > 0, Error::<T>::EmptyFile);
    // Of a raw block the content id says what the file's hash is.
    let agrees = content.codec() != ContentCodec::Raw || content.digest() == sha256;
    ensure!(agrees, Error::<T>::DigestMismatch);
    Ok(())
}
