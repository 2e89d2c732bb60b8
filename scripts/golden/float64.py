#!/usr/bin/env python3
"""Tells rounding from error where 20 AdamW steps stray from PyTorch's: repeats them in float64.

Environment: that of scripts/golden/families.py.

    T=…  # a folder of cases that `families.py random` or `deepseek.py random` wrote
    OPENLEDGER_GOLDEN=$T cargo test --workspace --test engine_models -- golden
    /tmp/golden/bin/python scripts/golden/float64.py $T [CASE…]

The test leaves our losses, logits and gradients beside each case (`ours.json`, `gradients`). Here the same model, adapter and
batches are run with everything in float64: weights, norms, softmax, router, AdamW; only the cosines
and sines of the rotary embedding are those of float32, which define the model. For each case it
prints the greatest difference of any step's loss

* of torch's float32 and of ours to float64 (`torch-f64`, `ours-f64`) and to each other;
* of torch's float32 to itself with each sequence in a micro-batch of its own, without padding, which
  is the same training in exact arithmetic (`alone`);

the greatest distances of the base model's logits to float64, and the greatest relative distances of
an adapter gradient to it, before the first step. Where torch is as far from float64
or from itself as from us, the case amplifies rounding, and its losses cannot tell who is right. At
the end: the medians, over all cases, of the ratio of our distance to torch's.
"""

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import torch
from families import MAX_GRAD_NORM, loss_sum
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

FLOAT32, TO_FLOAT32 = torch.float32, torch.Tensor.float


def call_float32(dtype):
    torch.float32 = torch.float = dtype
    torch.Tensor.float = TO_FLOAT32 if dtype == FLOAT32 else torch.Tensor.double


@contextmanager
def float32_is(dtype):
    """transformers rounds to float32 by name in norms, softmax and routers: lets that be `dtype`."""
    call_float32(dtype)
    try:
        yield
    finally:
        call_float32(FLOAT32)


def train(folder, golden, dtype, alone=False):
    """Losses of the steps, logits of the base model and first gradients, by the names of the file, as
    write_golden of families.py does them."""
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=FLOAT32, attn_implementation="eager", experts_implementation="eager"
    ).to(dtype).eval()
    for module in model.modules():
        if type(module).__name__.endswith("RotaryEmbedding"):
            module.register_forward_pre_hook(lambda *_: call_float32(FLOAT32))
            module.register_forward_hook(lambda *_: call_float32(dtype))
    ids, labels = torch.tensor(golden["input_ids"]), torch.tensor(golden["labels"])
    mask = torch.zeros_like(ids)
    for i, n in enumerate(golden["lengths"]):
        mask[i, :n] = 1
    with torch.no_grad(), float32_is(dtype):
        logits = model(input_ids=ids, attention_mask=mask).logits[mask.bool()].double()
    peft = PeftModel.from_pretrained(model, folder / "adapter", is_trainable=True).to(dtype).train()
    for module in peft.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    named = {k.replace(".default", ""): p for k, p in peft.named_parameters() if p.requires_grad}
    parameters = list(named.values())
    count = int((labels[:, 1:] != -100).sum())
    optimizer = torch.optim.AdamW(
        parameters, lr=golden["learning_rate"], weight_decay=golden["weight_decay"]
    )
    parts = [(slice(0, 2), ids.shape[1]), (slice(2, 4), ids.shape[1])]
    if alone:
        parts = [(slice(i, i + 1), n) for i, n in enumerate(golden["lengths"])]
    losses, gradients = [], None
    with float32_is(dtype):
        for _ in golden["losses"]:
            optimizer.zero_grad()
            total = 0.0
            for part, n in parts:
                out = peft(input_ids=ids[part, :n], attention_mask=mask[part, :n]).logits
                loss = loss_sum(out, labels[part, :n]) / count
                loss.backward()
                total += loss.item()
            gradients = gradients or {k: p.grad.double().clone() for k, p in named.items()}
            torch.nn.utils.clip_grad_norm_(parameters, MAX_GRAD_NORM)
            optimizer.step()
            losses.append(total)
    return losses, logits, gradients


def padded(folder, golden, name):
    """Logits of a golden file at the positions that are not padding."""
    values = load_file(folder / "golden.safetensors")[name].double()
    return torch.cat([values[i, :n] for i, n in enumerate(golden["lengths"])])


def relative(ours, exact):
    """Greatest distance of a gradient from the exact one, by its norm."""
    return [((ours[k].double() - g).norm() / g.norm()).item() for k, g in exact.items()]


def apart(a, b):
    return max(abs(x - y) for x, y in zip(a, b))


def main(out, names):
    torch.set_num_threads(1)
    folders = [f for f in sorted(out.iterdir()) if (f / "ours.json").is_file()]
    folders = [f for f in folders if not names or f.name in names]
    read = {f: json.loads((f / "golden.json").read_text()) for f in folders}
    print(f"{'case':24} torch-f64  ours-f64  ours-torch  alone-torch | logits: "
          "torch-f64 ours-f64 | gradients: torch-f64 ours-f64")
    ratios = {"losses": [], "logits": [], "gradients": []}
    for folder, golden in read.items():
        ours = json.loads((folder / "ours.json").read_text())
        exact, logits, gradients = train(folder, golden, torch.float64)
        alone, _, _ = train(folder, golden, FLOAT32, alone=True)
        rows = torch.tensor(ours["base_logits"]).view_as(logits)
        theirs = padded(folder, golden, "base_logits")
        steps = [(abs(o - e), abs(t - e)) for o, t, e in zip(ours["losses"], golden["losses"], exact)]
        ratios["losses"] += [o / t for o, t in steps if t > 0]
        far, near = (theirs - logits).abs().max().item(), (rows - logits).abs().max().item()
        ratios["logits"].append(near / far)
        saved = load_file(folder / "golden.safetensors")
        saved = {k.removeprefix("grad."): v for k, v in saved.items()}
        errors = relative(saved, gradients)
        our_errors = relative(load_file(folder / "gradients" / "adapter_model.safetensors"), gradients)
        ratios["gradients"] += [o / t for o, t in zip(our_errors, errors)]
        print(f"{folder.name:24} {apart(golden['losses'], exact):9.1e} "
              f"{apart(ours['losses'], exact):9.1e} {apart(ours['losses'], golden['losses']):11.1e} "
              f"{apart(alone, golden['losses']):12.1e} | {far:17.1e} {near:8.1e} | "
              f"{max(errors):20.1e} {max(our_errors):8.1e}", flush=True)
    print(f"{len(read)} cases; median ratio of our distance to torch's:",
          ", ".join(f"{key} {median(values):.2f}" for key, values in ratios.items()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
