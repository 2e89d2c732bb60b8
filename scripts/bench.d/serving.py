#!/usr/bin/env python3
"""Measures `trainer-worker serve` beside llama.cpp's `llama-server`, on the same GGUF file and threads.
Called by `scripts/bench serving`.

Both servers stay up and are asked in turns, by the same code, over HTTP on loopback; one that is not
asked sleeps. Answers are of a fixed length at temperature 0, the prompt differs in every round so that
no cache holds its end. Figures are medians over the rounds. A ratio above 1 means that ours is better.

  serve_one_client            tokens/s of one client, with an adapter
  serve_8_clients             tokens/s of 8 clients together; ours with 4 adapters, the peer with one
  time_to_first_token_512     until the first token of an answer to a prompt of about 512 tokens
  adapters_64_in_flight       16 clients with 64 adapters in turns, against one adapter
  adapter_switch_ms           what another adapter that is in memory adds to an answer's first token
  registered_adapters_memory  resident memory with 10 adapters registered, against 1,000
  batch_invariance_cost       a prompt of 512 tokens by the serving step, in its one order of additions,
                              against the engine's fastest other path for the same tokens: the forward
                              pass of training and evaluation, whose order may follow the batch
  batch_invariance_cost_f32   the same, both by the weights' values: nothing but the order and what
                              goes with it differs
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

NEW = 64
WORDS = "river stone market letter garden window paper bridge winter harbour lantern meadow".split()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Server:
    """A server on loopback, and how it is asked."""

    def __init__(self, name: str, command: list, environment: dict | None = None):
        self.name = name
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE if name == "ours" else self.log,
            stderr=self.log,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.address = ""

    def ready(self, port: int | None = None) -> None:
        if port is None:
            line = self.process.stdout.readline()
            if not line:
                self.fail()
            self.address = urllib.parse.urlsplit(json.loads(line)["address"]).netloc
        else:
            self.address = f"127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.fail()
            try:
                path = "/healthz" if self.name == "ours" else "/health"
                if self.get(path).status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        self.fail()

    def fail(self) -> None:
        self.log.seek(0)
        raise SystemExit(f"{self.name} does not answer: {self.log.read()[-2000:]}")

    def get(self, path: str):
        connection = http.client.HTTPConnection(self.address, timeout=120)
        connection.request("GET", path)
        return connection.getresponse()

    def ask(self, model: str, prompt: str, tokens: int = NEW) -> tuple[float, float, int]:
        """Seconds to the first token and to the end, and how many tokens there were."""
        body = {
            "model": model,
            "prompt": prompt,
            "max_tokens": tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            # A model that ends early would be measured on less.
            "logit_bias": {str(END): -100},
        }
        connection = http.client.HTTPConnection(self.address, timeout=600)
        started = time.monotonic()
        headers = {"content-type": "application/json"}
        connection.request("POST", "/v1/completions", json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != 200:
            raise SystemExit(f"{self.name}: {response.status} {response.read()[:500]}")
        first, count = None, 0
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if first is None and event["choices"] and event["choices"][0]["text"]:
                first = time.monotonic() - started
            if event.get("usage"):
                count = event["usage"]["completion_tokens"]
        connection.close()
        return first or 0.0, time.monotonic() - started, count

    def resident(self) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()


# The end token of SmolLM2, which the tests' model is; of another model it would only end early.
END = 2


def prompt(turn: int, words: int) -> str:
    """A text that no other turn has, from its first word on."""
    return " ".join([f"Story {turn}."] + [WORDS[(turn * 7 + i * i) % len(WORDS)] for i in range(words)])


def together(server: Server, models: list[str], turn: int, words: int = 24) -> float:
    """Tokens a second of one client for each of the models."""
    with concurrent.futures.ThreadPoolExecutor(len(models)) as pool:
        started = time.monotonic()
        asked = [
            pool.submit(server.ask, model, prompt(turn * 1000 + i, words))
            for i, model in enumerate(models)
        ]
        count = sum(a.result()[2] for a in asked)
        return count / (time.monotonic() - started)


def load(server: Server, models: list[str], turn: int, clients: int) -> float:
    """Tokens a second of some clients that go through the models."""
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        started = time.monotonic()
        asked = [
            pool.submit(server.ask, model, prompt(turn * 1000 + i, 16), 24)
            for i, model in enumerate(models)
        ]
        count = sum(a.result()[2] for a in asked)
        return count / (time.monotonic() - started)


def serve(a: argparse.Namespace, adapters: pathlib.Path, *more: object) -> Server:
    command = [a.worker, "serve", "--model", a.model, "--name", "base", "--adapters", adapters]
    command += ["--address", "127.0.0.1:0", "--threads", a.threads, "--output", "json", *more]
    server = Server("ours", command, {"RUST_LOG": "warn"})
    server.ready()
    return server


class Path:
    """A way of the engine to take a prompt through the model: `trainer-worker bench`, a round a line."""

    def __init__(self, a: argparse.Namespace, *what: str):
        self.name = " ".join(what)
        self.log = tempfile.TemporaryFile("w+")
        command = [a.worker, "bench", *what, "--model", a.model, "--threads", a.threads]
        self.process = subprocess.Popen(
            [*map(str, command), "--tokens", "512", "--wait"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.rounds: list[float] = []

    def line(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise SystemExit(f"bench {self.name} ended: {self.log.read()[-2000:]}")
        return json.loads(line)

    def round(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.rounds.append(self.line()["tokens_per_second"])

    def close(self) -> None:
        try:
            self.process.stdin.close()
            self.process.wait(timeout=30)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()


def orders(a: argparse.Namespace) -> list[Path]:
    """The step as the server runs it and by values, then the forward pass by values and on few bits."""
    ways = (["prompt"], ["prompt", "--dense"], ["forward", "--dense"], ["forward"])
    paths: list[Path] = []
    try:
        for what in ways:
            paths.append(Path(a, *what))
            paths[-1].line()
        # The first round warms up.
        for _ in range(a.rounds + 1):
            for path in paths:
                path.round()
    finally:
        for path in paths:
            path.close()
    for path in paths:
        del path.rounds[0]
    return paths


def measure(a: argparse.Namespace, folder: pathlib.Path) -> list[dict]:
    rows: list[dict] = []

    def row(name: str, unit: str, ours: list, peer: list, peer_name: str, ratio) -> None:
        mine, theirs = statistics.median(ours), statistics.median(peer)
        rows.append(
            {
                "name": name,
                "unit": unit,
                "ours": mine,
                "peer": theirs,
                "peer_name": peer_name,
                "ratio": ratio(mine, theirs),
            }
        )
        say(f"  {name}: {mine:.4g} {unit} / {theirs:.4g} ({peer_name}) = {rows[-1]['ratio']:.2f}")

    def more(mine: float, theirs: float) -> float:
        return mine / theirs

    def less(mine: float, theirs: float) -> float:
        return theirs / mine

    adapters = folder / "adapters"
    adapters.mkdir()
    say("Making adapters")
    source = folder / "source"
    data = folder / "data.md"
    data.write_text("\n".join(f"Q: What is {w}?\nA: A {w}." for w in WORDS))
    train = [a.worker, "train", "--model", a.model, "--data", data, "--output", source]
    train += ["--method", "qlora", "--max-steps", 2, "--lora-r", 8, "--json"]
    subprocess.run(list(map(str, train)), check=True, capture_output=True)
    gguf = folder / "adapter.gguf"
    export = [a.worker, "export", "--model", a.model, "--adapter", source, "--output", gguf]
    subprocess.run(list(map(str, export)), check=True, capture_output=True)
    weights = (source / "adapter_model.safetensors").read_bytes()
    config = json.loads((source / "adapter_config.json").read_text())
    for i in range(1000):
        # Other alphas make other adapters, with a sha256 of their own.
        entry = adapters / f"a{i}"
        entry.mkdir()
        (entry / "adapter_model.safetensors").write_bytes(weights)
        changed = {**config, "lora_alpha": 16 + i / 1000}
        (entry / "adapter_config.json").write_text(json.dumps(changed))

    few = folder / "few"
    few.mkdir()
    for i in range(10):
        (few / f"a{i}").symlink_to(adapters / f"a{i}")

    server = serve(a, adapters)
    port = 18_081
    llama = Server(
        "llama-server",
        [a.llamacpp / "llama-server", "--model", a.model, "--lora", gguf, "--threads", a.threads]
        + ["--threads-batch", a.threads, "--parallel", 8, "--ctx-size", 8 * 2048, "--port", port]
        + ["--host", "127.0.0.1", "--no-webui", "--cont-batching"],
        {"LD_LIBRARY_PATH": str(a.llamacpp)},
    )
    llama.ready(port)
    name = "llama.cpp llama-server"
    names = [f"base:a{i}" for i in range(64)]
    try:
        for each, model in ((server, names[0]), (llama, "base")):
            each.ask(model, prompt(0, 24))
        one, eight, first = ([], []), ([], []), ([], [])
        for turn in range(1, a.rounds + 1):
            for side, (each, model) in enumerate(((server, names[0]), (llama, "base"))):
                ttft, seconds, count = each.ask(model, prompt(turn, 24), 128)
                one[side].append((count - 1) / (seconds - ttft))
            for side, (each, models) in enumerate(((server, names[:4] * 2), (llama, ["base"] * 8))):
                eight[side].append(together(each, models, turn))
            for side, (each, model) in enumerate(((server, names[0]), (llama, "base"))):
                # About 512 tokens: most of the words are one.
                first[side].append(each.ask(model, prompt(turn + 500, 500), 2)[0] * 1e3)
        row("serve_one_client", "tokens/s", *one, name, more)
        row("serve_8_clients", "tokens/s", *eight, name, more)
        row("time_to_first_token_512", "ms", *first, name, less)
        llama.close()

        load(server, names, 900, 16)
        many, single = [], []
        for turn in range(901, 901 + a.rounds):
            many.append(load(server, names, turn, 16))
            single.append(load(server, names[:1] * 64, turn + 100, 16))
        row("adapters_64_in_flight", "tokens/s", many, single, "ours, one adapter", more)

        same, other = [], []
        for turn in range(8 * a.rounds):
            text = prompt(5000 + turn, 8)
            server.ask(names[1], prompt(6000 + turn, 8), 1)
            same.append(server.ask(names[1], text, 1)[0] * 1e3)
            server.ask(names[2 + turn % 60], prompt(7000 + turn, 8), 1)
            other.append(server.ask(names[1], prompt(8000 + turn, 8), 1)[0] * 1e3)
        switch = max(statistics.median(other) - statistics.median(same), 0.01)
        row("adapter_switch_ms", "ms", [switch], [7.0], "the bar", less)
    finally:
        server.close()
        llama.close()

    resident = []
    for registered in (few, adapters):
        server = serve(a, registered)
        try:
            server.get("/v1/models").read()
            server.ask("base:a0", prompt(1, 24))
            resident.append(server.resident() / 2**20)
        finally:
            server.close()
    row(
        "registered_adapters_memory",
        "MiB",
        [resident[1]],
        [resident[0]],
        "ours, 10 registered",
        less,
    )

    served, by_values, *forward = orders(a)
    best = max(forward, key=lambda path: statistics.median(path.rounds))
    row("batch_invariance_cost", "tokens/s", served.rounds, best.rounds, f"ours, {best.name}", more)
    dense = forward[0]
    row(
        "batch_invariance_cost_f32",
        "tokens/s",
        by_values.rounds,
        dense.rounds,
        f"ours, {dense.name}",
        more,
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--llamacpp", required=True, type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    a = parser.parse_args()
    a.rounds = 2 if a.quick else 5
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(a, pathlib.Path(folder))
    for row in rows:
        print(f"{row['name']:30} {row['ours']:10.4g} {row['peer']:10.4g} {row['unit']:9} {row['ratio']:6.2f}")
    if a.json:
        a.json.write_text(json.dumps(rows, indent=1) + "\n")


main()
