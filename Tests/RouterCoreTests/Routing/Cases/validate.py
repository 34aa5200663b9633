"""Validates YAML texts against a JSON Schema, as an editor does.

Reads {"schema": …, "texts": […]} and writes one verdict a text: empty when valid, "yaml: …" when it is no YAML.
"""
import json
import re
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, which editors read by: no dates, `no` is text."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("null", r"^(~|null|)$", list("~n") + [""]),
    ("bool", r"^(true|false)$", list("tf")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))


def as_json(value):
    """Keys of JSON are text."""
    if isinstance(value, dict):
        return {str(key): as_json(inner) for key, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list) else value


def verdict(validator, text):
    if text == "$schema":
        validator.check_schema(validator.schema)
        return ""
    try:
        value = as_json(yaml.load(text, Loader))
    except yaml.YAMLError as error:
        return f"yaml: {error}"
    if value is None:
        return ""
    return "; ".join(f"{list(error.absolute_path)}: {error.message}"[:300] for error in validator.iter_errors(value))


question = json.load(sys.stdin)
validator = jsonschema.Draft202012Validator(question["schema"])
json.dump([verdict(validator, text) for text in question["texts"]], sys.stdout)
