"""Judges recorded Bot API traffic by aiogram's models.

The fake Bot API of the tests is ours, and so is its idea of Telegram. aiogram's models are generated from the
official documentation by others: every update that the fake sent, every call that the program made and every
result that the fake returned must be valid by them, without unknown fields, and within the documented limits.

Input: a folder of JSON lines (see tests/common/fake_bot_api/traffic.rs). Exits 1 on any violation.
"""

import json
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import aiogram
from aiogram import methods
from aiogram.types import Message, Update, User, WebhookInfo
from pydantic import BaseModel, ValidationError

MAX_TEXT = 4096  # UTF-16 units, counted after the mark-up is taken out
MAX_DATA = 64  # bytes of callback_data
MAX_TOAST = 200


class Violation(Exception):
    """What is wrong with a record."""


class Visible(HTMLParser):
    """The text of an HTML message without its mark-up, by Python's own parser."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data)


def units(text):
    return len(text.encode("utf-16-le")) // 2


def check_fields(raw, parsed, path):
    """Where the models are lenient we are not: no unknown fields, no numbers in quotes."""
    if isinstance(parsed, BaseModel):
        if parsed.model_extra:
            raise Violation(f"{path} has unknown fields {sorted(parsed.model_extra)}")
        for name in parsed.model_fields_set:
            field = type(parsed).model_fields[name].alias or name
            check_fields(raw[field], getattr(parsed, name), f"{path}.{field}")
    elif isinstance(parsed, (list, tuple)):
        for number, (one, other) in enumerate(zip(raw, parsed, strict=True)):
            check_fields(one, other, f"{path}[{number}]")
    elif isinstance(parsed, (bool, int, float, str)) and not isinstance(raw, type(parsed)):
        raise Violation(f"{path} is {raw!r}, not of type {type(parsed).__name__}")


def validated(model, value):
    name = model.__name__
    try:
        result = model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Violation(f"{name}: {place}: {first['msg']}") from error
    check_fields(value, result, name)
    return result


def visible(body):
    text = body.get("text") or ""
    if body.get("parse_mode") != "HTML":
        return text
    parser = Visible()
    parser.feed(text)
    parser.close()
    return "".join(parser.parts)


def check_keyboard(markup):
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= MAX_DATA:
                raise Violation(f"callback_data of {len(data.encode())} bytes")


def check_entities(message):
    length = units(message.get("text") or "")
    for entity in message.get("entities", []):
        if entity["length"] < 1 or entity["offset"] + entity["length"] > length:
            raise Violation(f"entity {entity['type']} reaches beyond the text")


def check_call(record):
    method, body = record["method"], record["body"]
    model = getattr(methods, method[:1].upper() + method[1:], None)
    if model is None:
        raise Violation(f"no method {method}")
    validated(model, body)
    check_keyboard(body.get("reply_markup"))
    if method in ("sendMessage", "editMessageText") and not 1 <= units(visible(body)) <= MAX_TEXT:
        raise Violation(f"text of {units(visible(body))} units")
    if method == "answerCallbackQuery" and units(body.get("text") or "") > MAX_TOAST:
        raise Violation("toast too long")
    for command in body.get("commands", []):
        name = command["command"].removeprefix("/")
        if not (1 <= len(name) <= 32 and name.replace("_", "a").isalnum() and name == name.lower()):
            raise Violation(f"command {name!r}")
        if not 1 <= len(command["description"]) <= 256:
            raise Violation(f"description of {name!r}")
    if record["accepted"]:
        check_result(method, body, record["result"])


def check_result(method, body, result):
    if method in ("sendMessage", "editMessageText", "editMessageReplyMarkup"):
        validated(Message, result)
        check_entities(result)
        check_keyboard(result.get("reply_markup"))
        if result["chat"]["id"] != body["chat_id"]:
            raise Violation("the message returned is of another chat")
        if "text" in body and result["text"] != visible(body).rstrip():
            raise Violation("the message returned has another text")
    elif method == "getMe":
        validated(User, result)
    elif method == "getWebhookInfo":
        validated(WebhookInfo, result)
    elif method != "getUpdates" and result is not True:
        raise Violation(f"{method} returns {result!r}")


def check_update(update):
    parsed = validated(Update, update)
    if len(parsed.model_fields_set) != 2:
        raise Violation("an update has an id and one content")
    message = update.get("message") or update.get("callback_query", {}).get("message") or {}
    check_entities(message)


def check(record):
    if record["record"] == "update":
        check_update(record["update"])
        return "updates"
    check_call(record)
    return f"{record['method']} {'accepted' if record['accepted'] else 'refused'}"


def is_of_the_future(record):
    """One test sends a kind of update that nobody knows yet, on purpose."""
    return record["record"] == "update" and "a_kind_of_the_future" in record["update"]


def must_be_refused():
    """Broken records: were one of them let through, the rest would prove nothing."""
    chat = {"id": 1, "type": "private", "first_name": "a"}
    message = {"message_id": 1, "date": 1, "chat": chat, "text": "x"}
    send = {"record": "call", "method": "sendMessage", "accepted": True, "result": message}

    def sent(**body):
        return {**send, "body": {"chat_id": 1, "text": "x", **body}}

    def button(**fields):
        return sent(reply_markup={"inline_keyboard": [[{"text": "a", **fields}]]})

    good = [sent(), button(callback_data="d" * 64), {"record": "update", "update": {"update_id": 1, "message": message}}]
    for record in good:
        check(record)
    broken = {
        "an update without id": {"record": "update", "update": {"message": message}},
        "an update without content": {"record": "update", "update": {"update_id": 1}},
        "an id in quotes": {"record": "update", "update": {"update_id": "1", "message": message}},
        "a message without date": {"record": "update", "update": {"update_id": 1, "message": {**message, "date": None}}},
        "an unknown kind": {"record": "update", "update": {"update_id": 1, "massage": message}},
        "an unknown field": {"record": "update", "update": {"update_id": 1, "message": {**message, "texts": "x"}}},
        "an unknown method": {**send, "method": "sendMassage", "body": {}},
        "an unknown parameter": sent(text_mode="HTML"),
        "a text that is missing": {**send, "body": {"chat_id": 1}},
        "a text of 4,097 units": sent(text="𠀀" * 2048 + "x"),
        "callback_data of 65 bytes": button(callback_data="d" * 65),
        "a button without words": sent(reply_markup={"inline_keyboard": [[{"callback_data": "d"}]]}),
        "a result without chat": {**sent(), "result": {"message_id": 1, "date": 1, "text": "x"}},
        "a result with another text": sent(text="y"),
    }
    for name, record in broken.items():
        try:
            check(record)
        except Violation:
            continue
        sys.exit(f"self-test: {name} was let through")
    return len(broken)


def main(folder):
    refused = must_be_refused()
    counts, violations, skipped = Counter(), [], 0
    files = sorted(Path(folder).glob("*.jsonl"))
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = json.loads(line)
                if is_of_the_future(record):
                    skipped += 1
                    continue
                try:
                    counts[check(record)] += 1
                except Violation as violation:
                    violations.append(f"{file.name}:{number}: {violation}")
    print(f"aiogram {aiogram.__version__}: {len(files)} files, {sum(counts.values())} records valid:")
    for kind, count in sorted(counts.items()):
        print(f"  {count:6} {kind}")
    print(f"self-test: {refused} broken records refused; {skipped} updates of a future kind left out")
    for violation in violations[:50]:
        print(violation, file=sys.stderr)
    if violations:
        sys.exit(f"{len(violations)} violations")
    if not counts:
        sys.exit(f"no traffic in {folder}: run cargo test first")


if __name__ == "__main__":
    main(sys.argv[1])
