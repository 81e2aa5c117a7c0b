"""AWS's test suite for Signature Version 4, in one file."""

import json
import re


def make(directory, path):
    cases = []
    for request in sorted(directory.rglob("*.req")):
        part = lambda end: request.with_suffix(end).read_text(encoding="utf-8").replace("\r", "")  # noqa: E731
        token = re.search(r"^x-amz-security-token:(.*)$", part(".creq"), re.MULTILINE)
        cases.append({
            "name": request.stem,
            "request": part(".req"),
            "token": token and token.group(1),
            "authorization": part(".authz"),
        })
    assert len(cases) == 34, len(cases)
    text = {"notice": (directory / "NOTICE").read_text().strip(), "cases": cases}
    path.write_text(json.dumps(text, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
