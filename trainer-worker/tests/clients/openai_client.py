"""The official Python client against `trainer-worker serve`: arguments are the base URL, a key, the
base model's name and an adapter's. Ends with 0 and prints what was tried, or with a traceback."""

import json
import sys

import openai
from pydantic import BaseModel

base_url, key, model, adapter = sys.argv[1:5]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=120)
ASK = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "Name a colour."},
]


def chat(**more):
    settings = {"model": model, "messages": ASK, "max_tokens": 12, "temperature": 0}
    return client.chat.completions.create(**{**settings, **more})


def refused(kind, param, **more):
    try:
        chat(**more)
    except kind as error:
        assert error.param == param, (error.param, param, error)
        assert error.type and error.body["message"], error.body
        return
    raise AssertionError(f"{more} was not refused")


def models():
    names = [entry.id for entry in client.models.list()]
    assert model in names and adapter in names, names
    assert client.models.retrieve(model).object == "model"


def answers():
    answer = chat()
    choice = answer.choices[0]
    assert answer.object == "chat.completion" and choice.message.role == "assistant"
    assert choice.message.content and choice.finish_reason in ("stop", "length"), answer
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert len(answer.to_dict()["openledger"]["base_sha256"]) == 64, answer.to_dict()
    assert chat().choices[0].message.content == choice.message.content, "the same again"
    other = chat(model=adapter)
    assert len(other.to_dict()["openledger"]["adapter_sha256"]) == 64, other.to_dict()


def streams():
    whole = chat(logprobs=True, top_logprobs=2)
    text, finish, usage, logprobs = "", None, None, []
    options = {"include_usage": True}
    for chunk in chat(stream=True, stream_options=options, logprobs=True, top_logprobs=2):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
            if choice.logprobs:
                logprobs += choice.logprobs.content or []
    assert text == whole.choices[0].message.content, (text, whole)
    assert finish == whole.choices[0].finish_reason and usage == whole.usage, (usage, whole.usage)
    assert logprobs == whole.choices[0].logprobs.content
    assert all(len(entry.top_logprobs) == 2 for entry in logprobs)


def samples():
    settings = {"temperature": 1.0, "seed": 7, "n": 2, "top_p": 0.9}
    first, second = chat(**settings), chat(**settings)
    texts = [choice.message.content for choice in first.choices]
    assert len(texts) == 2 and texts == [choice.message.content for choice in second.choices]
    whole = chat(max_tokens=24).choices[0].message.content
    stop = whole[4:7]
    cut = chat(max_tokens=24, stop=[stop]).choices[0]
    assert cut.message.content == whole[: whole.index(stop)], (cut, whole)
    assert cut.finish_reason == "stop"


class Colour(BaseModel):
    name: str
    warm: bool


def structured():
    answer = client.chat.completions.parse(
        model=model, messages=ASK, response_format=Colour, max_tokens=60, temperature=0
    )
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(answer.choices[0].message.parsed, Colour), answer
    plain = chat(response_format={"type": "json_object"}, max_tokens=80)
    if plain.choices[0].finish_reason == "stop":
        json.loads(plain.choices[0].message.content)


def completions():
    settings = {"model": model, "prompt": "One, two,", "max_tokens": 8, "temperature": 0}
    answer = client.completions.create(**settings)
    assert answer.choices[0].text and answer.usage.completion_tokens <= 8, answer
    streamed = client.completions.create(**settings, stream=True)
    assert "".join(c.choices[0].text for c in streamed if c.choices) == answer.choices[0].text


def responses():
    settings = {
        "model": model,
        "instructions": "You are terse.",
        "input": "Name a colour.",
        "max_output_tokens": 12,
        "temperature": 0,
        "store": False,
    }
    answer = client.responses.create(**settings)
    assert answer.output_text and answer.status in ("completed", "incomplete"), answer
    assert answer.output_text == chat().choices[0].message.content
    text, final = "", None
    for event in client.responses.create(**settings, stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        if event.type in ("response.completed", "response.incomplete"):
            final = event.response
    assert final is not None and text == final.output_text == answer.output_text, (text, final)


def errors():
    refused(openai.BadRequestError, "tools", tools=[{"type": "function", "function": {"name": "f"}}])
    refused(openai.BadRequestError, "temperature", temperature=99)
    refused(openai.BadRequestError, "max_tokens", max_tokens=0)
    refused(openai.NotFoundError, "model", model="nothing")
    stranger = openai.OpenAI(base_url=base_url, api_key="sk-wrong", max_retries=0)
    try:
        stranger.models.list()
    except openai.AuthenticationError:
        return
    raise AssertionError("a wrong key was let in")


for part in (models, answers, streams, samples, structured, completions, responses, errors):
    part()
    print(part.__name__, "ok", flush=True)
