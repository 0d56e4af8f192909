"""Reads metrics (Prometheus text on stdin) with the Prometheus client library and prints each family's name.

Exits 1 when the library refuses the text, or a family has no help.
"""

import sys

from prometheus_client.parser import text_string_to_metric_families


def main():
    families = list(text_string_to_metric_families(sys.stdin.read()))
    for family in families:
        if not family.documentation or family.type == "unknown":
            sys.exit(f"{family.name}: no help or no type")
        print(family.name)


main()
