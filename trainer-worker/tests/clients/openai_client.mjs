// The official JavaScript client against `trainer-worker serve`: arguments are the base URL, a key,
// the base model's name and an adapter's.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const [baseURL, apiKey, model, adapter] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 120_000 });
const messages = [
  { role: "system", content: "You are terse." },
  { role: "user", content: "Name a colour." },
];
const ask = { model, messages, max_tokens: 12, temperature: 0 };

async function models() {
  const names = [];
  for await (const entry of client.models.list()) names.push(entry.id);
  assert(names.includes(model) && names.includes(adapter), names.join());
}

async function answers() {
  const answer = await client.chat.completions.create(ask);
  assert(answer.choices[0].message.content);
  const { data, response } = await client.chat.completions.create(ask).withResponse();
  assert.equal(data.choices[0].message.content, answer.choices[0].message.content);
  assert.match(response.headers.get("x-openledger-base-sha256"), /^[0-9a-f]{64}$/);
  let text = "";
  for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? "";
  }
  assert.equal(text, answer.choices[0].message.content);
  const runner = client.chat.completions.stream({ ...ask, model: adapter });
  const final = await runner.finalChatCompletion();
  assert(final.choices[0].message.content);
}

async function structured() {
  const Colour = z.object({ name: z.string(), warm: z.boolean() });
  const answer = await client.chat.completions.create({
    ...ask,
    max_tokens: 60,
    response_format: zodResponseFormat(Colour, "colour"),
  });
  if (answer.choices[0].finish_reason === "stop") {
    Colour.parse(JSON.parse(answer.choices[0].message.content));
  }
}

async function responses() {
  const request = { model, input: "Name a colour.", max_output_tokens: 12, store: false };
  const answer = await client.responses.create({ ...request, temperature: 0 });
  assert(answer.output_text);
  let text = "";
  for await (const event of await client.responses.create({ ...request, temperature: 0, stream: true })) {
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  assert.equal(text, answer.output_text);
}

async function cancels() {
  const stream = await client.chat.completions.create({ ...ask, max_tokens: 512, stream: true });
  for await (const _ of stream) break;
  stream.controller.abort();
}

async function errors() {
  const tools = [{ type: "function", function: { name: "f", parameters: {} } }];
  await assert.rejects(client.chat.completions.create({ ...ask, tools }), (error) => {
    assert(error instanceof OpenAI.BadRequestError, `${error}`);
    assert.equal(error.param, "tools");
    return true;
  });
  const nothing = client.chat.completions.create({ ...ask, model: "nothing" });
  await assert.rejects(nothing, OpenAI.NotFoundError);
}

for (const part of [models, answers, structured, responses, cancels, errors]) {
  await part();
  console.log(part.name, "ok");
}
