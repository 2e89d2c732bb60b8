"""mcp 2 for Python, by the revision without sessions and by the handshake. Arguments as for client.mjs."""

import asyncio
import sys

from mcp import Client

address, datanet, account = sys.argv[1], int(sys.argv[2]), sys.argv[3]


async def talk(client):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert len(tools) == 13, tools.keys()
    for tool in tools.values():
        assert tool.annotations.read_only_hint and not tool.annotations.destructive_hint, tool
        assert tool.output_schema["type"] == "object", tool

    async def call(name, **given):
        result = await client.call_tool(name, given)
        assert not result.is_error, (name, result)
        return result.structured_content

    found = await call("searchDocumentation", query="quota of files a day")
    page = await call("getPage", url=found["results"][0]["url"])
    assert len(page["markdown"]) > 100, page
    answer = await call("askQuestion", question="Who can see my files?")
    assert answer["answered"] and answer["sources"], answer
    assert (await call("getDatanet", datanet=datanet))["id"] == datanet
    prepared = await call("prepareFunding", account=account, datanet=datanet, amount="1.5 OPEN")
    assert prepared["cost"]["spent"] == "1500000000000000000", prepared
    assert prepared["arguments"]["amount"] == "1500000000000000000", prepared
    refused = await client.call_tool("getJob", {"job": 999})
    assert refused.is_error and "there is no job 999" in refused.content[0].text, refused


async def main():
    for mode, revision in (("auto", "2026-07-28"), ("legacy", "2025-11-25")):
        async with Client(address, mode=mode) as client:
            assert client.protocol_version == revision, (mode, client.protocol_version)
            await talk(client)
            print(f"mcp for Python, {mode}: {client.protocol_version}")


asyncio.run(main())
