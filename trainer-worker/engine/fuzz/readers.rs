//! The modules of `openledger-engine` that read files, compiled by themselves from its sources, since
//! the whole crate depends on the chain client and on IPFS. They use one another as `crate::…`,
//! which is why they are modules here.
#![allow(dead_code, unexpected_cfgs, unused_imports)]

#[path = "data_readers.rs"]
pub mod data;
#[path = "../src/device.rs"]
pub mod device;
#[path = "../src/error.rs"]
pub mod error;
#[path = "generate.rs"]
pub mod generate;
#[path = "../src/lora/mod.rs"]
pub mod lora;
#[path = "../src/model/mod.rs"]
pub mod model;
#[path = "../src/optim.rs"]
pub mod optim;
#[path = "../src/peft/mod.rs"]
pub mod peft;
#[path = "../src/tokenizer/mod.rs"]
pub mod tokenizer;
#[path = "train.rs"]
pub mod train;

pub use openledger_kernels as kernels;

/// libFuzzer's bindings abort at every panic, also at those of a library that its caller catches and
/// reports as an error, as `tokenizer` does. Lets these pass; one that nobody catches still ends the
/// run.
pub fn let_caught_panics_pass() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    });
}
