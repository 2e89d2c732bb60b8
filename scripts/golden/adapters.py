#!/usr/bin/env python3
"""Writes the golden files of adapters that are more than plain LoRA: PEFT's rank and alpha patterns,
layers_to_transform, rsLoRA, LoRA+ and DoRA.

Environment: that of scripts/golden/families.py.

    /tmp/golden/bin/python scripts/golden/adapters.py make   trainer-worker/engine/tests/golden
    /tmp/golden/bin/python scripts/golden/adapters.py random trainer-worker/engine/tests/golden FOLDER SEED COUNT
    /tmp/golden/bin/python scripts/golden/adapters.py check  FOLDER

`make` writes for each case the adapter as PEFT saves it, logits, gradients and 20 AdamW steps, on the
models that families.py made (GPT-2's weights lie the other way round, PEFT's fan_in_fan_out).

`random` writes the same into FOLDER for COUNT random adapters on each of these models and of those of
deepseek.py. `OPENLEDGER_ADAPTERS=FOLDER cargo test --workspace --test engine_models -- adapters` then
compares them too, and leaves beside each `export`, the adapter after a change, with the logits that we
get from it, and `merged`, the base model with that adapter merged in. `check` reads both back: PEFT
must find neither a missing nor an unexpected key in the export, the same names, shapes and types as it
would write itself and the configuration that it was made with, and both must give our logits.
"""

import json
import random as dice
import sys
import warnings
from pathlib import Path

import chatglm
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

AutoConfig.register("chatglm", chatglm.ChatGLMConfig)
AutoModelForCausalLM.register(chatglm.ChatGLMConfig, chatglm.ChatGLMForConditionalGeneration)

STEPS = 20
LEARNING_RATE = 2e-3
LORAPLUS_RATIO = 4.0
LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

CASES = {
    "patterns": dict(
        base="llama-tied",
        loraplus=True,
        config=dict(
            r=4, lora_alpha=8, target_modules=LLAMA, use_rslora=True,
            layers_to_transform=[1], layers_pattern="layers",
            # The first key that matches counts: q_proj of layer 1 gets 2, not 3.
            rank_pattern={r"layers\.1\.self_attn\.q_proj": 2, "q_proj": 3, r"mlp\.(gate|up)_proj": 6},
            alpha_pattern={"down_proj": 5, r"^model\.layers\.\d+\.mlp\.up_proj": 24},
        ),
    ),
    "dora-llama": dict(
        base="llama-untied",
        loraplus=False,
        config=dict(r=3, lora_alpha=9, target_modules=LLAMA, use_dora=True),
    ),
    "dora-gpt2": dict(
        base="gpt2",
        loraplus=False,
        config=dict(
            r=4, lora_alpha=8, target_modules=["c_attn", "c_proj", "c_fc"], use_dora=True,
            fan_in_fan_out=True,
        ),
    ),
}


def loss_sum(logits, labels):
    """Sum over the labelled tokens; labels are shifted by one, -100 does not count."""
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]),
        labels[:, 1:].reshape(-1),
        ignore_index=-100,
        reduction="sum",
    )


# The modules of a layer, by the models that have them.
GPT2 = ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"]
BLOOM = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
GLM = LLAMA[:4] + ["gate_up_proj", "down_proj"]
LATENT = ["kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]
FEED_FORWARD = ["gate_proj", "up_proj", "down_proj"]
MODULES = {
    "llama-tied": LLAMA, "llama-untied": LLAMA, "mistral": LLAMA, "qwen2": LLAMA, "qwen3": LLAMA,
    "gpt2": GPT2, "bloom": BLOOM, "bloom-after-norm": BLOOM, "chatglm": BLOOM, "glm": GLM,
    "glm4": GLM,
    "deepseek-v2": ["q_a_proj", "q_b_proj"] + LATENT + FEED_FORWARD,
    "deepseek-v2-lite": ["q_proj"] + LATENT + FEED_FORWARD,
    "deepseek-v3": ["q_a_proj", "q_b_proj"] + LATENT + FEED_FORWARD,
}


def drawn(base, layers, rng):
    """A random adapter for a model."""
    names = MODULES[base]
    targets = rng.sample(names, rng.randint(1, len(names)))
    if rng.random() < 0.3:
        targets = list(names)
    dora = rng.random() < 0.5
    config = dict(
        r=rng.choice([1, 2, 3, 5, 8]), lora_alpha=rng.choice([1, 3, 8, 2.5]), use_dora=dora,
        use_rslora=rng.random() < 0.4, fan_in_fan_out=base == "gpt2",
    )
    plain = True
    if base.startswith("deepseek"):
        # PEFT can have these only as parameters (deepseek.py), without DoRA and patterns.
        parameters = [f"{t}.weight" for t in targets if t in FEED_FORWARD]
        modules = [t for t in targets if t not in FEED_FORWARD] or ["o_proj"]
        if dora or not parameters:
            parameters = None
        config.update(target_modules=modules, target_parameters=parameters)
        plain, targets = parameters is None, modules
    elif set(targets) == set(names) and rng.random() < 0.5:
        config["target_modules"] = "all-linear"
    else:
        config["target_modules"] = targets
    if plain and rng.random() < 0.5:
        config["rank_pattern"] = {
            rng.choice([t, rf"{rng.randrange(layers)}\.\w+\.{t}", f"(x|{t})"]): rng.choice([1, 4, 6])
            for t in rng.sample(targets, rng.randint(1, len(targets)))
        }
    if plain and rng.random() < 0.5:
        config["alpha_pattern"] = {
            rng.choice([t, rf".*\.{rng.randrange(layers)}\..*{t}"]): rng.choice([2, 7, 0.5])
            for t in rng.sample(targets, rng.randint(1, len(targets)))
        }
    if plain and config["target_modules"] != "all-linear" and rng.random() < 0.4:
        config["layers_to_transform"] = rng.sample(range(layers), rng.randint(1, layers - 1))
        if rng.random() < 0.5:
            config["layers_pattern"] = "h" if base.startswith(("gpt2", "bloom")) else "layers"
    return dict(base=base, loraplus=rng.random() < 0.3, config=config)


def load_base(folder):
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager"
    ).eval()


def make(golden):
    for name, case in CASES.items():
        write_case(golden / f"adapter-{name}", golden / case["base"], case, 40 + len(name), [30, 21])


def random(golden, out, seed, count):
    rng = dice.Random(seed)
    for base in MODULES:
        layers = 3 if base.startswith("deepseek") else 2
        for i in range(count):
            case = drawn(base, layers, rng)
            case["base"] = str((golden / base).resolve())
            lengths = [rng.randint(25, 32), rng.randint(2, 32), rng.randint(2, 32)]
            print(case["config"])
            folder = out / f"{base}-{seed}-{i}"
            write_case(folder, golden / base, case, rng.randint(0, 1 << 30), lengths)


def write_case(folder, base, case, seed, lengths):
    folder.mkdir(parents=True, exist_ok=True)
    model = load_base(base)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for i, n in enumerate(lengths):
        ids[i, :n] = torch.randint(1, model.config.vocab_size, (n,))
        mask[i, :n] = 1
        labels[i, n // 3 : n] = ids[i, n // 3 : n]
    peft = get_peft_model(
        model, LoraConfig(lora_dropout=0.0, task_type="CAUSAL_LM", **case["config"])
    )
    trainable = {k: p for k, p in peft.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for key, p in trainable.items():
            if "lora_B" in key:
                p.copy_(0.05 * torch.randn_like(p))
            elif "magnitude" in key:
                p.mul_(1 + 0.1 * torch.randn_like(p))
    peft.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    # As it was loaded, for evaluation: the base models' own dropout stays off.
    logits = peft(input_ids=ids, attention_mask=mask).logits
    count = int((labels[:, 1:] != -100).sum())
    loss = loss_sum(logits, labels) / count
    loss.backward()
    tensors = {"adapter_logits": logits.detach()}
    for key, p in trainable.items():
        assert p.grad is not None and p.grad.abs().max() > 0, key
        saved = key.replace(".default", "")
        if "magnitude" in saved:
            saved = saved.removesuffix(".weight")
        tensors["grad." + saved] = p.grad.clone()
    if case["loraplus"]:
        optimizer = create_loraplus_optimizer(
            peft, torch.optim.AdamW, lr=LEARNING_RATE, loraplus_lr_ratio=LORAPLUS_RATIO,
            loraplus_weight_decay=0.01,
        )
    else:
        optimizer = torch.optim.AdamW(trainable.values(), lr=LEARNING_RATE, weight_decay=0.01)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        step_loss = loss_sum(peft(input_ids=ids, attention_mask=mask).logits, labels) / count
        step_loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable.values(), 1.0)
        optimizer.step()
        losses.append(step_loss.item())
    save_file({k: v.contiguous().float() for k, v in tensors.items()},
              folder / "golden.safetensors")
    (folder / "golden.json").write_text(json.dumps({
        "base": case["base"],
        "lengths": lengths, "input_ids": ids.tolist(), "labels": labels.tolist(),
        "loss": loss.item(), "losses": losses, "learning_rate": LEARNING_RATE,
        "weight_decay": 0.01, "max_grad_norm": 1.0,
        "loraplus_lr_ratio": LORAPLUS_RATIO if case["loraplus"] else None,
    }) + "\n")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)
    print(folder.name, "loss", loss.item(), "->", losses[-1])


def check(out):
    """What we exported and merged, read by PEFT and transformers."""
    failed = []
    for folder in sorted(p for p in out.iterdir() if (p / "export").is_dir()):
        golden = json.loads((folder / "golden.json").read_text())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            base = load_base(golden["base"])
            peft = PeftModel.from_pretrained(base, folder / "export").eval()
            merged = load_base(folder / "merged")
        problems = [str(w.message) for w in caught if "adapter keys" in str(w.message)]
        theirs = get_peft_model_state_dict(peft)
        ours = load_file(folder / "export" / "adapter_model.safetensors")
        if {k: (v.shape, v.dtype) for k, v in theirs.items()} != {
            k: (v.shape, v.dtype) for k, v in ours.items()
        }:
            problems.append(f"tensors differ: {sorted(set(ours) ^ set(theirs))}")
        # As PEFT wrote it; where it was told `all-linear`, it lists the modules that it found.
        told = LoraConfig.from_pretrained(folder / "adapter").to_dict()
        read = LoraConfig.from_pretrained(folder / "export").to_dict()
        for config in (told, read):
            # A list whose order says nothing; PEFT writes an empty one where it was told none.
            config["target_parameters"] = sorted(config["target_parameters"] or [])
        for key, value in told.items():
            if key not in ("base_model_name_or_path", "peft_version") and value != read[key]:
                problems.append(f"{key}: {read[key]!r} instead of {value!r}")
        report = json.loads((folder / "export" / "logits.json").read_text())
        ids, logits = torch.tensor([report["tokens"]]), torch.tensor(report["logits"])
        with torch.no_grad():
            apart = [(m(input_ids=ids).logits[0] - logits).abs().max().item() for m in (peft, merged)]
        if not max(apart) <= 1e-4:
            problems.append("logits")
        failed += [folder.name] * bool(problems)
        print(f"{folder.name:28} logits differ by {apart[0]:.1e}, merged by {apart[1]:.1e}", *problems,
              sep="\n    " if problems else " ")
    sys.exit(f"failed: {failed}" if failed else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["random"]:
        random(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    elif sys.argv[1:2] == ["check"]:
        check(Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
