#!/usr/bin/env python3
"""The PyTorch + PEFT side of `scripts/bench trainer`: LoRA steps on the same model and sizes.

Speaks as `trainer-worker bench train --wait` does: prints one JSON line when ready, then runs a
round of steps for each line on standard input and answers with one JSON line.

Usage: peft_peer.py MODEL.gguf --batch 4 --sequence 128 --steps 2 --threads 2
"""

import argparse
import json
import pathlib
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM


def memory(field: str) -> int:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


def answer_rounds(step, arguments, peak) -> None:
    """One step to warm up; then a round of `--steps` steps for each line on standard input."""
    step()
    print(json.dumps({"ready": "train", "torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(arguments.steps):
            loss = step()
        seconds = time.perf_counter() - started
        tokens = arguments.steps * arguments.batch * arguments.sequence
        answer = {
            "tokens_per_second": tokens / seconds,
            "seconds": seconds,
            "loss": loss,
            "peak_memory": peak(),
        }
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--sequence", type=int, default=128)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(42)

    model = AutoModelForCausalLM.from_pretrained(
        str(arguments.model.parent), gguf_file=arguments.model.name, dtype=torch.float32
    )
    model.config.use_cache = False
    config = LoraConfig(
        r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, config)
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-4, weight_decay=0.0)
    size = (arguments.batch, arguments.sequence)

    def step() -> float:
        tokens = torch.randint(0, model.config.vocab_size, size)
        loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    answer_rounds(step, arguments, lambda: memory("VmHWM"))


if __name__ == "__main__":
    main()
