//! The commands of `trainer-worker` and its job runner, as people and the chain meet them.

/// The engine's folder, where the golden files are.
const ENGINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/engine");

#[path = "engine_trainer/checkpoints.rs"]
mod checkpoints;
#[path = "engine_trainer/commands.rs"]
mod commands;
#[path = "engine_trainer/commands_answers.rs"]
mod commands_answers;
#[path = "engine_trainer/commands_chat.rs"]
mod commands_chat;
#[path = "engine_trainer/commands_data.rs"]
mod commands_data;
#[path = "engine_trainer/commands_export.rs"]
mod commands_export;
#[path = "engine_trainer/commands_train.rs"]
mod commands_train;
// Not all of it is used here.
#[allow(dead_code)]
#[path = "../engine/tests/engine_models/common.rs"]
mod common;
#[path = "engine_trainer/device.rs"]
mod device;
#[path = "engine_trainer/explained.rs"]
mod explained;
#[path = "engine_trainer/model_files.rs"]
mod model_files;
#[path = "engine_trainer/posted_loss.rs"]
mod posted_loss;
#[path = "engine_trainer/reporting.rs"]
mod reporting;
#[path = "engine_trainer/reproducible.rs"]
mod reproducible;
#[path = "engine_trainer/runs.rs"]
mod runs;
#[path = "engine_trainer/seeming.rs"]
mod seeming;
#[path = "engine_trainer/server.rs"]
mod server;
#[path = "engine_trainer/training.rs"]
mod training;
#[path = "engine_trainer/verifying.rs"]
mod verifying;
#[path = "engine_trainer/yaml_files.rs"]
mod yaml_files;
