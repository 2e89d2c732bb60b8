#!/usr/bin/env python3
"""Measures `openledger-ipfs` beside Kubo, in turns. Called by `scripts/bench content`.

Each round makes a new file, so that neither side has its blocks already. `add`: the command from its
start to its end. `fetch`: a node without the file writes it to disk from a connected node of its own
kind that has it; ours starts its node for it, Kubo's runs already. Times are medians over the rounds,
memory is the largest resident set of the fetching process. A ratio above 1 means that ours is better.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20


class Kubo:
    """A Kubo node on loopback, started from nothing."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path):
        self.program, self.folder = program, folder
        self.environment = {**os.environ, "IPFS_PATH": str(folder), "IPFS_TELEMETRY": "off"}
        self.run("init", "--profile", "unixfs-v1-2025,test")
        self.log = (folder / "daemon.log").open("w")
        self.daemon = subprocess.Popen(
            [program, "daemon", "--routing=none"],
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + 60
        while not (folder / "api").exists() or not self.answers():
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kubo does not start: {(folder / 'daemon.log').read_text()[-500:]}")
            time.sleep(0.1)

    def run(self, *arguments: object) -> str:
        done = subprocess.run(
            [self.program, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"ipfs {' '.join(map(str, arguments))}: {done.stderr[-500:]}")
        return done.stdout

    def answers(self) -> bool:
        return (
            subprocess.run(
                [self.program, "id"], env=self.environment, capture_output=True
            ).returncode
            == 0
        )

    def address(self) -> str:
        return next(a for a in json.loads(self.run("id"))["Addresses"] if "/tcp/" in a)

    def peak(self) -> int:
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        self.daemon.terminate()
        try:
            self.daemon.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
        self.log.close()


def timed(command: list) -> tuple[float, str, int]:
    """Seconds, what it printed, and the largest resident set of a command."""
    started = time.monotonic()
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out = process.stdout.read()
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {error[-500:]}")
    return seconds, out, usage.ru_maxrss * 1024


def equal(a: pathlib.Path, b: pathlib.Path) -> None:
    if subprocess.run(["cmp", "-s", a, b]).returncode != 0:
        raise RuntimeError(f"{b} is not what was added")


def measure(a: argparse.Namespace, folder: pathlib.Path) -> dict[str, tuple[list, list]]:
    rows: dict[str, tuple[list, list]] = {name: ([], []) for name in ("add", "fetch", "memory")}
    ours = folder / "ours"
    daemon = subprocess.Popen(
        [a.program, "daemon", "--directory", ours, "--output", "json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    nodes: list[Kubo] = []
    try:
        address = json.loads(daemon.stdout.readline())["addresses"][0]
        provider = Kubo(a.kubo, folder / "provider")
        nodes.append(provider)
        for turn in range(a.rounds + 1):
            # The first round warms caches and is not counted.
            source, copy = folder / "source", folder / "copy"
            with source.open("wb") as file:
                for _ in range(a.mib):
                    file.write(os.urandom(MIB))
            os.sync()

            add = [a.program, "add", "--directory", ours, "--output", "json", source]
            mine, out, _ = timed(add)
            added = json.loads(out)
            started = time.monotonic()
            cid = provider.run("add", "-Q", source).strip()
            theirs = time.monotonic() - started
            if cid != added["content"]:
                raise RuntimeError(f"content ids differ: {added['content']} and {cid}")

            fresh = folder / "fresh"
            get = [a.program, "get", "--directory", fresh, "--peer", address]
            get += ["--size", added["size"], "--sha256", added["sha256"], "--output", copy, cid]
            fetch, _, memory = timed(get)
            equal(source, copy)
            copy.unlink()
            shutil.rmtree(fresh)

            fetcher = Kubo(a.kubo, folder / "fetcher")
            nodes.append(fetcher)
            fetcher.run("swarm", "connect", provider.address())
            started = time.monotonic()
            fetcher.run("get", "--progress=false", "-o", copy, cid)
            peer_fetch, peer_memory = time.monotonic() - started, fetcher.peak()
            equal(source, copy)
            copy.unlink()
            nodes.pop().close()
            shutil.rmtree(folder / "fetcher")
            if turn > 0:
                for name, pair in [
                    ("add", (mine, theirs)),
                    ("fetch", (fetch, peer_fetch)),
                    ("memory", (memory, peer_memory)),
                ]:
                    for side, value in zip(rows[name], pair):
                        side.append(value)
                print(
                    f"round {turn}: add {mine:.2f} / {theirs:.2f} s, fetch {fetch:.2f} / "
                    f"{peer_fetch:.2f} s, memory {memory / MIB:.0f} / {peer_memory / MIB:.0f} MiB",
                    file=sys.stderr,
                )
    finally:
        daemon.terminate()
        daemon.wait()
        for node in nodes:
            node.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench content")
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--kubo", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--mib", type=int, default=100, help="size of the file")
    a = parser.parse_args()
    a.rounds = 2 if a.quick else 7
    if hasattr(resource, "RLIMIT_NOFILE"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with tempfile.TemporaryDirectory(prefix="openledger-bench-") as folder:
        rows = measure(a, pathlib.Path(folder))
    entries = []
    for name, unit, (mine, theirs) in [
        ("add", "s", rows["add"]),
        ("fetch", "s", rows["fetch"]),
        ("fetch_memory", "bytes", rows["memory"]),
    ]:
        pick = max if unit == "bytes" else statistics.median
        ours, peer = pick(mine), pick(theirs)
        entries.append(
            {
                "name": name,
                "unit": unit,
                "ours": ours,
                "peer": peer,
                "peer_name": "Kubo 0.43",
                "ratio": peer / ours,
            }
        )
    print(f"{'entry':14} {'ours':>8} {'Kubo':>8} {'ratio':>6}  unit")
    for e in entries:
        scale, unit = (MIB, "MiB") if e["unit"] == "bytes" else (1, e["unit"])
        print(f"{e['name']:14} {e['ours'] / scale:8.2f} {e['peer'] / scale:8.2f} {e['ratio']:6.2f}  {unit}")
    print(f"{a.mib} MiB, {a.rounds} rounds in turns, each with a new file")
    if a.json:
        a.json.write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()
