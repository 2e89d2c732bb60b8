// What every JavaScript client asks of the gateway's tools. Each leaves the same answers.
import assert from "node:assert/strict";

const EXPECTED = [
  "searchDocumentation",
  "getPage",
  "askQuestion",
  "findDatanets",
  "getDatanet",
  "getLeaderboard",
  "getJob",
  "explainRewards",
  "explainSubmission",
  "prepareRegistration",
  "prepareSubmission",
  "prepareFunding",
  "prepareJob",
];

/** Lists the tools and calls them; `datanet` has a pool, and `account` can pay into it. */
export async function talk(client, { datanet, account }) {
  const { tools } = await client.listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    EXPECTED,
  );
  for (const tool of tools) {
    assert.equal(tool.inputSchema.type, "object", tool.name);
    assert.equal(tool.inputSchema.additionalProperties, false, tool.name);
    assert.equal(tool.outputSchema.type, "object", tool.name);
    assert.equal(tool.annotations.readOnlyHint, true, tool.name);
    assert.equal(tool.annotations.destructiveHint, false, tool.name);
    assert(tool.description.length > 40, tool.name);
  }

  // The clients compare what is structured with the schema of the list.
  const call = async (name, given) => {
    const result = await client.callTool({ name, arguments: given });
    assert(!result.isError, `${name}: ${JSON.stringify(result.content)}`);
    assert(result.content[0].text.length > 0, name);
    return result.structuredContent;
  };
  const found = await call("searchDocumentation", { query: "quota of files a day" });
  assert(found.results.length > 0);
  const page = await call("getPage", { url: found.results[0].url });
  assert(page.markdown.length > 100 && page.url.startsWith("http"));
  const answer = await call("askQuestion", { question: "Why was I paid nothing?", goal: "to be paid" });
  assert(answer.answered && answer.sources.length > 0, JSON.stringify(answer));
  const { items } = await call("findDatanets", {});
  assert(items.some(({ id }) => id === datanet));
  const shown = await call("getDatanet", { datanet });
  assert.equal(shown.id, datanet);
  await call("getLeaderboard", { datanet, period: "all" });
  const rewards = await call("explainRewards", { account, datanet });
  assert.equal(rewards.standing, null);
  const prepared = await call("prepareFunding", { account, datanet, amount: "2OPEN" });
  assert.equal(prepared.method, "Leaderboard.fund");
  assert.equal(prepared.cost.spent, "2000000000000000000");
  assert(prepared.signUrl.includes(`#call=${prepared.call.slice(2)}&`));

  const registration = await call("prepareRegistration", { account });
  assert.equal(registration.method, "Datanets.register");
  assert.equal(registration.cost.held, "1000000000000000000");

  // An error is an answer that a model can act on.
  const fails = async (name, given, words) => {
    const result = await client.callTool({ name, arguments: given });
    assert.equal(result.isError, true, name);
    assert(result.content[0].text.includes(words), result.content[0].text);
  };
  await fails("getDatanet", { datanet: 4_000_000 }, "there is no Datanet 4000000");
  await fails("getDatanet", { datanet: "four" }, "datanet");
  await fails("getDatanet", { datanet, colour: 1 }, "colour");
  await fails("findDatanets", { limit: 1000 }, "limit: 1000 is not within 1 to 100");
  await fails("prepareFunding", { account, datanet, amount: "0.5" }, "0.5 OPEN is less than 1 OPEN");
  await assert.rejects(client.callTool({ name: "sign", arguments: {} }), /there is no tool/);
}
