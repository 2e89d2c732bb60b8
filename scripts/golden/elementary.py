#!/usr/bin/env python3
"""Writes trainer-worker/engine/tests/golden/elementary.json: elementary functions to full precision.

Each value is computed by mpmath with 200 bits and rounded once to a double. Arguments are doubles
(for the `f32` functions: exactly representable as single precision). Numbers are written as strings,
since not every JSON reader keeps the last bit of a number.

Environment: any Python 3 with `pip install mpmath==1.3.0`. Usage: scripts/golden/elementary.py
"""

import json
import pathlib
import random
import struct

import mpmath

mpmath.mp.prec = 200
random.seed(20261121)


def single(x: float) -> float:
    return struct.unpack("f", struct.pack("f", x))[0]


def spread(low: float, high: float, count: int) -> list[float]:
    return [low, high] + [random.uniform(low, high) for _ in range(count - 2)]


def table(function, arguments) -> list[list[float]]:
    return [[x, float(function(mpmath.mpf(x)))] for x in arguments]


def singles(arguments) -> list[float]:
    return [single(x) for x in arguments]


tiny = [2.0**-k for k in range(2, 40, 6)]
angles = spread(0.0, 3.2, 20) + spread(0.0, 140000.0, 20) + spread(-67108864.0, 67108864.0, 20)
angles += [float(mpmath.pi / 2 * n) for n in (1, 2, 3, 1000, 65537, 41721361)] + tiny

result = {
    "exp": table(mpmath.exp, spread(-699.0, 708.0, 24) + spread(-2.0, 2.0, 24) + tiny),
    "ln": table(mpmath.log, spread(1e-300, 1e-290, 4) + spread(0.3, 3.0, 40) + spread(1.0, 1e6, 24)
                + [1.0 + t for t in tiny] + [1.0 - t for t in tiny] + [1e300]),
    "sin": table(mpmath.sin, angles),
    "cos": table(mpmath.cos, angles),
    "pow": [[b, e, float(mpmath.power(mpmath.mpf(b), mpmath.mpf(e)))]
            for b in (10000.0, 100000.0, 500000.0, 1e6, 0.5) for e in (0.0, 1 / 64, 0.25, 0.5, 0.984375, 1.0)],
    "softplus": table(lambda x: mpmath.log1p(mpmath.exp(x)), spread(-40.0, 40.0, 30) + tiny),
    "sigmoid": table(lambda x: 1 / (1 + mpmath.exp(-x)), spread(-40.0, 40.0, 30) + tiny),
    "exp_f32": table(mpmath.exp, singles(spread(-87.0, 88.0, 40) + spread(-1.0, 1.0, 20) + tiny)),
    "tanh_f32": table(mpmath.tanh, singles(spread(-12.0, 12.0, 30) + spread(-0.7, 0.7, 30) + tiny)),
    "erf_f32": table(mpmath.erf, singles(spread(-5.0, 5.0, 40) + spread(-1.1, 1.1, 20) + tiny)),
}
out = pathlib.Path(__file__).parents[2] / "trainer-worker/engine/tests/golden/elementary.json"
rows = (f'  "{name}": ' + json.dumps([[repr(x) for x in v] for v in values]) for name, values in result.items())
out.write_text("{\n" + ",\n".join(rows) + "\n}\n")
print(out, out.stat().st_size, "bytes")
