#!/usr/bin/env python3
"""Writes tiny checkpoints with weights in 8-bit floating point for trainer-worker's tests.

Environment: as in families.py.

    /tmp/golden/bin/python scripts/golden/fp8.py trainer-worker/engine/tests/golden

`fp8-deepseek-v3` is published as DeepSeek V3 is: `F8_E4M3` in blocks with `weight_scale_inv` in F32,
here blocks of 16 × 12 that do not fit the matrices. `fp8-qwen3` has one scale for each tensor, as
`compressed-tensors` writes it, with static scales of activations that a weight-only reader leaves
out. Each holds the logits that transformers computes with the dequantised weights, and
`fp8-deepseek-v3` the values of all 256 bytes as torch has them.
"""

import copy
import json
import sys
from pathlib import Path

import torch
from deepseek import COMMON, DEFAULT_ROPE
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM, DeepseekV3Config, DeepseekV3ForCausalLM, Qwen3Config, Qwen3ForCausalLM,
)

FP8 = torch.float8_e4m3fn
IDS = [[5, 17, 33, 2, 48, 9, 21, 40, 13, 7]]


def blocks(weight, size):
    """Bytes and scales of a matrix in blocks of `size`."""
    rows, cols = weight.shape
    down, across = -(-rows // size[0]), -(-cols // size[1])
    scales, out = torch.zeros(down, across), torch.zeros_like(weight)
    for i in range(down):
        for j in range(across):
            part = (slice(i * size[0], (i + 1) * size[0]), slice(j * size[1], (j + 1) * size[1]))
            scales[i, j] = weight[part].abs().max() / 448
            out[part] = weight[part] / scales[i, j]
    return out.to(FP8), scales


def write(folder, model, settings, quantise, extra):
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name or name.endswith("bias"):
                p.add_(0.2 * torch.randn_like(p))
            p.copy_(p.bfloat16().float())
        for name, b in model.named_buffers():
            if name.endswith("e_score_correction_bias"):
                b.add_(0.2 * torch.randn_like(b))
                b.copy_(b.bfloat16().float())
    copy.deepcopy(model).bfloat16().save_pretrained(folder, save_original_format=True)
    (folder / "generation_config.json").unlink(missing_ok=True)
    whole, stored = load_file(folder / "model.safetensors"), {}
    for name, weight in list(whole.items()):
        plain = any(part in name for part in ("embed", "lm_head", "norm", "bias", "mlp.gate."))
        if plain:
            stored[name] = weight
            continue
        values, scales, suffix, dequantised = quantise(weight.float())
        stored[name] = values
        stored[name.removesuffix(".weight") + suffix] = scales
        whole[name] = dequantised
        if extra:
            stored[name.removesuffix(".weight") + ".input_scale"] = torch.tensor(0.02)
    # transformers reads the dequantised weights, exact in F32.
    save_file({k: v.float().contiguous() for k, v in whole.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    reference = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager"
    ).eval()
    with torch.no_grad():
        logits = reference(torch.tensor(IDS)).logits[0]
    save_file({k: v.contiguous() for k, v in stored.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = settings
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file({"logits": logits.contiguous(),
               "values": torch.arange(256, dtype=torch.uint8).view(FP8).float()},
              folder / "golden.safetensors")
    (folder / "golden.json").write_text(json.dumps({"input_ids": IDS[0]}) + "\n")
    print(folder.name, "largest logit", logits.abs().max().item())


def main(out):
    torch.manual_seed(5)
    size = [16, 12]

    def by_block(weight):
        values, scales = blocks(weight, size)
        spread = scales.repeat_interleave(size[0], 0).repeat_interleave(size[1], 1)
        spread = spread[: weight.shape[0], : weight.shape[1]]
        return values, scales, ".weight_scale_inv", values.float() * spread

    config = DeepseekV3Config(**{**COMMON, **dict(
        q_lora_rank=14, n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2, n_group=2,
        topk_group=1, num_hidden_layers=2, rope_parameters=DEFAULT_ROPE,
    )})
    write(out / "fp8-deepseek-v3", DeepseekV3ForCausalLM(config).float().eval(), {
        "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
        "weight_block_size": size,
    }, by_block, False)

    def by_tensor(weight):
        scale = weight.abs().max() / 448
        values = (weight / scale).to(FP8)
        return values, scale.reshape(1), ".weight_scale", values.float() * scale

    config = Qwen3Config(
        vocab_size=56, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=64,
        initializer_range=0.2,
    )
    write(out / "fp8-qwen3", Qwen3ForCausalLM(config).float().eval(), {
        "quant_method": "compressed-tensors", "format": "float-quantized",
        "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float",
                                                  "strategy": "tensor"}}},
    }, by_tensor, True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
