#!/usr/bin/env python3
"""Writes the golden files of the model families for trainer-worker's tests.

Environment (outside the repository; about 5.6 GB, two minutes):

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 \\
        gguf==0.19.0 safetensors==0.8.0 accelerate==1.15.0
    /tmp/golden/bin/python scripts/golden/families.py tiny   trainer-worker/engine/tests/golden [CASE…]
    /tmp/golden/bin/python scripts/golden/families.py random FOLDER SEED COUNT
    /tmp/golden/bin/python scripts/golden/families.py exports FOLDER
    /tmp/golden/bin/python scripts/golden/families.py real   trainer-worker/engine/tests/golden MODEL.gguf
    /tmp/golden/bin/python scripts/golden/families.py check  MODEL ADAPTER_DIR LOGITS.json

`tiny` makes seeded random models of every dense family, with logits of a padded batch, adapter
gradients and 20 AdamW steps. `random` makes the same for COUNT random configurations of every
family, with every kind of rotary scaling and both spellings of it; `OPENLEDGER_GOLDEN=FOLDER cargo test --workspace --test engine_models golden` then compares
them too and leaves its exports of the adapters beside them, which `exports` loads into PEFT.
`real` decodes greedily with SmolLM2-135M-Instruct, dequantised by transformers. `check` loads an
adapter that trainer-worker exported into PEFT and compares its logits with those that
`trainer-worker logits --output json` printed; MODEL is a GGUF file or a Hugging Face folder.
"""

import copy
import json
import random as dice
import sys
from pathlib import Path

import torch
from chatglm import ChatGLMConfig, ChatGLMForConditionalGeneration
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BloomConfig,
    Glm4Config,
    GlmConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

AutoConfig.register("chatglm", ChatGLMConfig)
AutoModelForCausalLM.register(ChatGLMConfig, ChatGLMForConditionalGeneration)

STEPS = 20
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 0.01
MAX_GRAD_NORM = 1.0
CLASSES = {
    "llama": LlamaConfig,
    "mistral": MistralConfig,
    "qwen2": Qwen2Config,
    "qwen3": Qwen3Config,
    "gpt2": GPT2Config,
    "bloom": BloomConfig,
    "chatglm": ChatGLMConfig,
    "glm": GlmConfig,
    "glm4": Glm4Config,
}
SPECIAL = dict(bos_token_id=None, eos_token_id=None, pad_token_id=None)


def sizes(hidden=32, inner=40, heads=4, groups=2, layers=2, vocab=48, **more):
    return dict(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        max_position_embeddings=64,
        initializer_range=0.2,
        **more,
    )


def gpt(hidden, heads, **more):
    return dict(
        vocab_size=48, hidden_size=hidden, n_layer=2, n_head=heads, initializer_range=0.2, **more
    )


def chatglm(hidden=32, inner=40, heads=4, **more):
    return dict(
        dict(
            padded_vocab_size=48, hidden_size=hidden, ffn_hidden_size=inner, num_layers=2,
            num_attention_heads=heads, kv_channels=hidden // heads, seq_length=64,
            multi_query_attention=True, multi_query_group_num=2, layernorm_epsilon=1e-5,
            rmsnorm=True, apply_residual_connection_post_layernorm=False, post_layer_norm=True,
            add_bias_linear=False, add_qkv_bias=True, rope_ratio=1, initializer_range=0.2,
            tie_word_embeddings=False,
        ),
        **more,
    )


LLAMA3 = dict(
    rope_type="llama3", rope_theta=10000.0, factor=4.0, low_freq_factor=1.0,
    high_freq_factor=4.0, original_max_position_embeddings=16,
)
YARN = dict(
    rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16
)
# Beyond 12 tokens; the batch's longest sequence decides (27 in both halves).
DYNAMIC = dict(rope_type="dynamic", rope_theta=10000.0, factor=3.0)
LONG = dict(
    rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=16,
    short_factor=[1.0, 1.1, 1.3, 1.6], long_factor=[1.0, 2.0, 4.5, 9.0],
)
ALL = "all-linear"

# family, configuration, adapter. Sequences are longer than the windows.
CASES = {
    "llama-tied": ("llama", sizes(heads=8, groups=2, tie_word_embeddings=True),
                   dict(r=4, lora_alpha=8, target_modules=[
                       "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                   ])),
    "llama-untied": ("llama", sizes(rope_parameters=LLAMA3, tie_word_embeddings=False),
                     dict(r=3, lora_alpha=16, target_modules=["q_proj", "v_proj"])),
    "mistral": ("mistral", sizes(head_dim=12, sliding_window=7, tie_word_embeddings=False),
                dict(r=2, lora_alpha=6, target_modules=ALL)),
    "qwen2": ("qwen2", sizes(use_sliding_window=True, sliding_window=5, max_window_layers=1,
                             tie_word_embeddings=True),
              dict(r=2, lora_alpha=4, target_modules=ALL)),
    "qwen3": ("qwen3", sizes(head_dim=10, tie_word_embeddings=False, rope_parameters=YARN),
              dict(r=2, lora_alpha=4, target_modules=ALL)),
    "llama-dynamic": ("llama", sizes(rope_parameters=DYNAMIC) | dict(max_position_embeddings=12),
                      dict(r=2, lora_alpha=4, target_modules=["q_proj", "k_proj"])),
    "mistral-longrope": ("mistral", sizes(rope_parameters=LONG, sliding_window=None),
                         dict(r=2, lora_alpha=4, target_modules=["q_proj", "k_proj"])),
    "gpt2": ("gpt2", gpt(32, 4, n_positions=32, n_inner=56),
             dict(r=2, lora_alpha=4, target_modules=ALL)),
    "bloom": ("bloom", gpt(36, 6), dict(r=2, lora_alpha=4, target_modules=ALL)),
    "bloom-after-norm": ("bloom", gpt(24, 3, apply_residual_connection_post_layernorm=True,
                                      tie_word_embeddings=False),
                         dict(r=2, lora_alpha=4, target_modules=["query_key_value"])),
    "chatglm": ("chatglm", chatglm(), dict(r=2, lora_alpha=4, target_modules=ALL)),
    "glm": ("glm", sizes(head_dim=8), dict(r=2, lora_alpha=4, target_modules=ALL)),
    "glm4": ("glm4", sizes(head_dim=12, tie_word_embeddings=True),
             dict(r=2, lora_alpha=4, target_modules=ALL)),
}


def varies(config):
    """Whether the rotary frequencies depend on the length of a pass."""
    rope = getattr(config, "rope_parameters", None) or {}
    return rope.get("rope_type") in ("dynamic", "longrope")


def random_rope(rng, rotary):
    """Rotary settings for heads of which `rotary` values turn, and the context they want."""
    theta = rng.choice([500.0, 10000.0, 1e6])
    kind = rng.choice(["default", "linear", "dynamic", "yarn", "longrope", "llama3"])
    if kind == "dynamic" and (rotary < 4 or rotary % 2) or kind == "yarn" and rotary % 2:
        kind = "default"
    rope = dict(rope_type=kind, rope_theta=theta)
    original = rng.choice([16, 64])
    if kind == "linear":
        rope |= dict(factor=rng.choice([1.0, 3.0, 2.5]))
    elif kind == "dynamic":
        return rope | dict(factor=rng.choice([4.0, 6.5])), 40
    elif kind == "yarn":
        rope |= dict(factor=rng.choice([4.0, 10.0]), original_max_position_embeddings=original)
        rope |= rng.choice([{}, dict(beta_fast=8, beta_slow=2), dict(truncate=False)])
        rope |= rng.choice([{}, dict(attention_factor=1.3), dict(mscale=0.7, mscale_all_dim=1.2),
                            dict(mscale=0.7)])
    elif kind == "longrope":
        pairs = (rotary + 1) // 2
        rope |= dict(original_max_position_embeddings=original,
                     short_factor=[rng.uniform(1, 2) for _ in range(pairs)],
                     long_factor=[rng.uniform(1, 9) for _ in range(pairs)])
        rope |= rng.choice([{}, dict(factor=8.0), dict(attention_factor=1.2)])
    elif kind == "llama3":
        rope |= dict(factor=4.0, low_freq_factor=1.0, high_freq_factor=rng.choice([2.0, 4.0]),
                     original_max_position_embeddings=original)
    return rope, 160


def older_keys(folder):
    """Writes the rotary settings of a saved configuration as transformers 4 had them."""
    path = folder / "config.json"
    before = AutoConfig.from_pretrained(folder)
    saved = json.loads(path.read_text())
    rope = saved.pop("rope_parameters")
    saved["rope_theta"] = rope.pop("rope_theta")
    if "partial_rotary_factor" in rope:
        saved["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    kind = rope.pop("rope_type")
    saved["rope_scaling"] = None if kind == "default" else dict(rope, type=kind)
    path.write_text(json.dumps(saved, indent=2) + "\n")
    after = AutoConfig.from_pretrained(folder).rope_parameters
    after.pop("type", None)
    # transformers fills in the context of pre-training.
    assert after == before.rope_parameters, (after, before.rope_parameters)


def random_case(family, rng):
    """A random configuration and adapter of a family."""
    heads = rng.choice([2, 3, 4, 5, 6, 8, 12])
    groups = rng.choice([g for g in range(1, heads + 1) if heads % g == 0])
    dim = rng.choice([2, 4, 6, 8, 10, 16])
    tie = rng.random() < 0.5
    layers = rng.choice([1, 2, 3, 4])
    more = dict(tie_word_embeddings=tie, rms_norm_eps=rng.choice([1e-5, 1e-6, 1e-3]))
    window = rng.choice([2, 3, 5, 16, 40])
    if family == "llama":
        more |= dict(attention_bias=rng.random() < 0.5, mlp_bias=rng.random() < 0.5,
                     head_dim=dim if rng.random() < 0.5 else None)
    elif family == "mistral":
        more |= dict(sliding_window=rng.choice([None, window]), head_dim=dim)
    elif family in ("qwen2", "qwen3"):
        more |= dict(use_sliding_window=rng.random() < 0.7, sliding_window=window,
                     max_window_layers=rng.choice([0, 1, 2]))
        if family == "qwen3":
            more |= dict(head_dim=dim, attention_bias=rng.random() < 0.5)
    elif family in ("glm", "glm4"):
        dim = rng.choice([4, 6, 8, 10, 12, 16])
        more |= dict(head_dim=dim, attention_bias=rng.random() < 0.5)
    if family not in ("gpt2", "bloom", "chatglm"):
        share = rng.choice([0.25, 0.5, 0.75, 1.0]) if family in ("glm", "glm4") else 1.0
        share = max(share, 2 / dim)
        rope, context = random_rope(rng, int(dim * share))
        if share != 1.0 or family in ("glm", "glm4"):
            rope["partial_rotary_factor"] = share
        more |= dict(rope_parameters=rope)
    hidden = heads * dim
    act = rng.choice(["silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu"])
    if family == "gpt2":
        config = gpt(hidden, heads, n_positions=64, n_inner=rng.choice([None, 20, 33]),
                     activation_function=rng.choice([act, "gelu_new"]), tie_word_embeddings=tie,
                     scale_attn_weights=rng.random() < 0.7,
                     scale_attn_by_inverse_layer_idx=rng.random() < 0.4,
                     layer_norm_epsilon=rng.choice([1e-5, 1e-3]))
        config["n_layer"] = layers
        names = ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"]
    elif family == "bloom":
        config = gpt(hidden, heads, tie_word_embeddings=tie,
                     apply_residual_connection_post_layernorm=rng.random() < 0.5)
        config["n_layer"] = layers
        names = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
    elif family == "chatglm":
        dim = rng.choice([4, 8, 12, 16])
        config = chatglm(
            heads * dim, rng.choice([20, 33]), heads, num_layers=layers,
            multi_query_attention=rng.random() < 0.7, multi_query_group_num=groups,
            add_bias_linear=rng.random() < 0.4, add_qkv_bias=rng.random() < 0.7,
            rmsnorm=rng.random() < 0.7, rope_ratio=rng.choice([1, 50]),
            apply_residual_connection_post_layernorm=rng.random() < 0.3,
        )
        names = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
    else:
        config = sizes(hidden, rng.choice([20, 33, 64]), heads, groups, layers,
                       hidden_act=act, **more)
        config["max_position_embeddings"] = context
        names = ["q_proj", "k_proj", "v_proj", "o_proj", "down_proj"]
        names += ["gate_up_proj"] if family in ("glm", "glm4") else ["gate_proj", "up_proj"]
    targets = rng.choice([ALL, rng.sample(names, rng.randint(1, len(names)))])
    adapter = dict(r=rng.choice([1, 2, 5, 8]), lora_alpha=rng.choice([1, 4, 16, 2.5]),
                   target_modules=targets)
    return family, config, adapter


def loss_sum(logits, labels):
    """Sum over the labelled tokens; labels are shifted by one, -100 does not count."""
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]),
        labels[:, 1:].reshape(-1),
        ignore_index=-100,
        reduction="sum",
    )


def tiny(out, wanted):
    for number, (name, case) in enumerate(CASES.items()):
        if not wanted or name in wanted:
            rope = case[1].get("rope_parameters", {}).get("rope_type")
            last = 27 if rope in ("dynamic", "longrope") else 19
            write_case(out / name, case, 20 + number, [27, 14, 3, last])


def random(out, seed, count):
    rng = dice.Random(seed)
    for family in CLASSES:
        for i in range(count):
            lengths = [rng.randint(2, 150) for _ in range(4)]
            case = random_case(family, rng)
            # Wider models with the same spread would amplify rounding beyond the tolerances.
            case[1]["initializer_range"] = 1.1 / case[1]["hidden_size"] ** 0.5
            for key in ("n_positions", "seq_length"):
                if key in case[1]:
                    case[1][key] = 160
            if case[1].get("rope_parameters", {}).get("rope_type") in ("dynamic", "longrope"):
                # Each half of the batch by itself as well decides for the same frequencies.
                lengths[1] = lengths[3] = max(lengths)
            folder = out / f"{family}-{seed}-{i}"
            write_case(folder, case, rng.randint(0, 1 << 30), lengths)
            if "rope_parameters" in case[1] and rng.random() < 0.5:
                older_keys(folder)


def write_case(folder, case, seed, lengths):
    family, sizes_, adapter = case
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    config = CLASSES[family](**sizes_, **SPECIAL)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "norm" in key or "ln_" in key:
                p.add_(0.2 * torch.randn_like(p))
            elif key.endswith("bias"):
                p.copy_(0.2 * torch.randn_like(p))
            # The values of bfloat16, which the files then hold.
            p.copy_(p.bfloat16().float())
    shard = "20KB" if seed % 2 else "5GB"
    # A copy, since the conversion would round the rotary frequencies too.
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder, max_shard_size=shard)
    lora = LoraConfig(**adapter, lora_dropout=0.0, task_type="CAUSAL_LM")
    write_golden(folder, model, lora, adapter["target_modules"], lengths)


def cached_logits(model, ids, before_pass):
    """What decoding with a cache gives: after a prompt of two tokens, and after each further one."""
    rows, cache = [], None
    with torch.no_grad():
        for part in [ids[:2], *ids[2:].split(1)]:
            before_pass(torch.ones(1, len(part)))
            out = model(input_ids=part[None], past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            rows.append(out.logits[0, -1])
    return torch.stack(rows)


def write_golden(folder, model, lora, targets, lengths, before_pass=lambda mask: None):
    """Writes what a saved model gives with and without an adapter, and how the adapter trains."""
    (folder / "generation_config.json").unlink(missing_ok=True)
    vocab = model.config.vocab_size
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for i, n in enumerate(lengths):
        ids[i, :n] = torch.randint(1, vocab, (n,))
        mask[i, :n] = 1
        # The first part plays the prompt: no loss there.
        labels[i, n // 3 : n] = ids[i, n // 3 : n]
    before_pass(mask)
    with torch.no_grad():
        base_logits = model(input_ids=ids, attention_mask=mask).logits

    tensors = {"base_logits": base_logits}
    if varies(model.config):
        tensors["cached_logits"] = cached_logits(model, ids[0, : lengths[0]], before_pass)
        before_pass(mask)

    peft = get_peft_model(model, lora)
    trainable = {k: p for k, p in peft.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for key, p in trainable.items():
            if "lora_B" in key:
                p.copy_(0.05 * torch.randn_like(p))
    peft.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)

    peft.train()
    for module in peft.modules():
        # GPT-2's own dropout is not part of the comparison.
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    logits = peft(input_ids=ids, attention_mask=mask).logits
    count = int((labels[:, 1:] != -100).sum())
    loss = loss_sum(logits, labels) / count
    loss.backward()
    tensors["adapter_logits"] = logits.detach()
    for key, p in trainable.items():
        assert p.grad is not None and p.grad.abs().max() > 0, key
        tensors["grad." + key.replace(".default", "")] = p.grad.clone()

    # AdamW with two micro-batches a step, averaged over all labelled tokens of the step.
    optimizer = torch.optim.AdamW(trainable.values(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for part in (slice(0, 2), slice(2, 4)):
            before_pass(mask[part])
            out_logits = peft(input_ids=ids[part], attention_mask=mask[part]).logits
            part_loss = loss_sum(out_logits, labels[part]) / count
            part_loss.backward()
            total += part_loss.item()
        torch.nn.utils.clip_grad_norm_(trainable.values(), MAX_GRAD_NORM)
        optimizer.step()
        losses.append(total)
    save_file({k: v.contiguous().float() for k, v in tensors.items()},
              folder / "golden.safetensors")
    (folder / "golden.json").write_text(json.dumps({
        "lengths": lengths,
        "input_ids": ids.tolist(),
        "labels": labels.tolist(),
        "loss": loss.item(),
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "max_grad_norm": MAX_GRAD_NORM,
        "losses": losses,
        # What PEFT was told; its own file lists the modules that it found.
        "targets": targets,
    }) + "\n")
    print(folder.name, "loss", loss.item(), "->", losses[-1])


def exports(out):
    """Loads each export of trainer-worker into PEFT: no key missing or unexpected, same logits."""
    for folder in sorted(p for p in out.iterdir() if (p / "export").is_dir()):
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager",
            experts_implementation="eager",
        ).eval()
        peft = PeftModel.from_pretrained(model, folder / "export")
        want = set(get_peft_model_state_dict(peft))
        have = set(load_file(folder / "export" / "adapter_model.safetensors"))
        golden = json.loads((folder / "golden.json").read_text())
        ids = torch.tensor(golden["input_ids"])
        mask = torch.zeros_like(ids)
        for i, n in enumerate(golden["lengths"]):
            mask[i, :n] = 1
        with torch.no_grad():
            logits = peft(input_ids=ids, attention_mask=mask).logits
        theirs = load_file(folder / "golden.safetensors")["adapter_logits"]
        worst = ((logits - theirs) * mask[..., None]).abs().max().item()
        print(folder.name, "missing", sorted(want - have), "unexpected", sorted(have - want),
              "logits differ by", worst)
        assert want == have and worst < 1e-4, folder


QUESTIONS = [
    "What is the capital of France?",
    "Name three colours.",
    "Write one sentence about the sea.",
    "Why do leaves fall in autumn?",
    "Translate 'good morning' to Spanish.",
    "How many days does a week have?",
    "Write a short poem about rain.",
    "What is 7 times 8?",
    "List three animals that can fly.",
    "Explain what a hash function does.",
]


def load_model(path):
    path = Path(path)
    if path.is_dir():
        model = AutoModelForCausalLM.from_pretrained(
            path, dtype=torch.float32, attn_implementation="eager"
        )
        return model.eval(), None
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
    )
    return model.eval(), AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def real(out, gguf):
    model, tokenizer = load_model(gguf)
    cases = []
    for question in QUESTIONS:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
        with torch.no_grad():
            new = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24,
                eos_token_id=2, pad_token_id=2,
            )[0, ids.shape[1]:]
        cases.append({
            "question": question,
            "prompt": text,
            "prompt_ids": ids[0].tolist(),
            "new_ids": new.tolist(),
            "answer": tokenizer.decode(new, skip_special_tokens=True),
        })
        print(question, "->", cases[-1]["answer"])
    text = "In 2024, 135 people walked 12.5 km; it wasn't far.  Two  spaces\n\nand a line — dash."
    cases_text = {"text": text, "ids": tokenizer(text, add_special_tokens=False).input_ids}
    with torch.no_grad():
        ids = torch.tensor([cases[0]["prompt_ids"]])
        last = model(ids).logits[0, -1]
        top = last.topk(20)
    (out / "smollm2.json").write_text(json.dumps({
        "greedy": cases,
        "tokenize": cases_text,
        "top_logits": {"ids": top.indices.tolist(), "values": top.values.tolist()},
    }, indent=1) + "\n")


def check(gguf, adapter, logits_file):
    model, _ = load_model(gguf)
    report = json.loads(Path(logits_file).read_text())
    peft = PeftModel.from_pretrained(model, adapter)
    ids = torch.tensor([report["tokens"]])
    with torch.no_grad():
        theirs = peft(ids).logits[0]
    ours = torch.tensor(report["logits"])
    print("max abs diff of logits:", (theirs - ours).abs().max().item(),
          "largest logit:", theirs.abs().max().item())


if __name__ == "__main__":
    if sys.argv[1:2] == ["tiny"]:
        tiny(Path(sys.argv[2]), sys.argv[3:])
    elif sys.argv[1:2] == ["random"]:
        random(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1:2] == ["exports"]:
        exports(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["real"]:
        real(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:5])
    else:
        sys.exit(__doc__)
