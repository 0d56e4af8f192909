"""Holds YAML configurations against the configuration's JSON Schema.

usage: validate_configuration.py SCHEMA FILE…

Exits 1 with a line for each problem.
"""

import json
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """Times stay texts, as they are in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
    for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    bad = 0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            document = yaml.load(file, Loader)
        for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
            bad += 1
            print(f"{path}: {error.json_path}: {error.message}", file=sys.stderr)
    sys.exit(1 if bad else 0)


main()
