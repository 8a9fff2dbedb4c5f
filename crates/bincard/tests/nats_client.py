#!/usr/bin/env python3
"""A client that knows the contract and NATS, and nothing else of Bincard: nats_client.py NATS_URL.

Sends a small business, each command twice, and prints {"replies": {id: first reply}, "rows": …, "duplicates": how many
commands the ledger knew already}. A second run must print the same but for the duplicates.
"""

import asyncio
import json
import sys

import nats

COMMANDS = [
    ("ams1", "locations.define", {"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"}),
    (
        "web",
        "channels.define",
        {
            "channel": "web",
            "name": "Web shop",
            "kind": "web",
            "settlement": "prepaid",
            "oversell": "refuse",
            "partial_shipment": "allowed",
            "locations": ["AMS1"],
        },
    ),
    ("ada", "customers.define", {"customer": "ada", "country": "NL"}),
    ("tea", "items.define", {"sku": "TEA-01", "name": "Green tea", "kind": "stocked", "costing": "fifo"}),
    ("tea-on", "items.activate", {"sku": "TEA-01"}),
    ("in-1", "stock.receive", {"sku": "TEA-01", "location": "AMS1", "quantity": 10, "unit_cost": "2.55"}),
    (
        "o-1/place",
        "orders.place",
        {
            "order": "o-1",
            "channel": "web",
            "customer": "ada",
            "destination": {"country": "NL"},
            "lines": [{"sku": "TEA-01", "quantity": 3, "price": "4.50"}],
        },
    ),
    ("o-1/capture", "payments.capture", {"payment": "p-1", "order": "o-1", "amount": "13.50"}),
    ("o-1/plan", "fulfilment.plan", {"shipment": "s-1", "order": "o-1"}),
    ("o-1/pick", "fulfilment.pick", {"shipment": "s-1"}),
    ("o-1/pack", "fulfilment.pack", {"shipment": "s-1"}),
    ("o-1/ship", "fulfilment.ship", {"shipment": "s-1"}),
]


async def main(url):
    connection = await nats.connect(url)

    async def ask(subject, body, headers=None):
        reply = await connection.request(subject, json.dumps(body).encode(), timeout=30, headers=headers)
        return json.loads(reply.data)

    async def command(command_id, name, body):
        return await ask(f"bincard.main.command.{name}", body, {"Bincard-Command-Id": command_id})

    replies, duplicates, position = {}, 0, None
    for command_id, name, body in COMMANDS:
        reply = await command(command_id, name, body)
        assert reply["status"] == "accepted", (command_id, reply)
        duplicates += reply.pop("duplicate", False)
        replies[command_id] = reply
        position = reply["position"]
        repeated = await command(command_id, name, body)
        assert repeated.pop("duplicate") is True, repeated
        assert repeated == reply, (repeated, reply)

    # Its own writes are read, whatever the views are doing meanwhile.
    stock = await ask("bincard.main.query.stock_position", {"filter": {"sku": "TEA-01"}, "min_position": position})
    assert [(row["status"], row["quantity"]) for row in stock["rows"]] == [("available", 7)], stock
    order = await ask("bincard.main.query.order", {"filter": {"order": "o-1"}})
    balance = await ask("bincard.main.query.trial_balance", {})
    rows = {"stock": stock["rows"], "order": order["rows"], "balance": balance["rows"]}

    # 2.550 is 2.55, so it is the same command; another quantity is not.
    same = {**COMMANDS[5][2], "unit_cost": "2.550"}
    assert (await command("in-1", "stock.receive", same))["duplicate"] is True
    other = await command("in-1", "stock.receive", {**COMMANDS[5][2], "quantity": 11})
    assert (other["status"], other["code"]) == ("conflict", "command_id_reused"), other

    # The business says no, with its figures, and nothing is recorded.
    many = {"sku": "TEA-01", "location": "AMS1", "quantity": 100}
    refused = await command("too-many", "stock.reserve", many)
    assert (refused["status"], refused["code"]) == ("rejected", "not_enough_available"), refused
    assert (refused["details"]["available"], refused["details"]["wanted"]) == (7, 100), refused

    # A typo is named, not ignored.
    typo = await command("typo", "stock.receive", {**COMMANDS[5][2], "quantitty": 1})
    assert (typo["status"], typo["code"], typo["path"]) == ("invalid", "unknown_field", "/quantitty"), typo

    # NATS' own tools see the service.
    info = await ask("$SRV.INFO", {})
    assert any(endpoint["subject"] == "bincard.main.command.orders.place" for endpoint in info["endpoints"]), info

    await connection.close()
    json.dump({"replies": replies, "rows": rows, "duplicates": duplicates}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
