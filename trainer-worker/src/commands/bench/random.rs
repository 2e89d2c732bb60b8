//! Models of which only the configuration is there, with weights made from a seed.

use super::super::ModelArgs;
use anyhow::Result;
use openledger_engine::kernels::rng::Stream;
use openledger_engine::model::{Model, Precision, WeightSource};
use std::sync::Arc;

/// Small values around zero, and ones in normalisations.
struct RandomWeights {
    seed: u64,
}

impl WeightSource for RandomWeights {
    fn load(&self, name: &str, shape: &[usize]) -> openledger_engine::Result<Vec<f32>> {
        let count = shape.iter().product();
        if shape.len() == 1 {
            let value = if name.ends_with("weight") { 1.0 } else { 0.0 };
            return Ok(vec![value; count]);
        }
        let mut stream = Stream::new(self.seed, name, &[]);
        // As wide as a normal distribution of 0.02, which most families are initialised with.
        Ok((0..count).map(|_| (stream.uniform() - 0.5) * 0.07).collect())
    }

    fn has(&self, _name: &str) -> bool {
        true
    }
}

pub(super) fn model(args: &ModelArgs, seed: u64, precision: Precision) -> Result<Arc<Model>> {
    Ok(Arc::new(Model::load_with(args.config()?, &RandomWeights { seed }, precision)?))
}
