#!/usr/bin/env python3
"""Writes the golden file of LoRA on SmolLM2-135M-Instruct: what PEFT makes of the same tokens,
batches and initial adapters as trainer-worker's.

Environment: that of scripts/golden/families.py. First let the tests write the inputs:

    OPENLEDGER_GOLDEN=/tmp/lora cargo test --workspace --test engine_models -- \\
        --ignored real_lora::inputs
    /tmp/golden/bin/python scripts/golden/real_lora.py MODEL.gguf /tmp/lora trainer-worker/engine/tests/golden

The base is the GGUF file as transformers dequantises it. A step's loss is averaged over all labelled
tokens of its micro-batches, gradients are clipped by their global norm, AdamW updates them.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def loss_sum(model, examples):
    """Sum of the losses of the labelled tokens, and their number."""
    total, count = 0.0, 0
    for example in examples:
        ids = torch.tensor([example["tokens"]])
        labels = torch.tensor([example["labels"]])[:, 1:]
        logits = model(input_ids=ids).logits[:, :-1]
        total = total + torch.nn.functional.cross_entropy(
            logits[labels], ids[:, 1:][labels], reduction="sum"
        )
        count += int(labels.sum())
    return total, count


def mean_loss(model, examples):
    with torch.no_grad():
        total, count = loss_sum(model, examples)
    return total.item() / count


def train(base, folder):
    given = json.loads((folder / "input.json").read_text())
    model = PeftModel.from_pretrained(base, folder, is_trainable=True)
    model.train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1.0, weight_decay=given["weight_decay"])
    before = mean_loss(model, given["held_out"])
    losses = []
    for batches, rate in zip(given["steps"], given["learning_rates"], strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        examples = [given["train"][i] for batch in batches for i in batch]
        total, count = loss_sum(model, examples)
        loss = total / count
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, given["max_grad_norm"])
        optimizer.step()
        losses.append(loss.item())
        print(folder.name, "step", len(losses), "loss", losses[-1])
    after = mean_loss(model, given["held_out"])
    model.unload()
    return {"before": before, "after": after, "losses": losses}


def main(gguf, inputs, out):
    base = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, attn_implementation="eager"
    )
    result = {}
    for folder in sorted(inputs.iterdir()):
        result[folder.name] = train(base, folder)
        print(folder.name, result[folder.name]["before"], "->", result[folder.name]["after"])
    (out / "smollm2-lora.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
