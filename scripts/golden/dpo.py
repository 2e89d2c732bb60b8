#!/usr/bin/env python3
"""Writes the golden files of preference training (DPO) and of the optimiser for trainer-worker.

Environment: that of scripts/golden/families.py, and TRL:

    /tmp/golden/bin/pip install trl==1.16.0
    /tmp/golden/bin/python scripts/golden/dpo.py trainer-worker/engine/tests/golden

The model and the adapter are those of `llama-untied`, which families.py makes. TRL's DPOTrainer gives
loss, rewards and adapter gradients of one batch of pairs (the reference is the model without the
adapter) and the losses of AdamW steps on it. Its sigmoid loss knows no label smoothing any more;
`aot_unpaired` on a single pair is the same loss with it. The optimiser's file holds transformers'
learning rates, torch's clipping and torch's AdamW.
"""

import json
import random
import sys
import tempfile
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, get_scheduler
from trl import DPOConfig, DPOTrainer

VOCABULARY = 48
BETA = 0.3
SMOOTHING = 0.2
STEPS = 10
LEARNING_RATE = 2e-3


def trainer(folder, out, **settings):
    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(VOCABULARY)}, unk_token="t0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="t1", pad_token="t2")
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    config = LoraConfig.from_pretrained(folder / "adapter")
    config.inference_mode = False
    draw = random.Random(5)
    text = lambda n: "".join(f" t{draw.randrange(3, VOCABULARY)}" for _ in range(n))
    rows = [
        {"prompt": text(p), "chosen": text(c), "rejected": text(r)}
        for p, c, r in [(9, 12, 7), (4, 3, 20), (15, 8, 8), (6, 1, 5)]
    ]
    made = DPOTrainer(
        model=model,
        args=DPOConfig(
            output_dir=out, beta=BETA, report_to=[], use_cpu=True, bf16=False, fp16=False,
            gradient_checkpointing=False, disable_dropout=True, max_length=None,
            per_device_train_batch_size=4, **settings,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=config,
    )
    weights = load_file(folder / "adapter" / "adapter_model.safetensors")
    set_peft_model_state_dict(made.model, weights)
    made.model.train()
    return made


def loss_of(made, items):
    batch = made.data_collator(items)
    return made._compute_loss(made.model, batch, False)


def preferences(golden, out):
    folder = golden / "llama-untied"
    made = trainer(folder, out)
    items = [made.train_dataset[i] for i in range(len(made.train_dataset))]
    loss = loss_of(made, items)
    loss.backward()
    metrics = {k: v[-1] for k, v in made._metrics["train"].items() if k.startswith("rewards/")}
    tensors = {}
    trainable = {k: p for k, p in made.model.named_parameters() if p.requires_grad}
    for key, p in trainable.items():
        assert p.grad is not None and p.grad.abs().max() > 0, key
        tensors["grad." + key.replace(".default", "")] = p.grad.clone().contiguous()
    optimizer = torch.optim.AdamW(trainable.values(), lr=LEARNING_RATE, weight_decay=0.01)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        step_loss = loss_of(made, items)
        step_loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable.values(), 1.0)
        optimizer.step()
        losses.append(step_loss.item())
    smooth = trainer(folder, out, loss_type=["aot_unpaired"], label_smoothing=SMOOTHING)
    smoothed = [loss_of(smooth, [item]).item() for item in items]
    (golden / "dpo").mkdir(exist_ok=True)
    save_file(tensors, golden / "dpo" / "golden.safetensors")
    keys = ["prompt_ids", "chosen_ids", "rejected_ids"]
    (golden / "dpo" / "golden.json").write_text(json.dumps({
        "pairs": [{k: item[k] for k in keys} for item in items],
        "beta": BETA, "label_smoothing": SMOOTHING, "learning_rate": LEARNING_RATE,
        "loss": loss.item(), "metrics": metrics, "losses": losses, "smoothed_losses": smoothed,
    }) + "\n")
    print("loss", loss.item(), metrics, losses[-1], smoothed)


def optimiser(golden):
    cases = []
    names = ["linear", "cosine", "constant", "constant_with_warmup"]
    for name, warmup, total in [(n, w, t) for n in names for w, t in [(0, 7), (4, 20), (9, 10)]]:
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.AdamW([weight], lr=1.0)
        schedule = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
        rates = []
        for _ in range(total):
            rates.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        cases.append({"name": name, "warmup": warmup, "total": total, "factors": rates})
    torch.manual_seed(3)
    start = torch.randn(2, 40)
    gradients = [torch.randn(2, 40) * scale for scale in [0.01, 3.0, 0.1, 1.0, 0.1118, 10.0]]
    weight = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.AdamW([weight], lr=0.02, weight_decay=0.3)
    norms, states = [], []
    for gradient in gradients:
        weight.grad = gradient.clone()
        norms.append(torch.nn.utils.clip_grad_norm_([weight], 1.0).item())
        optimizer.step()
        states.append(weight.detach().tolist())
    (golden / "optimiser.json").write_text(json.dumps({
        "schedules": cases,
        "adamw": {
            "start": start.tolist(), "gradients": [g.tolist() for g in gradients], "norms": norms,
            "states": states, "learning_rate": 0.02, "weight_decay": 0.3, "max_grad_norm": 1.0,
        },
    }) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        preferences(Path(sys.argv[1]), scratch)
    optimiser(Path(sys.argv[1]))
