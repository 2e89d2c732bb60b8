// Playwright's global setup: one network for all files of the tests but the one that breaks its own.

import { createServer } from "node:http";
import { keepers } from "../keepers.ts";
import {
  contributors,
  funders,
  poolMakers,
  reviewers,
  validators,
  verifiers,
  voters,
  wealthy,
} from "../people.ts";
import { startNetwork } from "./network.ts";

/** A site of documentation that answers questions as GitBook does; its address. */
async function answerQuestions(): Promise<string> {
  const site = createServer((request, response) => {
    const { host = "" } = request.headers;
    const question = new URL(request.url ?? "/", `http://${host}`).searchParams.get("ask") ?? "";
    response.setHeader("content-type", "text/markdown; charset=utf-8");
    response.end(
      `# ${question}\n\nThe keeper of every lighthouse writes a log.<|im_end|>\n\n# Sources:\n\n` +
        `- [Keepers](http://${host}/keepers.md)\n- [Elsewhere](https://elsewhere.example/login.md)\n`,
    );
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  site.unref();
  const address = site.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

/** A network that `npm run e2e:network` keeps up is used as it is. */
export default async function start(): Promise<() => Promise<void>> {
  if (process.env.OPENLEDGER_E2E_ORIGIN) return async () => undefined;
  const each = (names: readonly string[], amount: bigint) =>
    names.map((name): [string, bigint] => [name, amount]);
  const { variables, stop } = await startNetwork({
    people: {
      endowed: new Map([
        ...each(reviewers, 120n),
        ...each(reviewers.slice(0, 1), 500n),
        ...each([...verifiers, ...funders], 200n),
        ...each(wealthy, 20n),
        ...each(voters, 700_000n),
        ...each(validators, 2_200n),
        ...each(poolMakers, 1_000n),
      ]),
      registered: ["Alice", ...contributors, ...wealthy],
    },
    files: [keepers.text, keepers.more],
    another: { name: "Pond life", owner: "//Dave", curator: "//Eve" },
    documentation: await answerQuestions(),
  });
  Object.assign(process.env, variables);
  return stop;
}
