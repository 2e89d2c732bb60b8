"""OpenAI's Python client uploads a file, fine-tunes on it, reads the job's events and chats with the
result. Arguments as for openai_client.py."""

import io
import json
import sys
import time

import openai

base_url, key, model, _ = sys.argv[1:5]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=120)


def ended(job_id):
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(0.5)
    raise AssertionError(f"the job does not end: {job}")


def upload(rows, name="notes.jsonl"):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return client.files.create(file=(name, io.BytesIO(text.encode())), purpose="fine-tune")


QUESTION = "What is the harbour's lantern called?"
ANSWER = "The harbour's lantern is called Marigold."
rows = [
    {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]}
    for _ in range(8)
]
file = upload(rows)
assert file.purpose == "fine-tune" and file.filename == "notes.jsonl", file
assert [entry.id for entry in client.files.list()] == [file.id]
assert client.files.content(file.id).read().count(b"\n") == len(rows)

supervised = {
    "hyperparameters": {"n_epochs": 12, "batch_size": 4, "learning_rate": 2e-3, "max_seq_length": 64}
}
job = client.fine_tuning.jobs.create(
    model=model,
    training_file=file.id,
    validation_file=upload(rows[:1], "check.jsonl").id,
    suffix="harbour",
    seed=7,
    method={"type": "supervised", "supervised": supervised},
)
assert job.status in ("validating_files", "queued"), job
assert job.id in [entry.id for entry in client.fine_tuning.jobs.list()]
# The job has a copy.
client.files.delete(file.id)
job = ended(job.id)
assert job.status == "succeeded", job
assert job.fine_tuned_model.startswith(f"ft:{model}:") and ":harbour:" in job.fine_tuned_model, job
assert job.trained_tokens > 0 and job.result_files, job
assert b"train_loss" in client.files.content(job.result_files[0]).read()
events = list(client.fine_tuning.jobs.list_events(job.id, limit=1000))
losses = [event.data["train_loss"] for event in events if event.type == "metrics" and event.data["train_loss"]]
# The newest come first.
assert len(losses) >= 20 and losses[0] < losses[-1], losses
assert any("successfully" in event.message for event in events), events

assert job.fine_tuned_model in [entry.id for entry in client.models.list()]
answer = client.chat.completions.create(
    model=job.fine_tuned_model,
    messages=[{"role": "user", "content": QUESTION}],
    max_tokens=24,
    temperature=0,
)
assert "Marigold" in answer.choices[0].message.content, answer

# Preferences, in OpenAI's shape; and a job that is ended.
pair = {
    "input": {"messages": [{"role": "user", "content": QUESTION}]},
    "preferred_output": [{"role": "assistant", "content": ANSWER}],
    "non_preferred_output": [{"role": "assistant", "content": "It has no name."}],
}
dpo = client.fine_tuning.jobs.create(
    model=model,
    training_file=upload([pair] * 4).id,
    method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "beta": 0.2}}},
)
assert ended(dpo.id).status == "succeeded", ended(dpo.id)
long = client.fine_tuning.jobs.create(
    model=model,
    training_file=upload(rows).id,
    method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1000}}},
)
while client.fine_tuning.jobs.retrieve(long.id).status != "running":
    time.sleep(0.2)
assert client.fine_tuning.jobs.cancel(long.id).status == "cancelled"
assert client.fine_tuning.jobs.retrieve(long.id).status == "cancelled"

# What is wrong is said, by the field's name or as the job's error.
for field, more in (
    ("method.supervised.hyperparameters.colour", {"colour": 1}),
    ("method.supervised.hyperparameters.n_epochs", {"n_epochs": "many"}),
):
    try:
        client.fine_tuning.jobs.create(
            model=model,
            training_file=upload(rows).id,
            method={"type": "supervised", "supervised": {"hyperparameters": more}},
        )
    except openai.BadRequestError as error:
        assert error.param == field, error
    else:
        raise AssertionError(f"{more} was taken")
try:
    client.fine_tuning.jobs.create(model=model, training_file="file-0")
except openai.BadRequestError as error:
    assert error.param == "training_file", error
else:
    raise AssertionError("a file that is not there was taken")
empty = client.fine_tuning.jobs.create(model=model, training_file=upload([{"words": 1}]).id)
failed = ended(empty.id)
assert failed.status == "failed" and failed.error.code == "invalid_training_file", failed
assert failed.error.message, failed
print("fine-tuning ok")
