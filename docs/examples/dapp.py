"""Reads a Datanet and its board, submits a file without a fee, follows the events until the file has a
verdict, and says why.

Usage: OPENLEDGER_SECRET=//Dave python3 dapp.py ws://127.0.0.1:9944 DATANET
"""

import hashlib
import os
import sys
from time import time

from substrateinterface import Keypair, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

node, datanet = sys.argv[1], int(sys.argv[2])


def say(*words):
    print(*words, flush=True)


# Connect. Calls, types and events come from the node's own metadata.
chain = SubstrateInterface(url=node)
me = Keypair.create_from_uri(os.environ["OPENLEDGER_SECRET"])
chain.init_runtime()
say("chain:", chain.chain, "spec version", chain.runtime_version)


def ask(method, *params):
    """A read-only method of the node: docs/json-rpc.md lists them."""
    return chain.rpc_request(method, list(params))["result"]


# Read: the Datanet from storage, its board in order of rank by JSON-RPC.
found = chain.query("Datanets", "Datanets", [datanet])
if found.value is None:
    raise SystemExit(f"there is no Datanet {datanet}")
say("Datanet:", found.value["name"], "owner", found.value["owner"])
for rank, entry in enumerate(ask("openledger_leaderboard", datanet, 10), 1):
    say("rank", rank, entry["account"], entry["points"], "points")

# A file: the chain gets its hash, size and format. Its bytes are for an IPFS node to serve.
text = f"The town hall opens at eight. Written at {time()} by {me.ss58_address}.\n".encode()
sha256 = hashlib.sha256(text).hexdigest()
# A file of at most 1 MiB is one raw block, whose content id has the same digest.
item = {"content": {"codec": "Raw", "digest": f"0x{sha256}"}, "sha256": f"0x{sha256}", "size": len(text), "media": "Txt"}
call = chain.compose_call("Datanets", "submit", {"datanet": datanet, "items": ([item],)})

# Submit. It costs no fee within the day's quota; a broken rule is answered by the pool.
def free():
    return chain.query("System", "Account", [me.ss58_address]).value["data"]["free"]


before = free()
receipt = chain.submit_extrinsic(chain.create_signed_extrinsic(call, me), wait_for_inclusion=True)
if not receipt.is_success:
    raise SystemExit(receipt.error_message)
say("submitted in block", chain.get_block_number(receipt.block_hash), "fee", before - free())

# The same again is refused, and `Custom error: 8` is a number of the table in docs/submissions.md.
try:
    chain.submit_extrinsic(chain.create_signed_extrinsic(call, me), wait_for_inclusion=True)
except SubstrateRequestException as error:
    say("again:", error.args[0]["data"])

# Follow the events of each new block until the file has a verdict.
number = next(
    event.value["attributes"]["submission"]
    for event in receipt.triggered_events
    if event.value["event_id"] == "Submitted"
)
say("submission", number, "sha256", sha256)


def events(header, *_):
    block = chain.get_block_hash(header["header"]["number"])
    for event in chain.get_events(block):
        it = event.value
        if (it["module_id"], it["event_id"]) == ("Review", "Decided") and it["attributes"]["submission"] == number:
            return it["attributes"]


verdict = chain.subscribe_block_headers(events)
say("verdict:", "accepted" if verdict["accepted"] else "not accepted")

# Why: reason, block and curators stand with the submission.
why = ask("openledger_submission", datanet, sha256)
say("why:", why["state"], why["reason"], why["explanation"], "in block", why["at"], "by", *why["judges"])
