#!/usr/bin/env python3
"""The PyTorch + PEFT side of `scripts/bench gpu`: LoRA steps on a model of random weights.

The base is bf16, or NF4 with double quantisation by bitsandbytes (embedding and head stay bf16);
adapters are f32. Speaks as `trainer-worker bench train --wait` does.

Usage: peft_gpu_peer.py FOLDER --batch 4 --sequence 1024 --steps 4 [--qlora] [--device cuda]
"""

import argparse
import pathlib

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from peft_peer import answer_rounds


def in_four_bits(model: torch.nn.Module) -> None:
    """Puts NF4 weights in the place of all linear modules but the head."""
    import bitsandbytes as bnb

    for name, module in list(model.named_modules()):
        if not isinstance(module, torch.nn.Linear) or name.endswith("lm_head"):
            continue
        linear = bnb.nn.Linear4bit(
            module.in_features,
            module.out_features,
            bias=False,
            compute_dtype=torch.bfloat16,
            compress_statistics=True,
            quant_type="nf4",
        )
        linear.weight = bnb.nn.Params4bit(
            module.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True
        )
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, linear)
    model.is_loaded_in_4bit = True


def resident() -> int:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--sequence", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--qlora", action="store_true")
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    torch.manual_seed(42)

    config = AutoConfig.from_pretrained(str(arguments.model))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.config.use_cache = False
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    if arguments.qlora:
        in_four_bits(model)
    model = model.to(arguments.device)
    lora = LoraConfig(
        r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, lora)
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.float()
    optimizer = torch.optim.AdamW(trained, lr=2e-4, weight_decay=0.0)
    size = (arguments.batch, arguments.sequence)

    def step() -> float:
        tokens = torch.randint(0, config.vocab_size, size, device=arguments.device)
        with torch.autocast(arguments.device, dtype=torch.bfloat16):
            loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    answer_rounds(step, arguments, resident)


if __name__ == "__main__":
    main()
