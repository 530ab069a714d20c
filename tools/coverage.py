#!/usr/bin/env python3
"""Writes docs/coverage.md: every operation of the API models, and whether Sampan does it.

    tools/coverage.py           writes the page
    tools/coverage.py --check   fails when the page is not what it would write

An operation works when a header under src/ overrides it in a class that derives from its service's generated
interface. Those that are only kept and given back, without an effect yet, are listed by hand in
docs/stored-only.txt, a line each: `service Operation` for the whole of it, `service Operation what` for some members.
"""

import argparse
import json
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
TITLES = {
    "ecs": "Amazon ECS",
    "ecr": "Amazon ECR",
    "elbv2": "Elastic Load Balancing v2",
    "logs": "CloudWatch Logs",
    "secretsmanager": "Secrets Manager (no rotation, replicas or policies)",
    "sts": "Security Token Service",
    "iam": "Identity and Access Management (users, groups, roles, policies)",
    "ec2": "Amazon EC2 (the calls that ECS needs)",
}
CLASS = re.compile(r"\bclass\s+\w+\s+(?:final\s*)?:\s*public\s+(?:\w+::)*?(\w+)::Service(?:Api)?\s*\{(.*?)\n\};", re.S)
MACRO = re.compile(r"#define\s+(\w+)\(\w+\)(?:[^\n]*\\\n)*[^\n]*\boverride\b")
OVERRIDE = re.compile(r"\b(\w+)\s*\([^;{}]*?\)\s*override", re.S)


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def overridden():
    """service -> operations that some header overrides."""
    found = {}
    for header in sorted((ROOT / "src").glob("*/*.h")):
        text = without_comments(header.read_text())
        for service, body in CLASS.findall(text):
            names = found.setdefault(service, set())
            names.update(OVERRIDE.findall(body))
            for macro in MACRO.findall(body):  # one that declares an override of the name it is given
                names.update(re.findall(rf"\b{macro}\((\w+)\)", body))
    return found


def stored_only():
    """(service, operation) -> which of its members are only stored; "" for the whole operation."""
    path = ROOT / "docs" / "stored-only.txt"
    pairs = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        line = line.split("#")[0].strip()
        if line:
            service, operation, *what = line.split(maxsplit=2)
            pairs[service, operation] = what[0] if what else ""
    return pairs


def statuses():
    """service -> {operation: status}, services in the order of the page."""
    done, stored = overridden(), stored_only()
    table = {}
    for service in TITLES:
        model = json.loads((ROOT / "models" / f"{service}.json").read_text())
        rows = {}
        for operation in model["operations"]:
            works = operation in done.get(service, ())
            rows[operation] = "absent" if not works else \
                "stored only" if stored.get((service, operation)) == "" else "works"
        table[service] = rows
    for service, operation in sorted(stored):
        if table.get(service, {}).get(operation, "absent") == "absent":
            sys.exit(f"docs/stored-only.txt: {service} {operation} is no operation that is answered")
    return table


def count(rows, status):
    return sum(1 for value in rows.values() if value == status)


def names(rows, status):
    text = ", ".join(f"`{operation}`" for operation, value in rows.items() if value == status)
    return "\n".join(textwrap.wrap(text, 108, break_long_words=False, break_on_hyphens=False))


def render(table):
    out = ["# What of the AWS APIs works", "",
           "Written by `tools/coverage.py` from the API models and the code: do not edit. *Works*: it does what AWS's",
           "does. *Stored only*: it is taken, kept and given back, and has no further effect yet. *Absent*: it answers",
           "`NotImplemented` (HTTP 501).", "",
           "| service | operations | works | stored only | absent |", "| --- | ---: | ---: | ---: | ---: |"]
    total = {}
    for service, rows in table.items():
        counts = [len(rows)] + [count(rows, status) for status in ("works", "stored only", "absent")]
        total[service] = counts
        out.append(f"| {TITLES[service]} | " + " | ".join(map(str, counts)) + " |")
    sums = [sum(column) for column in zip(*total.values())]
    out.append("| **all** | " + " | ".join(f"**{value}**" for value in sums) + " |")
    for service, rows in table.items():
        out += ["", f"## {TITLES[service]}", ""]
        for status, title in (("works", "Works"), ("stored only", "Stored only"), ("absent", "Absent")):
            if count(rows, status):
                out += [f"**{title}**", "", names(rows, status), ""]
        partly = {operation: what for (owner, operation), what in stored_only().items() if owner == service and what}
        if partly:
            out += ["**Works, but stores only**", "", *(f"- `{operation}`: {what}" for operation, what in sorted(partly.items())), ""]
        out.pop()
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when docs/coverage.md is stale")
    arguments = parser.parse_args()
    page = ROOT / "docs" / "coverage.md"
    text = render(statuses())
    if arguments.check:
        if not page.exists() or page.read_text() != text:
            sys.exit("docs/coverage.md is stale: run tools/coverage.py")
        return
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)


if __name__ == "__main__":
    main()
