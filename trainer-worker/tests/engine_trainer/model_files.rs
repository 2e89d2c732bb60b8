//! What a path given as `--model` is when it is no whole model, and GGUF files in parts.

use crate::commands::{json, refusal, run, workplace};
use crate::common::{safetensors_bytes, tiny_weights, write_tiny_folder, write_tiny_gguf};
use std::collections::BTreeMap;
use std::path::Path;

/// Splits a GGUF file of F32 tensors as `llama-gguf-split` does: all metadata in the first part, some
/// tensors in each.
fn split(path: &Path, parts: usize) {
    use candle_core::quantized::{gguf_file, QTensor};
    let mut file = std::fs::File::open(path).expect("opens");
    let content = gguf_file::Content::read(&mut file).expect("GGUF");
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    names.sort();
    let stem = path.file_stem().expect("a name").to_str().expect("UTF-8");
    for part in 0..parts {
        let here: Vec<&String> = names.iter().copied().skip(part).step_by(parts).collect();
        let tensors: Vec<(&str, QTensor)> = here
            .iter()
            .map(|name| {
                let tensor = content.tensor(&mut file, name, &candle_core::Device::Cpu);
                (name.as_str(), tensor.expect("a tensor"))
            })
            .collect();
        let own = [
            ("split.no", gguf_file::Value::U16(part as u16)),
            ("split.count", gguf_file::Value::U16(parts as u16)),
            ("split.tensors.count", gguf_file::Value::I32(names.len() as i32)),
        ];
        let mut metadata: Vec<(&str, &gguf_file::Value)> =
            own.iter().map(|(k, v)| (*k, v)).collect();
        if part == 0 {
            metadata.extend(content.metadata.iter().map(|(k, v)| (k.as_str(), v)));
        }
        let name = format!("{stem}-{:05}-of-{parts:05}.gguf", part + 1);
        let mut out = std::fs::File::create(path.with_file_name(name)).expect("created");
        let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(n, t)| (*n, t)).collect();
        gguf_file::write(&mut out, &metadata, &tensors).expect("written");
    }
}

#[test]
fn a_split_gguf_file_is_read_from_any_of_its_parts() {
    let dir = workplace();
    let dir = dir.path();
    split(&dir.join("tiny.gguf"), 3);
    let logits = |model: &str| {
        let output = run(dir, &["logits", "--model", model, "--tokens", "5,6,7", "--json"]);
        json(&output)["logits"].clone()
    };
    let whole = logits("tiny.gguf");
    assert_eq!(logits("tiny-00001-of-00003.gguf"), whole);
    assert_eq!(logits("tiny-00003-of-00003.gguf"), whole);
    let train =
        ["train", "--model", "tiny-00001-of-00003.gguf", "--data", "data", "--output", "out"];
    json(&run(dir, &[&train[..], &["--max-steps", "1", "--method", "qlora", "--json"]].concat()));
    let args = std::fs::read_to_string(dir.join("out/training_args.json")).expect("written");
    assert!(args.contains("tiny-00003-of-00003.gguf"), "every part has its digest: {args}");
    let merge = ["merge", "--model", "tiny-00001-of-00003.gguf", "--output", "folder"];
    assert!(run(dir, &merge).status.success());
    assert_eq!(logits("folder"), whole);

    let error = |model: &str| refusal(&run(dir, &["logits", "--model", model, "--tokens", "5"]));
    std::fs::copy(dir.join("tiny-00001-of-00003.gguf"), dir.join("renamed.gguf")).expect("copied");
    assert!(error("renamed.gguf").contains("is part 1 of 3"), "{}", error("renamed.gguf"));
    std::fs::rename(dir.join("tiny-00002-of-00003.gguf"), dir.join("aside")).expect("moved");
    let said = error("tiny-00001-of-00003.gguf");
    assert!(said.contains("one of 3 parts") && said.contains("tiny-00002-of-00003.gguf"), "{said}");
    std::fs::copy(dir.join("tiny-00003-of-00003.gguf"), dir.join("tiny-00002-of-00003.gguf"))
        .expect("copied");
    let said = error("tiny-00001-of-00003.gguf");
    assert!(said.contains("says that it is part 3 of 3"), "{said}");
}

const LFS: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 723674912\n";

#[test]
fn what_is_no_whole_model_is_named_with_what_to_do() {
    let dir = workplace();
    let dir = dir.path();
    let error = |model: &str| {
        let said = refusal(&run(dir, &["logits", "--model", model, "--tokens", "5"]));
        assert!(said.contains(model), "the path is named: {said}");
        said
    };
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, bytes).expect("written");
    };
    let says = |model: &str, parts: &[&str]| {
        let said = error(model);
        for part in parts {
            assert!(said.contains(part), "{model}: {part} is not in {said}");
        }
    };
    file("pointer.gguf", LFS.as_bytes());
    says("pointer.gguf", &["Git LFS pointer", "723674912 bytes", "git lfs pull"]);
    file("empty.gguf", b"");
    says("empty.gguf", &["is empty", "cut short"]);
    file("page.gguf", b"<!DOCTYPE html><html>login");
    says("page.gguf", &["web page"]);
    file("pytorch_model.bin", b"PK\x03\x04");
    says("pytorch_model.bin", &["safetensors", "save_pretrained"]);
    file("weights.pth", b"\x80\x02");
    says("weights.pth", &["pickled"]);
    file("model.gguf.part", b"GGU");
    says("model.gguf.part", &["not complete"]);

    std::fs::create_dir(dir.join("hollow")).expect("created");
    says("hollow", &["empty folder"]);
    file("ggufs/a.Q4_K_M.gguf", b"GGUF");
    file("ggufs/a.Q8_0.gguf", b"GGUF");
    says("ggufs", &["folder of GGUF files", "a.Q4_K_M.gguf", "name one of them"]);
    file("adapted/adapter_config.json", b"{}");
    says("adapted", &["holds an adapter", "--adapter"]);
    file("run/checkpoint-7/config.json", b"{}");
    says("run", &["checkpoint-7"]);
    file("cache/snapshots/abc/config.json", b"{}");
    says("cache", &["the hub's cache", "abc"]);

    std::fs::create_dir(dir.join("folder")).expect("created");
    write_tiny_folder(&dir.join("folder"), 1);
    std::fs::remove_file(dir.join("folder/model.safetensors")).expect("removed");
    says("folder", &["no model.safetensors", "cut short"]);
    file("folder/model.safetensors.incomplete", b"x");
    says("folder", &["not fetched whole", "model.safetensors.incomplete"]);
    file("folder/pytorch_model.bin", b"PK");
    says("folder", &["pytorch_model.bin", "save_pretrained"]);
    file("folder/model.safetensors", LFS.as_bytes());
    says("folder", &["model.safetensors", "Git LFS pointer"]);

    // Shards by an index, and by their names alone.
    std::fs::create_dir(dir.join("shards")).expect("created");
    write_tiny_folder(&dir.join("shards"), 1);
    std::fs::remove_file(dir.join("shards/model.safetensors")).expect("removed");
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    for (i, (name, tensor)) in tiny_weights(1).into_iter().enumerate() {
        if i % 2 == 0 { &mut first } else { &mut second }.insert(name, tensor);
    }
    file("shards/model-00001-of-00002.safetensors", &safetensors_bytes(&first));
    says("shards", &["misses", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]);
    let of = |shard: &BTreeMap<String, _>, name: &str| {
        shard.keys().map(|key| (key.clone(), name.into())).collect::<Vec<_>>()
    };
    let mut map: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
    map.extend(of(&first, "model-00001-of-00002.safetensors"));
    map.extend(of(&second, "model-00002-of-00002.safetensors"));
    let index = serde_json::json!({ "weight_map": map }).to_string();
    file("shards/model.safetensors.index.json", index.as_bytes());
    says("shards", &["misses 1 of 2 weight files", "model-00002-of-00002.safetensors"]);
    file("shards/model-00002-of-00002.safetensors", &safetensors_bytes(&second));
    json(&run(dir, &["logits", "--model", "shards", "--tokens", "5", "--json"]));
    write_tiny_gguf(&dir.join("again.gguf"), 1);
    json(&run(dir, &["logits", "--model", "again.gguf", "--tokens", "5", "--json"]));
}
