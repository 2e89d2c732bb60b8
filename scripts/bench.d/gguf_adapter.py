#!/usr/bin/env python3
"""Writes a LoRA adapter of random values (r = 8 on q_proj and v_proj) as GGUF, for llama.cpp.

Usage: gguf_adapter.py MODEL.gguf ADAPTER.gguf
"""

import sys

import numpy
from gguf import GGUFReader, GGUFWriter


def main() -> None:
    reader = GGUFReader(sys.argv[1])
    architecture = bytes(reader.fields["general.architecture"].parts[-1]).decode()
    writer = GGUFWriter(sys.argv[2], architecture)
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 16.0)
    random = numpy.random.default_rng(1)
    for tensor in reader.tensors:
        if not tensor.name.endswith(("attn_q.weight", "attn_v.weight")):
            continue
        # GGUF lists the innermost dimension first.
        width, output = (int(n) for n in tensor.shape)
        a = random.normal(0, 0.02, (8, width)).astype(numpy.float32)
        b = random.normal(0, 0.02, (output, 8)).astype(numpy.float32)
        writer.add_tensor(tensor.name + ".lora_a", a)
        writer.add_tensor(tensor.name + ".lora_b", b)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
