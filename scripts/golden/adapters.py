#!/usr/bin/env python3
"""Writes the golden files of adapters that are more than plain LoRA: PEFT's rank and alpha patterns,
layers_to_transform, rsLoRA, LoRA+ and DoRA.

Environment: that of scripts/golden/families.py.

    /tmp/golden/bin/python scripts/golden/adapters.py make trainer-worker/tests/golden
    /tmp/golden/bin/python scripts/golden/adapters.py check MODEL_DIR ADAPTER_DIR LOGITS.json

`make` writes for each case the adapter as PEFT saves it, logits, gradients and 20 AdamW steps, on the
models that families.py made (GPT-2's weights lie the other way round, PEFT's fan_in_fan_out). `check` loads an adapter that trainer-worker exported into PEFT,
which must find neither a missing nor an unexpected key, and compares its logits with ours: those that
`trainer-worker logits --output json` printed, or that the ignored test
`adapters::exports_for_peft_are_written` wrote beside the adapter.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

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


def make(golden):
    for name, case in CASES.items():
        folder = golden / f"adapter-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        model = AutoModelForCausalLM.from_pretrained(
            golden / case["base"], dtype=torch.float32, attn_implementation="eager"
        ).eval()
        torch.manual_seed(40 + len(name))
        torch.set_num_threads(1)
        lengths = [30, 21]
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
        print(name, "loss", loss.item(), "->", losses[-1])


def check(model, adapter, logits_file):
    base = AutoModelForCausalLM.from_pretrained(
        model, dtype=torch.float32, attn_implementation="eager"
    )
    report = json.loads(Path(logits_file).read_text())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        peft = PeftModel.from_pretrained(base, adapter).eval()
    for warning in caught:
        if "key" in str(warning.message):
            sys.exit(str(warning.message))
    with torch.no_grad():
        theirs = peft(torch.tensor([report["tokens"]])).logits[0]
    ours = torch.tensor(report["logits"])
    print("max abs diff of logits:", (theirs - ours).abs().max().item(),
          "largest logit:", theirs.abs().max().item())


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:5])
    else:
        sys.exit(__doc__)
