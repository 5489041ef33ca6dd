# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks lines of the control protocol against the schema in the package.

control_schema.py SCHEMA     reads lines "KIND<tab>JSON" (request, reply, status), names each that is wrong, says
                             how many there were, and exits 1 if any is wrong or there is none.

The schema lets a companion say more than it knows, as every reader has to. A test is to notice what is not
written down, so Schema(path) closes it: a member or a word that it does not name is wrong. Schema(path,
closed=False) is what everybody else gets.
"""
import copy
import json
import sys

import jsonschema


def close(part):
    """The same schema without room for what may come later."""
    if isinstance(part, list):
        return [close(one) for one in part]
    if not isinstance(part, dict):
        return part
    closed = {name: close(value) for name, value in part.items()}
    # "properties" alone names members for a condition; an object's own has a type beside it.
    if "properties" in closed and closed.get("type") == "object" and "then" not in closed or "status" in closed.get(
            "properties", {}):
        closed.setdefault("additionalProperties", False)
    if "x-words" in closed:
        closed["enum"] = closed["x-words"]
    return closed


class Schema:
    def __init__(self, path, closed=True):
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        schema = close(schema) if closed else schema
        self.validators = {}
        for kind in ("request", "reply", "status"):
            whole = copy.deepcopy(schema)
            del whole["oneOf"]
            whole["$ref"] = f"#/$defs/{kind}"
            self.validators[kind] = jsonschema.Draft202012Validator(whole)

    def problem(self, kind, document):
        """What is wrong with it, or None."""
        for error in self.validators[kind].iter_errors(document):
            return f"{'/'.join(str(step) for step in error.absolute_path) or kind}: {error.message}"
        return None


def main():
    schema = Schema(sys.argv[1])
    wrong = 0
    counts = {}
    for line in sys.stdin:
        kind, _, text = line.rstrip("\n").partition("\t")
        counts[kind] = counts.get(kind, 0) + 1
        try:
            problem = schema.problem(kind, json.loads(text))
        except ValueError as error:
            problem = f"no JSON: {error}"
        if problem:
            wrong += 1
            print(f"wrong {kind}: {problem}: {text}")
    print(" ".join(f"{kind} {count}" for kind, count in sorted(counts.items())))
    return 1 if wrong or not counts else 0


if __name__ == "__main__":
    sys.exit(main())
