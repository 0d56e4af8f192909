"""Holds events (NDJSON on stdin) against their JSON Schemas and the CloudEvents SDK.

usage: validate_events.py FOLDER        with one file TYPE.json for each type, as `millrace schema TYPE` prints it

Prints the number of events; exits 1 with a line for each that is not valid.
"""

import json
import pathlib
import sys

import jsonschema
from cloudevents.core.formats.json import JSONFormat


def problems(line, schemas):
    event = json.loads(line)
    schema = schemas.get(event.get("type"))
    if schema is None:
        return [f"no schema for the type {event.get('type')!r}"]
    found = [f"{error.json_path}: {error.message}" for error in schema.iter_errors(event)]
    parsed = JSONFormat().read(None, line)
    for name in ("id", "source", "type", "specversion", "subject"):
        if parsed.get_attributes()[name] != event[name]:
            found.append(f"{name} is read as {parsed.get_attributes()[name]!r}")
    if parsed.get_data() != event["data"]:
        found.append("data is read as something else")
    return found


def main():
    schemas = {}
    for path in pathlib.Path(sys.argv[1]).glob("*.json"):
        schema = json.loads(path.read_text())
        if schema.get("$schema") != "https://json-schema.org/draft/2020-12/schema":
            sys.exit(f"{path.name}: not a schema of draft 2020-12")
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[path.stem] = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
    count, bad = 0, 0
    for line in sys.stdin.buffer:
        count += 1
        for problem in problems(line.rstrip(b"\n"), schemas):
            bad += 1
            print(f"event {count}: {problem}", file=sys.stderr)
    print(count)
    sys.exit(1 if bad else 0)


main()
