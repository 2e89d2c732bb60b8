//! Serving, through the engine's public door: the step, the sampler and the scheduler.

/// The engine's own folder.
const ENGINE: &str = env!("CARGO_MANIFEST_DIR");

#[allow(dead_code)]
#[path = "engine_models/common.rs"]
mod common;
#[path = "engine_models/drawn.rs"]
mod drawn;
#[path = "engine_serving/generate.rs"]
mod generate;
#[path = "engine_serving/grammar.rs"]
mod grammar;
#[path = "engine_serving/pages.rs"]
mod pages;
#[path = "engine_serving/products.rs"]
mod products;
#[path = "engine_serving/scheduler_policy.rs"]
mod scheduler_policy;
#[path = "engine_serving/scheduler_real.rs"]
mod scheduler_real;
#[path = "engine_serving/scheduler_thread.rs"]
mod scheduler_thread;
#[path = "engine_serving/step.rs"]
mod step;
#[path = "engine_serving/step_adapters.rs"]
mod step_adapters;
#[path = "engine_serving/toy.rs"]
mod toy;
