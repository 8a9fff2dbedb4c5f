#!/usr/bin/env python3
"""What an Online Retail file adds up to, computed apart from the importer so that a test can compare the two.

Usage: tools/online_retail_sums.py FILE  →  one JSON object:

  invoices, lines   how many there are
  units             SKU → units that came in, units that went out (sold, or adjusted)
  opening           SKU → the least to begin with so that it never goes under zero (those that need any)
  money             month → country → goods, charges, credits, fees, bad_debt (what the shop gets is positive)
  total             everything together, which is the file's own total: quantity × price, each line to the penny
"""

import csv
import decimal
import gzip
import json
import sys
from collections import defaultdict
from decimal import Decimal

FEES = {"AMAZONFEE", "BANK CHARGES", "CRUK"}
CHARGES = {"POST", "DOT", "C2", "C3", "M", "m", "S", "D", "ADJUST", "ADJUST2", "TEST001", "TEST002", "GIFT"}
PENNY = Decimal("0.01")


def is_charge(sku):
    return sku in CHARGES or sku.startswith("gift_")


def rows(path):
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    opener = gzip.open if packed else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for invoice, sku, _, quantity, time, price, customer, country in reader:
            yield invoice, sku, int(quantity), time, Decimal(price), customer, country


def category(invoice, sku, quantity):
    if invoice.startswith("A") or sku == "B":
        return "bad_debt"
    if sku in FEES:
        return "fees"
    if quantity < 0:
        return "credits"
    return "charges" if is_charge(sku) else "goods"


def main(path):
    lines = list(rows(path))
    begins = {}
    for invoice, _, _, time, _, _, _ in lines:
        begins[invoice] = min(time, begins.get(invoice, time))

    units = defaultdict(lambda: [0, 0])
    movements = defaultdict(list)
    money = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    total = Decimal(0)
    for invoice, sku, quantity, _, price, _, country in lines:
        amount = (quantity * price).quantize(PENNY, decimal.ROUND_HALF_UP)  # half away from zero
        total += amount
        if amount:
            money[begins[invoice][:7]][country][category(invoice, sku, quantity)] += amount
        if not (sku in FEES or is_charge(sku) or sku == "B" or invoice.startswith("A")):
            # Here a positive quantity leaves, unless it is a find: price 0, for nobody.
            movements[sku].append((begins[invoice], invoice, quantity, price))

    adjusted = {(i, s, q) for i, s, q, _, p, c, _ in lines if p == 0 and not c}
    opening = {}
    for sku, moves in movements.items():
        changes = []
        for time, invoice, quantity, price in moves:
            is_adjustment = price == 0 and (invoice, sku, quantity) in adjusted
            change = quantity if is_adjustment else -quantity
            units[sku][0 if change > 0 else 1] += abs(change)
            changes.append((time, invoice, change < 0, change))
        level = lowest = 0
        for *_, change in sorted(changes):
            level += change
            lowest = min(lowest, level)
        if lowest < 0:
            opening[sku] = -lowest

    json.dump(
        {
            "invoices": len(begins),
            "lines": len(lines),
            "units": {sku: units[sku] for sku in sorted(units)},
            "opening": {sku: opening[sku] for sku in sorted(opening)},
            "money": {
                month: {
                    country: {name: str(amount) for name, amount in sorted(parts.items())}
                    for country, parts in sorted(countries.items())
                }
                for month, countries in sorted(money.items())
            },
            "total": str(total),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
