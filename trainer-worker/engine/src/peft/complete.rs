//! Whether an adapter has all that its configuration selects of a model.

use crate::lora::{LoraConfig, Role};
use crate::model::ModelConfig;

/// What a configuration selects in a model and an adapter has no tensors of.
pub(crate) struct Absent {
    name: String,
    more: usize,
    selected: usize,
}

impl std::fmt::Display for Absent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, more, selected } = self;
        write!(
            f,
            "it holds nothing for {name} and {more} more of the {selected} modules that its \
             target_modules select in this model"
        )
    }
}

/// The modules that `lora` selects in a model and of which `has` (by layer, role and full name) knows
/// nothing. Embedding and head, which carry no adapter here, are among them: PEFT would have trained
/// them, so without their tensors the file is not what its configuration says.
pub(crate) fn absent(
    lora: &LoraConfig,
    model: &ModelConfig,
    has: impl Fn(usize, Role, &str) -> bool,
) -> Option<Absent> {
    let names = model.family.names();
    // No layer has this number, so that a choice of layers leaves them out.
    let ends = [names.embedding, names.head].map(str::to_owned);
    let ends = ends.into_iter().filter(|name| lora.selects(usize::MAX, name) == Some(true));
    let mut absent: Vec<String> = Vec::new();
    let mut selected = 0;
    for layer in 0..model.num_hidden_layers {
        for module in model.modules(layer) {
            let name = model.module_name(layer, &module);
            if lora.selects(layer, &name) == Some(true) {
                selected += 1;
                if !has(layer, module.role, &name) {
                    absent.push(name);
                }
            }
        }
    }
    for name in ends {
        selected += 1;
        absent.push(name);
    }
    let more = absent.len().checked_sub(1)?;
    Some(Absent { name: absent.into_iter().next()?, more, selected })
}
