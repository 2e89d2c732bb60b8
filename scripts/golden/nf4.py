#!/usr/bin/env python3
"""Writes the golden file of NF4 quantisation for trainer-worker's tests.

Environment (outside the repository):

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install torch==2.15.0 bitsandbytes==0.50.2
    /tmp/golden/bin/python scripts/golden/nf4.py trainer-worker/engine/tests/golden/nf4.json

bitsandbytes quantises made-up weights on the CPU, with and without the second quantisation of the
block magnitudes. The number of values is no multiple of 64, so the last block is cut short.
"""

import json
import sys
from pathlib import Path

import bitsandbytes.functional as F
import torch


def case(rows, cols, scale, double_quant):
    # The test makes the same values: exact in f32, of a different size in each block.
    index = torch.arange(rows * cols)
    steps = (index * index * 31 + index * 17) % 1021 - 510
    values = (steps * (1 + index // 64 % 7)).float() / 1024 * scale
    values[640:704] = 0.0
    values = values.reshape(rows, cols)
    codes, state = F.quantize_4bit(
        values, blocksize=64, quant_type="nf4", compress_statistics=double_quant
    )
    result = {
        "shape": [rows, cols],
        "double_quant": double_quant,
        "scale": scale,
        "codes": bytes(codes.flatten().tolist()).hex(),
        "dequantised_every_37th": F.dequantize_4bit(codes, state).flatten()[::37].tolist(),
    }
    if double_quant:
        result["magnitude_codes"] = bytes(state.absmax.flatten().tolist()).hex()
        result["scales"] = state.state2.absmax.flatten().tolist()
        result["offset"] = state.offset.item()
        result["map"] = state.state2.code.tolist()
    else:
        result["magnitudes"] = state.absmax.flatten().tolist()
    return result


def main():
    cases = []
    for rows, cols, scale, double_quant in [(12, 70, 0.5, False), (250, 70, 0.125, True)]:
        cases.append(case(rows, cols, scale, double_quant))
    Path(sys.argv[1]).write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
