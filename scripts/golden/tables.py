#!/usr/bin/env python3
"""Tables and folders as people's programs write them, for trainer-worker/engine/tests/golden/tables.

Environment (outside the repository):

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install pandas==3.1.1 pyarrow==26.0.1 datasets==5.2.0
    /tmp/golden/bin/python scripts/golden/tables.py trainer-worker/engine/tests/golden/tables

The same eight questions in every file, so that a test compares what is read with one list
(questions.json).
"""

import gzip
import json
import pathlib
import sys

import datasets
import pandas
import pyarrow
import pyarrow.parquet

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
rows = [
    {
        "question": f"Which shelf holds “box {i}”?\nSay, please.",
        "answer": f"Box {i} stands, on shelf {i}; \"left\".",
    }
    for i in range(8)
]
chats = [
    {
        "messages": [
            {"role": "user", "content": row["question"]},
            {"role": "assistant", "content": row["answer"]},
        ],
        "id": i,
        "score": [0.5, i / 3],
    }
    for i, row in enumerate(rows)
]
(out / "questions.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
frame = pandas.DataFrame(rows)
frame.to_csv(out / "pandas.csv", index=False)
frame.to_csv(out / "pandas.tsv", index=False, sep="\t")
frame.to_csv(out / "semicolons.csv", index=False, sep=";", encoding="utf-8-sig", lineterminator="\r\n")
frame.to_parquet(out / "pandas.parquet")
table = pyarrow.Table.from_pylist(chats)
for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    pyarrow.parquet.write_table(table, out / f"chats-{codec}.parquet", compression=codec)
pyarrow.parquet.write_table(
    table, out / "chats-v2.parquet", compression="zstd", data_page_version="2.0", row_group_size=3
)
with pyarrow.OSFile(str(out / "file.arrow"), "wb") as sink:
    with pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
with pyarrow.OSFile(str(out / "compressed.arrow"), "wb") as sink:
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
train = datasets.Dataset.from_list(chats[:6])
held = datasets.Dataset.from_list(chats[6:])
whole = datasets.DatasetDict({"train": train, "validation": held.select([0]), "test": held.select([1])})
whole.save_to_disk(out / "saved", num_shards={"train": 2, "validation": 1, "test": 1})
lines = "".join(json.dumps(row) + "\n" for row in rows)
with open(out / "lines.jsonl.gz", "wb") as file:
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="lines.jsonl") as packed:
        packed.write(lines.encode())
codec = pyarrow.Codec("zstd")
(out / "lines.jsonl.zst").write_bytes(codec.compress(lines.encode(), asbytes=True))
