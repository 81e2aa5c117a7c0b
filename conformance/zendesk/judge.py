"""Judges an answer by what is expected of it, and shows of every expectation that it can be missed.

What may stand in an expectation is told in run.py.
"""
import copy
import json
import re

FORMS = {
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,2}[1-9])?Z",
    "seconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "hex64": r"[0-9a-f]{64}",
    "hex10": r"[0-9a-f]{10}",
    "pem": r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END PUBLIC KEY-----\n",
    "digits": r"[1-9]\d*",
    "text": r"(?s:.+)",
    "opaque": r"[A-Za-z0-9_-]{20,}",
    "number": None,
    "anything": None,
}
FORM = re.compile(r"<(%s)(?: (\w+))?(?: > (\w+))?>" % "|".join(FORMS))
ANYTHING = "<...>"


class Wrong(Exception):
    pass


def filled(text, names):
    """`text` with what is known in place of names."""
    try:
        return re.sub(r"\$\{(\w+)\}", lambda match: str(names[match[1]]), text)
    except KeyError as error:
        raise Wrong(f"nothing is known by the name {error}") from None


def match(expected, found, names, where):
    """Raises Wrong unless `found` is what is expected; what it brings is kept in `names`."""
    if isinstance(expected, str) and (form := FORM.fullmatch(expected)):
        return match_form(form, found, names, where)
    if isinstance(expected, str) and FORM.search(expected) and isinstance(found, str):
        return match_parts(expected, found, names, where)
    if isinstance(expected, str):
        expected = filled(expected, names)
    if type(expected) is not type(found):
        raise Wrong(f"{where} is {found!r}, not {expected!r}")
    if isinstance(expected, dict):
        members = [filled(name, names) for name in expected]
        if members != list(found):
            raise Wrong(f"{where} has the members {list(found)}, not {members}")
        for name, value in zip(members, expected.values()):
            match(value, found[name], names, f"{where}.{name}")
    elif isinstance(expected, list):
        match_list(expected, found, names, where)
    elif expected != found:
        raise Wrong(f"{where} is {found!r}, not {expected!r}")


def match_form(form, found, names, where):
    kind, name, older = form.groups()
    pattern = FORMS[kind]
    if kind == "anything":
        fits = True
    elif kind == "number":
        fits = type(found) is int
    else:
        fits = isinstance(found, str) and re.fullmatch(pattern, found)
    if fits:
        if name and names.setdefault(name, found) != found:
            raise Wrong(f"{where} is {found!r}, not {names[name]!r}, the {name} of before")
        if older and not moment(found) > moment(names[older]):
            raise Wrong(f"{where} is {found!r}, not later than {names[older]!r}")
    else:
        raise Wrong(f"{where} is {found!r}, which is no {kind}")


def match_parts(expected, found, names, where):
    """A text that has forms in it; they bring nothing that was known before."""
    texts, forms = FORM.sub("\0", expected).split("\0"), list(FORM.finditer(expected))
    parts = [f"(?P<{form[2] or f'_{number}'}>{FORMS[form[1]]})" for number, form in enumerate(forms)]
    texts = [re.escape(filled(text, names)) for text in texts]
    found_parts = re.fullmatch("".join(text + part for text, part in zip(texts, [*parts, ""])), found)
    if not found_parts:
        raise Wrong(f"{where} is {found!r}, not {expected!r}")
    names.update(found_parts.groupdict())


def moment(text):
    """A time as something to compare: fractions have as many digits as they need."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return whole, fraction.ljust(9, "0")


def match_list(expected, found, names, where):
    if ANYTHING not in expected:
        if len(expected) != len(found):
            raise Wrong(f"{where} has {len(found)} items, not {len(expected)}: {found!r}")
        for number, (one, other) in enumerate(zip(expected, found)):
            match(one, other, names, f"{where}[{number}]")
        return
    rest = iter(found)
    for one in (one for one in expected if one != ANYTHING):
        for other in rest:
            try:
                trial = dict(names)
                match(one, other, trial, where)
                names.update(trial)
                break
            except Wrong:
                continue
        else:
            raise Wrong(f"{where} has nothing like {one!r}: {found!r}")


def judge(exchange, answer, names):
    """Raises Wrong unless the answer is the exchange's; `names` learns from it."""
    status, headers, body = answer
    if status != exchange["status"]:
        raise Wrong(f"the status is {status}, not {exchange['status']}; the body is {body!r}")
    expected = {"content-type": "application/json" if exchange["body"] else ""} | exchange["headers"]
    for name, value in expected.items():
        match(value, headers.get(name.lower(), ""), names, f"the header {name}")
    if not exchange["body"]:
        if body:
            raise Wrong(f"there is a body: {body!r}")
        return
    try:
        found = json.loads(body)
    except ValueError:
        raise Wrong(f"the body is no JSON: {body!r}") from None
    match(json.loads(exchange["body"]), found, names, "the body")


# --------------------------------------------------------------------------------------- trying the judge itself


def altered(value):
    """`value` altered in one place, in every way."""
    if isinstance(value, dict):
        yield value | {"surplus": None}
        for name in value:
            yield {key: other for key, other in value.items() if key != name}
            yield from (value | {name: other} for other in altered(value[name]))
        if len(value) > 1:
            yield dict(reversed(value.items()))
    elif isinstance(value, list):
        if ANYTHING not in value:
            yield value + [None]
        for number, item in enumerate(value):
            yield from ([*value[:number], other, *value[number + 1 :]] for other in altered(item))
    elif value != ANYTHING:
        form = isinstance(value, str) and FORM.fullmatch(value)
        if form and form[3]:
            yield f"<{form[1]} {form[2]} > {form[2]}>"  # nothing is later than itself
        if not form and isinstance(value, str):
            yield value + "!"
        if type(value) is int:
            yield value + 1
        yield "<number>" if isinstance(value, str) and not (form and form[1] == "number") else "<text>"


def try_judge(exchange, answer, names):
    """Raises Wrong where the judge takes the answer for another exchange's."""
    others = [exchange | {"status": exchange["status"] + 1}]
    headers = exchange["headers"]
    others += [exchange | {"headers": headers | {name: other}} for name in headers for other in altered(headers[name])]
    if exchange["body"]:
        others += [exchange | {"body": json.dumps(body)} for body in altered(json.loads(exchange["body"]))]
    for other in others:
        try:
            judge(other, answer, copy.copy(names))
        except Wrong:
            continue
        shown = f"{other['status']} {other['headers']} {other['body']}"
        raise Wrong(f"the judge takes it for something else as well: {shown}")
    return len(others)
