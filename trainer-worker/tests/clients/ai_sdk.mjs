// Vercel's AI SDK against `trainer-worker serve`, by its OpenAI provider (Responses, chat and
// completions) and by its provider for compatible servers. Arguments as for openai_client.mjs.
import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const [baseURL, apiKey, model, adapter] = process.argv.slice(2);
const openai = createOpenAI({ baseURL, apiKey });
const compatible = createOpenAICompatible({ name: "openledger", baseURL, apiKey, includeUsage: true });
const models = {
  responses: openai(model),
  chat: openai.chat(model),
  completions: openai.completion(model),
  compatible: compatible(model),
  "compatible, adapter": compatible(adapter),
};
const settings = {
  instructions: "You are terse.",
  prompt: "Name a colour.",
  maxOutputTokens: 16,
  temperature: 0,
  maxRetries: 0,
};

for (const [name, languageModel] of Object.entries(models)) {
  const answer = await generateText({ model: languageModel, ...settings });
  // What the SDK makes of a prompt for completions the model may answer with nothing.
  assert(answer.text || name === "completions", name);
  assert(answer.usage.outputTokens > 0 && answer.usage.inputTokens > 0, JSON.stringify(answer.usage));
  const stream = streamText({ model: languageModel, ...settings });
  let text = "";
  for await (const piece of stream.textStream) text += piece;
  assert.equal(text, answer.text, name);
  assert.equal((await stream.usage).outputTokens, answer.usage.outputTokens, name);
  console.log(name, "ok");
}

await assert.rejects(generateText({ model: compatible("nothing"), ...settings }), (error) => {
  assert.equal(error.statusCode, 404, `${error}`);
  return true;
});
console.log("errors ok");
