// Brings a proposal through a referendum: submits it, places its deposit, votes, waits until it is carried out, has
// a spend paid, and gets deposits back. Each step is a transaction, and says what it did.

import { parseArgs } from "node:util";
import { sr25519CreateDerive } from "@polkadot-labs/hdkd";
import * as keys from "@polkadot-labs/hdkd-helpers";
import { createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";

const usage = `Usage: OPENLEDGER_SECRET=… node referendum.mjs [OPTIONS] NODE COMMAND

  spend AMOUNT ADDRESS     propose that the treasury pays AMOUNT OPEN to ADDRESS, and see it through
  upgrade HASH             propose to authorise the runtime of this blake2 hash, and see it through
  call ORIGIN BYTES        propose a call by its bytes, and see it through; ORIGIN is Root, GeneralAdmin,
                           BigSpender or SmallSpender, and decides the track
  vote INDEX               vote on a referendum of anybody's
  finish INDEX [PREIMAGE]  go on with a referendum where another run was stopped
  payout SPEND             have the treasury pay a spend that was approved

  --vote AMOUNT            OPEN to vote with; without it spend, upgrade and call wait for the votes of others
  --conviction 0…6         what a vote weighs, and how long its OPEN stays locked after the end (default 1)
  --nay                    vote against
  --preimage               note a preimage of a short call too; one of more than 128 bytes always has one

OPENLEDGER_SECRET signs: a phrase, with //path or ///password behind it if you like; //Alice on a development chain.
NODE is as ws://127.0.0.1:9944. A referendum takes days (docs/governance.md); under --dev about a minute.`;

process.on("uncaughtException", (error) => {
  // What the pool refuses has its reason beside the message.
  console.error(`error: ${error.error ? JSON.stringify(error.error) : error.message}`);
  process.exit(1);
});
const fail = (message) => {
  throw new Error(message);
};

const OPEN = 10n ** 18n;
/** Plancks of an amount as people write it, such as 25 or 0.5; and back. */
function plancks(text) {
  const [, whole, part = ""] =
    /^(\d{1,10})(?:\.(\d{1,18}))?$/.exec(text) ?? fail(`${text} is no amount of OPEN`);
  return BigInt(whole) * OPEN + BigInt(part.padEnd(18, "0"));
}
function open(amount) {
  const part = (amount % OPEN).toString().padStart(18, "0").replace(/0+$/, "");
  return `${(amount / OPEN).toLocaleString("en")}${part && `.${part}`} OPEN`;
}
const number = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : fail(`${text} is no number`));
const toHex = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;
const fromHex = (text) =>
  /^0x([0-9a-f]{2})+$/i.test(text)
    ? new Uint8Array(Buffer.from(text.slice(2), "hex"))
    : fail(`${text}: not 0x and digits`);

// What is asked for: nothing is sent before all of it makes sense.
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    vote: { type: "string" },
    conviction: { type: "string", default: "1" },
    nay: { type: "boolean", default: false },
    preimage: { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  },
});
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const [node, command, ...rest] = positionals;
const takes = { spend: [2], upgrade: [1], call: [2], vote: [1], finish: [1, 2], payout: [1] }[command];
if (!takes?.includes(rest.length))
  fail(`${command ?? "no command"} with ${rest.length} arguments; see --help`);
if (!/^[0-6]$/.test(options.conviction)) fail(`--conviction ${options.conviction} is none of 0 to 6`);
const votes = options.vote && plancks(options.vote);
if (command === "vote" && !votes) fail("say with how much OPEN: --vote AMOUNT");

// The key of a phrase or secret URI. In a browser the wallet's signer takes its place.
const secret = process.env.OPENLEDGER_SECRET || fail("OPENLEDGER_SECRET is not set: a phrase, or //Alice");
// Without a phrase it is the one that all development chains know.
const suri = keys.parseSuri(secret.startsWith("/") ? keys.DEV_PHRASE + secret : secret);
if (!keys.validateMnemonic(suri.phrase ?? ""))
  fail("OPENLEDGER_SECRET is no phrase, nor does it begin with //");
const key = sr25519CreateDerive(keys.mnemonicToMiniSecret(suri.phrase, suri.password))(suri.paths);
const signer = getPolkadotSigner(key.publicKey, "Sr25519", key.sign);
const me = keys.ss58Address(key.publicKey);

// Connect. Calls, types, tracks and deposits come from the node's own metadata.
const client = createClient(getWsProvider(node));
const silence = setTimeout(fail, 20_000, `no node answers at ${node}; start one: openledger-node --dev`);
const { name } = await client.getChainSpecData();
const api = client.getUnsafeApi();
const { query, tx } = api;
const tracks = (await api.constants.Referenda.Tracks()).map(([id, track]) => ({ id, ...track }));
clearTimeout(silence);
console.log(`chain: ${name}; signing as ${me}`);

const freeOf = async (who) => (await query.System.Account.getValue(who)).data.free;
// All OPEN votes but the treasury's.
const mayVote =
  (await query.Balances.TotalIssuance.getValue()) - (await query.Balances.InactiveIssuance.getValue());

/** What to do about errors that one may well run into; docs/reference/chain.md has all. */
const nextSteps = {
  "ConvictionVoting.InsufficientFunds":
    "vote with no more than the account has, from one that pays for no jobs",
  "Treasury.PayoutError": "the treasury may have paid what a period pays; try in the next one",
};
function inWords({ type, value }) {
  const error = type === "Module" ? `${value.type}.${value.value.type}` : `${type} ${value?.type ?? ""}`;
  return nextSteps[error] ? `${error}: ${nextSteps[error]}` : error;
}
/** Sends calls, all or none of them, and waits until they are final: the next step sees what they did. */
async function send(...calls) {
  const all =
    calls.length === 1 ? calls[0] : tx.Utility.batch_all({ calls: calls.map((call) => call.decodedCall) });
  const done = await all.signAndSubmit(signer);
  return done.ok ? done : fail(inWords(done.dispatchError));
}
const find = (events, pallet, name) =>
  events.find(({ type, value }) => type === pallet && value.type === name)?.value.value;
/** What `pick` makes of the first thing observed of which it makes something. */
const first = (observable, pick) =>
  new Promise((resolve, reject) => {
    const watching = observable.subscribe({
      next(value) {
        const found = pick(value);
        if (found === undefined) return;
        resolve(found);
        queueMicrotask(() => watching.unsubscribe());
      },
      error: reject,
    });
  });

/** What is to be called, and as which origin. */
async function proposal() {
  if (command === "call") return { origin: rest[0], call: await api.txFromCallData(fromHex(rest[1])) };
  if (command === "upgrade") {
    const code_hash = fromHex(rest[0]).length === 32 ? rest[0] : fail(`${rest[0]} is no hash of 32 bytes`);
    return { origin: "Root", call: tx.System.authorize_upgrade({ code_hash }) };
  }
  const [amount, beneficiary] = [plancks(rest[0]), rest[1]];
  if (amount > mayVote / 20n)
    fail(`the treasury pays at most ${open(mayVote / 20n)} a period, 5 % of what may vote`);
  try {
    keys.ss58Decode(beneficiary);
  } catch (error) {
    fail(`${beneficiary} is no address: ${error.message}`);
  }
  // Who may spend how much: runtime/src/governance/origins.rs.
  const origin =
    amount <= 10_000n * OPEN ? "SmallSpender" : amount <= 1_000_000n * OPEN ? "BigSpender" : "Root";
  return {
    origin,
    call: tx.Treasury.spend({ asset_kind: undefined, amount, beneficiary, valid_from: undefined }),
  };
}

/** Submits a proposal and places its decision deposit, which anybody else might. */
async function submit({ origin, call }) {
  const title = origin.replace(/\B[A-Z]/g, "_$&").toLowerCase();
  const track =
    tracks.find((track) => track.name.replaceAll("\0", "") === title) ?? fail(`no track for ${origin}`);
  const [submission, decision] = [await api.constants.Referenda.SubmissionDeposit(), track.decision_deposit];
  const [free, needed] = [await freeOf(me), submission + decision + OPEN];
  if (free < needed) fail(`${me} has ${open(free)} free; deposits and fees take ${open(needed)}`);

  // What is voted on stands in the proposal itself if it is short, else in its preimage: everybody can read it.
  const bytes = await call.getEncodedData();
  const hash = toHex(keys.blake2b256(bytes));
  const inline = bytes.length <= 128 && !options.preimage;
  const noted = !inline && !(await query.Preimage.RequestStatusFor.getValue(hash));
  const done = await send(
    ...(noted ? [tx.Preimage.note_preimage({ bytes })] : []),
    tx.Referenda.submit({
      proposal_origin:
        origin === "Root"
          ? { type: "system", value: { type: "Root" } }
          : { type: "Origins", value: { type: origin } },
      proposal: inline
        ? { type: "Inline", value: bytes }
        : { type: "Lookup", value: { hash, len: bytes.length } },
      // Its track says how long it waits at least.
      enactment_moment: { type: "After", value: 0 },
    }),
  );
  const { index } = find(done.events, "Referenda", "Submitted");
  console.log(
    `referendum ${index} on track ${title}, in block ${done.block.number}: ${open(submission)} held`,
  );
  if (noted) console.log(`preimage ${hash} of ${bytes.length} bytes`);
  await send(tx.Referenda.place_decision_deposit({ index }));
  console.log(`decision deposit: ${open(decision)} held`);
  return { index, preimage: noted ? hash : undefined };
}

async function vote(index) {
  // A bit for aye, and the conviction.
  const cast = (options.nay ? 0 : 0x80) | Number(options.conviction);
  await send(
    tx.ConvictionVoting.vote({
      poll_index: index,
      vote: { type: "Standard", value: { vote: cast, balance: votes } },
    }),
  );
  console.log(`voted ${options.nay ? "nay" : "aye"} with ${open(votes)}, conviction ${options.conviction}`);
}

const percent = (part, whole) => `${whole ? Number((part * 1000n) / whole) / 10 : 0} %`;
/** How a referendum goes on, and how its votes stand. */
function standing({ tally, deciding, track }) {
  const { decision_period } = tracks.find(({ id }) => id === track);
  const state = !deciding
    ? "is prepared, or waits for a deposit"
    : deciding.confirming
      ? `passes in block ${deciding.confirming} if it stays so`
      : `is decided by block ${deciding.since + decision_period}`;
  const votes = `approval ${percent(tally.ayes, tally.ayes + tally.nays)}, support ${percent(tally.support, mayVote)}`;
  return `${state}; ${votes}`;
}

/** Sees a referendum through that is on its way. */
async function finish(index, preimage) {
  // The scheduler has what a referendum decides under this name.
  const task = Buffer.concat([
    Buffer.from("assembly\x24enactment"),
    Buffer.from(Uint32Array.of(index).buffer),
  ]);
  const id = toHex(keys.blake2b256(task));
  // Listened for from the beginning on: it may be done in the block after the decision.
  const dispatched = first(api.event.Scheduler.Dispatched.watch(), ({ block, events }) => {
    const ours = events.find(({ payload }) => payload.id === id);
    return ours && { block, result: ours.payload.result };
  });
  let said = await query.Referenda.ReferendumInfoFor.getValue(index);
  const before = said?.type === "Approved" && !(await query.Scheduler.Lookup.getValue(id));
  const over = await first(query.Referenda.ReferendumInfoFor.watchValue(index), ({ block, value }) => {
    if (!value) fail(`there is no referendum ${index}`);
    if (value.type !== "Ongoing") return value;
    const now = standing(value.value);
    if (now !== said) console.log(`block ${block.number}: it ${now}`);
    said = now;
  });
  console.log(`referendum ${index}: ${over.type.toLowerCase()}`);
  if (before) {
    const spends = await query.Treasury.Spends.getEntries();
    const waiting = spends.filter(({ value }) => value.status.type !== "Attempted");
    console.log(`it was carried out before; spends that wait for \`payout\`: ${waiting.length || "none"}`);
    for (const { keyArgs, value } of waiting)
      console.log(`  ${keyArgs[0]}: ${open(value.amount)} to ${value.beneficiary}`);
  } else if (over.type === "Approved") {
    const { block, result } = await dispatched;
    if (!result.success) fail(`it could not be carried out: ${inWords(result.value)}`);
    console.log(`carried out in block ${block.number}`);
    // The block may carry out others: ours is the last spend approved before the scheduler says that ours is done.
    const events = (await query.System.Events.getValue({ at: block.hash })).map(({ event }) => event);
    const done = events.findIndex(({ type, value }) => type === "Scheduler" && value.value.id === id);
    const spend = find(events.slice(0, done).reverse(), "Treasury", "AssetSpendApproved");
    if (spend) await payout(spend.index);
    if (command === "upgrade") console.log("anybody sends the blob now, on the web app's page Governance");
  }
  await clear(index, over, preimage);
  return over.type;
}

/** Has a spend paid; anybody may. */
async function payout(index) {
  const spend =
    (await query.Treasury.Spends.getValue(index)) ?? fail(`there is no spend ${index}, or it is over`);
  await send(tx.Treasury.payout({ index }));
  const { amount, beneficiary } = spend;
  console.log(
    `spend ${index}: ${open(amount)} paid to ${beneficiary}, who has ${open(await freeOf(beneficiary))} free`,
  );
}

/** Has deposits given back, to whoever paid them, and takes one's own vote and preimage back. */
async function clear(index, { type, value }, preimage) {
  const [, submission, decision] = type === "Killed" ? [] : value;
  const calls = [];
  const words = [];
  const back = (what, { amount, who }, call) => {
    calls.push(call);
    words.push(`back to ${who}: ${open(amount)}, ${what}`);
  };
  if (decision) back("decision deposit", decision, tx.Referenda.refund_decision_deposit({ index }));
  // What was refused has cost its submission deposit.
  if (submission && (type === "Approved" || type === "Cancelled"))
    back("submission deposit", submission, tx.Referenda.refund_submission_deposit({ index }));
  const noted = preimage && (await query.Preimage.RequestStatusFor.getValue(preimage))?.value;
  const [who, amount] = noted?.ticket ?? noted?.maybe_ticket ?? [];
  if (who === me) back("preimage", { who, amount }, tx.Preimage.unnote_preimage({ hash: preimage }));
  for (const { id } of tracks) {
    const { type: kind, value: own } = await query.ConvictionVoting.VotingFor.getValue(me, id);
    const voted = kind === "Casting" && own.votes.some(([poll]) => poll === index);
    if (voted) calls.push(tx.ConvictionVoting.remove_vote({ class: id, index }));
    // Frees what is due, of this vote or of an earlier one that was taken back.
    if (voted || own.prior[1])
      calls.push(tx.ConvictionVoting.unlock({ class: id, target: { type: "Id", value: me } }));
  }
  if (calls.length) await send(...calls);
  for (const line of words) console.log(line);
  for (const [track, locked] of await query.ConvictionVoting.ClassLocksFor.getValue(me)) {
    const { prior } = (await query.ConvictionVoting.VotingFor.getValue(me, track)).value;
    const until = prior[1] ? `until block ${prior[0]}; \`finish ${index}\` frees it then` : "for other votes";
    console.log(`${open(locked)} of ${me} stays locked ${until}`);
  }
}

if (command === "payout") await payout(number(rest[0]));
else if (command === "vote") await vote(number(rest[0]));
else if (command === "finish") await finish(number(rest[0]), rest[1]);
else {
  const { index, preimage } = await submit(await proposal());
  if (votes) await vote(index);
  console.log(`whoever stops here goes on with: ${["finish", index, preimage].join(" ").trim()}`);
  const end = await finish(index, preimage);
  if (end !== "Approved") fail(`referendum ${index} was not approved`);
}
client.destroy();
process.exit(0);
