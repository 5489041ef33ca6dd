#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The schema of the control protocol against what the encoders write and the parsers take.

control_schema_test.py SCHEMA SAMPLES    SAMPLES is the program control_samples

Every line that is written is right, and every one of its mutations is wrong: without a member that is always
there, with a member of another type, with one that nobody knows. The parsers agree: a request that is wrong by
the schema is refused and no other; what a companion says is read whenever it is right by the schema as it is
published, which lets it say more.
"""
import copy
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "probes"))
import control_schema  # noqa: E402

# What is always there, said once more: what goes missing in the schema is missed here.
ALWAYS = {
    "request": {"command"},
    "answer": {"command", "question_id"},
    "reply": {"ok", "status"},
    "refusal": {"ok", "status", "error", "hint"},
    "status": {"profile", "state", "since", "pid", "tunnel_type", "device", "addresses", "dns", "endpoint",
               "endpoint_name", "mtu", "error", "hint", "attempt"},
    "question": {"id", "text", "wants_user_name", "wants_password"},
    "left_out": {"file", "directive", "lines", "reason", "severity"},
}
KNOWN_WORDS = {"state", "tunnel_type", "severity"}

failures = 0


def check(what, problems):
    global failures
    print(f"{'not ok' if problems else 'ok'} - {what}")
    for problem in problems[:5]:
        print(f"#   {problem}")
    failures += bool(problems)


def parts(kind, document):
    """(what it is, path to it) of the document and of each object in it."""
    if kind == "request":
        yield ("answer" if document["command"] == "answer" else "request"), []
    elif kind == "reply":
        yield ("reply" if document["ok"] else "refusal"), []
        yield from ((name, ["status", *path]) for name, path in parts("status", document["status"]))
    else:
        yield "status", []
        if "question" in document:
            yield "question", ["question"]
        yield from (("left_out", ["left_out", i]) for i in range(len(document.get("left_out", []))))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def mutations(kind, document):
    """(what was done, the mutated document, whether it is more than a later version could say)"""
    for name, path in parts(kind, document):
        for member, value in at(document, path).items():
            if member in ALWAYS[name]:
                mutated = copy.deepcopy(document)
                del at(mutated, path)[member]
                yield f"{name} without {member}", mutated, True
            for wrong in ([{}], 1.5, None, "x" if not isinstance(value, str) else 7):
                mutated = copy.deepcopy(document)
                at(mutated, path)[member] = wrong
                yield f"{name} with {member} = {wrong!r}", mutated, True
            if member in KNOWN_WORDS:
                mutated = copy.deepcopy(document)
                at(mutated, path)[member] = "hibernating"
                yield f"{name} with another {member}", mutated, False
        mutated = copy.deepcopy(document)
        at(mutated, path)["tea"] = 1
        yield f"{name} with another member", mutated, kind == "request"
    if kind == "reply" and "features" in document["status"]:
        mutated = copy.deepcopy(document)
        mutated["status"]["features"].append("tea")
        yield "another feature", mutated, False
    if kind == "request":
        yield "another command", {**document, "command": "explode"}, True
        for secret in ("user_name", "password", "response"):
            for text in ("a\n", "\x00", "a\x7f", "\x1b[m"):
                yield f"{secret} with a control character", {**document, secret: text}, True


def taken(program, lines):
    text = "".join(f"{kind}\t{json.dumps(document, ensure_ascii=False)}\n" for kind, document in lines)
    result = subprocess.run([program, "parse"], input=text, capture_output=True, text=True, check=True)
    answers = result.stdout.split()
    assert len(answers) == len(lines), (len(answers), len(lines))
    return [answer == "ok" for answer in answers]


def main():
    path, program = sys.argv[1:]
    closed = control_schema.Schema(path)
    published = control_schema.Schema(path, closed=False)
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    samples = [(kind, json.loads(text)) for kind, text in (line.split("\t") for line in output.splitlines())]
    check("there are samples of all kinds", [kind for kind in ("request", "reply", "status")
                                             if kind not in {one for one, _ in samples}])
    check("what is written is right", [f"{closed.problem(*sample)}: {sample}" for sample in samples
                                       if closed.problem(*sample) or published.problem(*sample)])
    check("what is written is read", [str(sample) for sample, read in zip(samples, taken(program, samples)) if not read])

    mutated = [(kind, document, what, wrong) for kind, sample in samples
               for what, document, wrong in mutations(kind, sample)]
    print(f"# {len(samples)} samples, {len(mutated)} mutations")
    check("every mutation is wrong", [what for kind, document, what, _ in mutated if not closed.problem(kind, document)])
    check("as published, what a later version could say is right and the rest is wrong",
          [what for kind, document, what, wrong in mutated if bool(published.problem(kind, document)) != wrong])
    read = taken(program, [(kind, document) for kind, document, _, _ in mutated])
    check("a request that is wrong is refused",
          [what for (kind, _, what, _), is_read in zip(mutated, read) if kind == "request" and is_read])
    check("what is right as published is read",
          [what for (_, _, what, wrong), is_read in zip(mutated, read) if not wrong and not is_read])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
