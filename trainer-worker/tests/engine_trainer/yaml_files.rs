//! `train --config` with the files that people bring from LLaMA-Factory and axolotl.

use crate::commands::{json, refusal, run, workplace};
use serde_json::Value;
use std::path::Path;

fn written(dir: &Path, text: &str) {
    std::fs::write(dir.join("run.yaml"), text).expect("written");
}

fn refused(dir: &Path, text: &str) -> String {
    written(dir, text);
    let output = run(dir, &["train", "--config", "run.yaml"]);
    assert_eq!(output.status.code(), Some(2), "{}", refusal(&output));
    refusal(&output)
}

/// What LLaMA-Factory's examples hold beside what this program has options for.
const LLAMA_FACTORY: &str = "\u{feff}### model
model_name_or_path: tiny.gguf
trust_remote_code: true
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 4
lora_target: all
dataset: data/a.md
cutoff_len: 96
overwrite_cache: true
preprocessing_num_workers: 16
dataloader_num_workers: 4
output_dir: saves/x/lora/sft
logging_steps: 10
save_steps: 500
plot_loss: true
overwrite_output_dir: true
save_only_model: false
report_to: [wandb, none]
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 2.5
lr_scheduler_type: cosine
warmup_ratio: 0.1
ddp_timeout: 180000000
resume_from_checkpoint: null
val_size: 0.1
per_device_eval_batch_size: 1
eval_strategy: steps
eval_steps: 500
max_steps: -1
flash_attn: auto
deepspeed: {zero: 3}
metric_for_best_model: eval_loss
quantization_method: bnb
model_type: AutoModelForCausalLM
tokenizer_type: AutoTokenizer
eval_table_size: 5
";

#[test]
fn harmless_keys_of_llama_factory_are_passed_over_with_a_word() {
    let dir = workplace();
    let dir = dir.path();
    written(dir, LLAMA_FACTORY);
    let output = run(dir, &["train", "--config", "run.yaml", "--dry-run", "--json"]);
    let plan = json(&output);
    assert!(plan["steps"].as_u64().expect("steps") >= 3, "{plan}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("passed over, since it cannot change the result here"), "{said}");
    for key in [
        "trust_remote_code",
        "overwrite_cache",
        "plot_loss",
        "ddp_timeout",
        "flash_attn",
        "deepspeed",
    ] {
        assert!(said.contains(key), "{key}: {said}");
    }
    assert!(!said.contains("lora_rank"), "{said}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_line() {
    let dir = workplace();
    let text = LLAMA_FACTORY
        .replace("dataset: data/a.md", "dataset: identity,alpaca_en_demo")
        .replace("lora_rank: 4", "lora_rank: four\ntemplate: llama3\nmax_samples: 1000")
        .replace("flash_attn: auto", "bf16: true\nlearning_rte: 1")
        .replace("warmup_ratio: 0.1", "warmup_ratio: 7");
    let said = refused(dir.path(), &text);
    for part in [
        "problems",
        "line 7: lora_rank: invalid value 'four'",
        "template: llama3: the model's own chat template",
        "max_samples: 1000: use max_steps",
        "identity,alpaca_en_demo: name files or folders with data",
        "bf16: true: the CPU trains in f32",
        "there is no option learning_rte; did you mean learning_rate?",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(!said.contains("plot_loss"), "{said}");
    // Ranges come together with the rest where the rest can be read.
    let said = refused(
        dir.path(),
        "model: tiny.gguf\ndata: data\noutput: o\nwarmup_ratio: 7\nlora_r: 0\nfoo_bar_baz_quux: 1\n",
    );
    for part in ["warmup_ratio = 7", "lora_r = 0", "foo_bar_baz_quux"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn axolotl_files_are_understood() {
    let dir = workplace();
    let dir = dir.path();
    let text = "base_model: tiny.gguf\nload_in_4bit: true\nadapter: qlora\ndatasets:\n  - path: \
                data/a.md\n    type: chat_template\nval_set_size: 0.05\noutput_dir: ./out\nsequence_len: \
                96\nsample_packing: true\nlora_r: 16\nlora_alpha: 32\nlora_target_linear: true\n\
                micro_batch_size: 1\nnum_epochs: 1\noptimizer: adamw_torch_fused\nlr_scheduler: cosine\n\
                learning_rate: 0.0002\nbf16: auto\nwandb_project: x\nspecial_tokens:\n";
    written(dir, text);
    let output = run(dir, &["train", "--config", "run.yaml", "--json"]);
    json(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("datasets: type: chat_template (recognised from the records)"), "{said}");
    assert!(said.contains("wandb_project"), "{said}");
    let config = std::fs::read_to_string(dir.join("out/adapter_config.json")).expect("written");
    let config: Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!((config["r"].as_u64(), config["lora_alpha"].as_u64()), (Some(16), Some(32)));
    assert_eq!(config["target_modules"].as_array().expect("a list").len(), 7);

    let said = refused(dir, &text.replace("adamw_torch_fused", "adamw_8bit"));
    assert!(said.contains("adamw_8bit") && said.contains("adamw_torch"), "{said}");
    // Names that are recognised without being told, and files beside the kind that they are of.
    let told = "field_messages: turns\n    message_property_mappings:\n      role: from\n      \
                content: value\n    chat_template: tokenizer_default";
    let text_of =
        |fields: &str| text.replace("type: chat_template", fields).replace("./out", "./told");
    let files = text_of(told).replace("path: data/a.md", "path: text\n    data_files: [data/a.md]");
    written(
        dir,
        &files.replace("special_tokens:", "plugins: [axolotl.integrations.liger.LigerPlugin]"),
    );
    let output = run(dir, &["train", "--config", "run.yaml", "--json"]);
    json(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["field_messages: turns", "message_property_mappings: role: from", "plugins"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    for (fields, part) in [
        ("field_messages: thread", "rename it to one of messages, conversations"),
        ("message_property_mappings: {role: speaker}", "role: speaker: rename it to one of role"),
        ("shards: 3", "docs/data.md"),
    ] {
        let said = refused(dir, &text_of(fields));
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let plugin = "plugins: [axolotl.integrations.spectrum.SpectrumPlugin]";
    let said = refused(dir, &text.replace("special_tokens:", plugin));
    assert!(said.contains("SpectrumPlugin") && said.contains("no plugin"), "{said}");
    let said = refused(dir, &text.replace("special_tokens:", "lora_modules_to_save: [lm_head]"));
    assert!(said.contains("only LoRA adapters of the linear modules"), "{said}");
}

#[test]
fn two_spellings_of_one_option_are_refused_in_files_and_on_the_command_line() {
    let dir = workplace();
    let dir = dir.path();
    for (text, first, second) in [
        ("lora_r: 4\nlora_rank: 8\n", "lora_r", "lora_rank"),
        ("lr: 1e-4\nlearning_rate: 1e-4\n", "lr", "learning_rate"),
        ("lora-r: 4\nlora_r: 4\n", "lora-r", "lora_r"),
        ("finetuning_type: lora\nmethod: lora\n", "finetuning_type", "method"),
        ("lora_target_linear: true\nlora_target: all\n", "lora_target_linear", "lora_target"),
    ] {
        let said = refused(dir, text);
        assert!(said.contains("two spellings of one option"), "{said}");
        assert!(said.contains(first) && said.contains(second), "{said}");
    }
    let output = run(
        dir,
        &[
            "train",
            "--model",
            "tiny.gguf",
            "--data",
            "data",
            "--output",
            "o",
            "--lora_r",
            "4",
            "--lora-rank=8",
        ],
    );
    let said = refusal(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--lora-r and --lora-rank are spellings of one option"), "{said}");
    // The command line wins over the file, whatever it calls the option.
    written(
        dir,
        "model: tiny.gguf\ndata: data\noutput_dir: o\nlora_r: 4\nmax_steps: 1\ncutoff_len: 96\n",
    );
    json(&run(dir, &["train", "--config", "run.yaml", "--lora_rank", "2", "--json"]));
    let config = std::fs::read_to_string(dir.join("o/adapter_config.json")).expect("written");
    assert!(config.contains("\"r\": 2"), "{config}");
}

#[test]
fn hostile_files_are_refused_in_bounded_time() {
    let dir = workplace();
    let dir = dir.path();
    for (text, part) in [
        ("a: [[[[[[[[[[1]]]]]]]]]]\n".to_owned(), "nested deeper"),
        (format!("a: {}", "[".repeat(100_000)), "recursion limit"),
        ("{".repeat(50_000), "run.yaml"),
        ("- 1\n- 2\n".to_owned(), "a list where an option belongs"),
        ("? [a, b]\n: 1\n".to_owned(), "a key that is no name"),
        (format!("data: [{}]\n", "x, ".repeat(20_000)), "more than"),
    ] {
        let said = refused(dir, &text);
        assert!(said.contains(part), "{part} is not in {}", &said[..said.len().min(400)]);
    }
    std::fs::write(dir.join("run.yaml"), b"\xff\xfea\x00:\x00").expect("written");
    let said = refusal(&run(dir, &["train", "--config", "run.yaml"]));
    assert!(said.contains("UTF-8"), "{said}");
}
