//! Keys of LLaMA-Factory, axolotl, TRL and transformers that are no options here.
//!
//! A key is passed over with a word where no value of it can change what is trained here; it must have
//! a certain value where only that one means what this program does; everything else is refused with
//! what to write instead.

/// Keys that cannot change the result: how a program reads, shows, saves, uploads or distributes. One
/// that ends in `*` stands for all that begin so.
const PASSED: &[&str] = &[
    "activation-offloading",
    "attn-implementation",
    "auto-resume-from-checkpoints",
    "cache-dir",
    "comet-*",
    "dataloader-num-workers",
    "dataloader-persistent-workers",
    "dataloader-pin-memory",
    "dataloader-prefetch-factor",
    "dataset-keep-in-memory",
    "dataset-num-proc",
    "dataset-prepared-path",
    "dataset-processes",
    "ddp-*",
    "debug",
    "deepspeed",
    "device-map",
    "disable-gradient-checkpointing",
    "disable-tqdm",
    "do-eval",
    "eager-attention",
    "enable-liger-kernel",
    "eval-accumulation-steps",
    "eval-on-start",
    "eval-sample-packing",
    "eval-batch-size",
    "eval-table-size",
    "flash-attention",
    "flash-attn",
    "flash-attn-*",
    "flash-optimum",
    "fsdp",
    "fsdp-*",
    "full-determinism",
    "gc-steps",
    "gpu-memory-limit",
    "gradient-checkpointing-kwargs",
    "hf-hub-token",
    "hf-use-auth-token",
    "hub-*",
    "include-num-input-tokens-seen",
    "include-tokens-per-second",
    "is-falcon-derived-model",
    "is-llama-derived-model",
    "is-mistral-derived-model",
    "is-qwen-derived-model",
    "liger-*",
    "local-rank",
    "log-level",
    "log-level-replica",
    "log-on-each-node",
    "logging-first-step",
    "logging-nan-inf-filter",
    "logging-strategy",
    "lora-mlp-kernel",
    "lora-o-kernel",
    "lora-on-cpu",
    "lora-qkv-kernel",
    "low-cpu-mem-usage",
    "nccl-timeout",
    "overwrite-cache",
    "pad-to-sequence-len",
    "per-device-eval-batch-size",
    "plot-loss",
    "preprocessing-batch-size",
    "preprocessing-num-workers",
    "print-param-status",
    "profiler-steps",
    "push-to-hub",
    "push-to-hub-*",
    "ray-*",
    "remove-unused-columns",
    "resize-token-embeddings-to-32x",
    "save-first-step",
    "save-on-each-node",
    "save-only-model",
    "save-safetensors",
    "save-strategy",
    "saves-per-epoch",
    "sdp-attention",
    "skip-memory-metrics",
    "strict",
    "swanlab-*",
    "tokenizer-use-fast",
    "torch-compile",
    "torch-compile-*",
    "torchdynamo",
    "trackio-*",
    "trust-remote-code",
    "use-cpu",
    "use-fast-tokenizer",
    "use-reentrant-gc",
    "use-swanlab",
    "use-unsloth",
    "use-unsloth-gc",
    "use-wandb",
    "vllm-*",
    "wandb-*",
    "xformers-attention",
];

/// Keys with the values that mean what this program does, and what to say about others.
const FIXED: &[(&str, &[&str], &str)] = &[
    ("do-train", &["true"], "use the eval command to evaluate only"),
    ("do-predict", &["false"], "use the generate command"),
    (
        "bf16",
        &["false", "auto"],
        "the CPU trains in f32; on a GPU write device: cuda and dtype: bf16",
    ),
    ("fp16", &["false"], "the CPU trains in f32; on a GPU write device: cuda and dtype: f16"),
    ("tf32", &["false", "auto"], "the CPU trains in f32; leave it out"),
    ("pure-bf16", &["false"], "adapters are trained in f32; leave it out"),
    ("load-in-8bit", &["false"], "4 bits are supported (load_in_4bit: true, or method: qlora)"),
    (
        "optim",
        &["adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw", "paged_adamw_32bit"],
        "AdamW with moments in f32 is the only optimiser: write adamw_torch",
    ),
    (
        "optimizer",
        &["adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw", "paged_adamw_32bit"],
        "AdamW with moments in f32 is the only optimiser: write adamw_torch",
    ),
    ("lora-bias", &["none", "false"], "biases are not trained"),
    ("bias", &["none"], "biases are not trained"),
    ("task-type", &["causal_lm", "CAUSAL_LM"], "causal language models only"),
    (
        "model-revision",
        &["main"],
        "fetch that revision with fetch-model --revision and name its folder",
    ),
    ("dataloader-drop-last", &["false"], "the last batch is always trained on"),
    (
        "auto-find-batch-size",
        &["false"],
        "choose per_device_train_batch_size; --dry-run says what fits",
    ),
    ("lora-fan-in-fan-out", &["true", "false"], ""),
    ("fan-in-fan-out", &["true", "false"], ""),
    ("init-lora-weights", &["true"], "A is uniform and B zero, PEFT's default; leave it out"),
    ("streaming", &["false"], "data are read whole; leave it out"),
    ("train-on-inputs", &["false"], "the loss is on the answers"),
    ("shuffle-merged-datasets", &["true"], "examples are shuffled; leave it out"),
    ("mix-strategy", &["concat"], "data are taken together"),
    ("pref-loss", &["sigmoid"], "the sigmoid loss of dpo is the only one"),
    (
        "model-type",
        &["AutoModelForCausalLM", "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM"],
        "the model's own config.json says what it is; leave it out",
    ),
    (
        "tokenizer-type",
        &["AutoTokenizer", "LlamaTokenizer", "PreTrainedTokenizerFast"],
        "the tokenizer of the model is used as it is; leave it out",
    ),
    (
        "metric-for-best-model",
        &["loss", "eval_loss"],
        "the loss of the evaluation decides which adapter is the best",
    ),
    ("greater-is-better", &["false"], "the adapter of the smallest loss is the best"),
    (
        "quantization-method",
        &["bnb", "bitsandbytes"],
        "4 bits are NF4, as bitsandbytes has them (load_in_4bit: true, or method: qlora)",
    ),
    ("rl", &["dpo"], "dpo is the only preference training (stage: dpo)"),
    ("train-on-eot", &["turn", "true"], "the end of each answer is trained on"),
    ("roles-to-train", &["assistant"], "answers of the assistant are trained on"),
];

/// Keys that are refused whatever their value, with what to do.
const REFUSED: &[(&str, &str)] = &[
    ("dataset-dir", "name files or folders with data"),
    ("template", "the model's own chat template is used; leave it out"),
    ("chat-template", "the model's own chat template is used; leave it out"),
    ("max-samples", "use max_steps or max_tokens"),
    ("additional-target", MODULES_TO_SAVE),
    ("modules-to-save", MODULES_TO_SAVE),
    ("lora-modules-to-save", MODULES_TO_SAVE),
    ("unfrozen-parameters", MODULES_TO_SAVE),
    ("trainable-token-indices", MODULES_TO_SAVE),
    ("special-tokens", "the tokenizer of the model is used as it is; leave it out"),
    ("tokens", "the tokenizer of the model is used as it is; leave it out"),
    ("evals-per-epoch", "write eval_strategy: steps and eval_steps, or eval_strategy: epoch"),
    ("lora-model-dir", "an adapter is trained further by --adapter DIR at the command line"),
    ("use-galore", "LoRA, rsLoRA, DoRA and LoRA+ are trained"),
    ("use-badam", "LoRA, rsLoRA, DoRA and LoRA+ are trained"),
    ("pissa-init", "it changes the base model's weights; leave it out"),
    ("pissa-iter", "it changes the base model's weights; leave it out"),
    ("loftq-config", "it changes the base model's weights; leave it out"),
    ("adam-beta3", "AdamW has two betas"),
    ("data-seed", "seed decides the order of the data too"),
];

const MODULES_TO_SAVE: &str =
    "only LoRA adapters of the linear modules are trained, not whole modules, the embedding or the head; \
     leave it out (lora_target: all adapts every linear module), or train with PEFT and use the merged \
     model here";

/// What becomes of a key.
pub(super) enum Verdict {
    /// It cannot change the result.
    Passed,
    /// Its value means what this program does.
    Same,
    /// Refused, with what to do.
    Refused(String),
    /// No key of any of the programs.
    Unknown,
}

/// Whether `text` is how YAML writes true or false.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "on" | "On" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "off" | "Off" => Some(false),
        _ => None,
    }
}

/// What becomes of a key, with hyphens, that is no option here.
pub(super) fn verdict(key: &str, value: &str) -> Verdict {
    let matches = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == *pattern,
    };
    if PASSED.iter().any(matches) {
        return Verdict::Passed;
    }
    if let Some((_, accepted, say)) = FIXED.iter().find(|(name, ..)| *name == key) {
        let plain = match truth(value) {
            Some(true) => "true",
            Some(false) => "false",
            None => value,
        };
        if accepted.contains(&plain) || accepted.contains(&value) {
            return Verdict::Same;
        }
        return Verdict::Refused((*say).to_owned());
    }
    match REFUSED.iter().find(|(name, _)| *name == key) {
        Some((_, say)) => Verdict::Refused((*say).to_owned()),
        None => Verdict::Unknown,
    }
}

/// All keys, for the nearest name to a misspelt one.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let passed = PASSED.iter().filter(|n| !n.ends_with('*')).copied();
    passed.chain(FIXED.iter().map(|(name, ..)| *name)).chain(REFUSED.iter().map(|(name, _)| *name))
}
