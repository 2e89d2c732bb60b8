#!/usr/bin/env python3
"""Writes the golden files of the LLaMA family for trainer-worker's tests.

Environment (outside the repository; about 5.6 GB, two minutes):

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 \\
        gguf==0.19.0 safetensors==0.8.0 accelerate==1.15.0
    /tmp/golden/bin/python scripts/golden/llama.py tiny  trainer-worker/tests/golden
    /tmp/golden/bin/python scripts/golden/llama.py real  trainer-worker/tests/golden MODEL.gguf
    /tmp/golden/bin/python scripts/golden/llama.py check MODEL.gguf ADAPTER_DIR LOGITS.json

`tiny` makes two seeded random models (tied and untied head; grouped heads; one with LLaMA 3's
rotary scaling) with logits of a padded batch, adapter gradients and 20 AdamW steps. `real` decodes
greedily with SmolLM2-135M-Instruct, dequantised by transformers. `check` loads an adapter that
trainer-worker exported into PEFT and compares its logits with those that
`trainer-worker logits --output json` printed.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

STEPS = 20
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 0.01
MAX_GRAD_NORM = 1.0

CASES = {
    "tied": dict(
        tie=True,
        rope=None,
        r=4,
        alpha=8,
        targets=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    ),
    "untied": dict(
        tie=False,
        rope=dict(
            rope_type="llama3",
            rope_theta=10000.0,
            factor=4.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=16,
        ),
        r=3,
        alpha=16,
        targets=["q_proj", "v_proj"],
    ),
}


def tiny_config(case):
    rope = case["rope"] or dict(rope_type="default", rope_theta=10000.0)
    return LlamaConfig(
        vocab_size=120,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=128,
        rms_norm_eps=1e-5,
        rope_parameters=rope,
        tie_word_embeddings=case["tie"],
        initializer_range=0.15,
        attn_implementation="eager",
    )


def loss_sum(logits, labels):
    """Sum over the labelled tokens; labels are shifted by one, -100 does not count."""
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]),
        labels[:, 1:].reshape(-1),
        ignore_index=-100,
        reduction="sum",
    )


def tiny(out):
    for name, case in CASES.items():
        torch.manual_seed(20 + len(name))
        torch.set_num_threads(1)
        folder = out / f"llama-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        model = LlamaForCausalLM(tiny_config(case)).float().eval()
        with torch.no_grad():
            for key, p in model.named_parameters():
                if "norm" in key:
                    p.add_(0.2 * torch.randn_like(p))
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)

        lengths = [70, 33, 5, 48]
        ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
        mask = torch.zeros_like(ids)
        labels = torch.full_like(ids, -100)
        for i, n in enumerate(lengths):
            ids[i, :n] = torch.randint(1, 120, (n,))
            mask[i, :n] = 1
            # The first part plays the prompt: no loss there.
            labels[i, n // 3 : n] = ids[i, n // 3 : n]
        with torch.no_grad():
            base_logits = model(input_ids=ids, attention_mask=mask).logits

        config = LoraConfig(
            r=case["r"], lora_alpha=case["alpha"], lora_dropout=0.0,
            target_modules=case["targets"], task_type="CAUSAL_LM",
        )
        peft = get_peft_model(model, config)
        trainable = {k: p for k, p in peft.named_parameters() if p.requires_grad}
        with torch.no_grad():
            for key, p in trainable.items():
                if "lora_B" in key:
                    p.copy_(0.05 * torch.randn_like(p))
        peft.save_pretrained(folder / "adapter")
        (folder / "adapter" / "README.md").unlink(missing_ok=True)

        peft.train()
        logits = peft(input_ids=ids, attention_mask=mask).logits
        count = int((labels[:, 1:] != -100).sum())
        loss = loss_sum(logits, labels) / count
        loss.backward()
        tensors = {"base_logits": base_logits, "adapter_logits": logits.detach()}
        for key, p in trainable.items():
            assert p.grad is not None and p.grad.abs().max() > 0, key
            tensors["grad." + key.replace(".default", "")] = p.grad.clone()

        # AdamW with two micro-batches a step, averaged over all labelled tokens of the step.
        optimizer = torch.optim.AdamW(
            trainable.values(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            total = 0.0
            for part in (slice(0, 2), slice(2, 4)):
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
        }) + "\n")
        print(name, "loss", loss.item(), "->", losses[-1])


QUESTIONS = [
    "What is the capital of France?",
    "Name three colours.",
    "Write one sentence about the sea.",
    "Why do leaves fall in autumn?",
    "Translate 'good morning' to Spanish.",
]


def load_gguf(path):
    path = Path(path)
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
    )
    return model.eval(), AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def real(out, gguf):
    model, tokenizer = load_gguf(gguf)
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
    model, _ = load_gguf(gguf)
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
        tiny(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["real"]:
        real(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:5])
    else:
        sys.exit(__doc__)
