//! What a run tells others: `trainer_state.json`, TensorBoard event files, MLflow; and the
//! memory of the machine.

pub mod memory;
pub mod mlflow;
pub mod recorder;
pub mod tensorboard;
pub mod trainer_state;

pub use mlflow::{Mlflow, MlflowSettings, RunStatus};
pub use recorder::{event_files, Provenance, Recorder, RecorderSettings, Summary};
pub use tensorboard::EventWriter;
pub use trainer_state::TrainerState;
