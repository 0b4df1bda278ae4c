"""Holds a report to KCIDB's own validator and prints its statuses: kcidb.py FOLDER-OF-KCIDB-IO FILE"""

import collections
import json
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from kcidb_io.schema import V5_3  # noqa: E402 pylint: disable=wrong-import-position

with open(sys.argv[2], encoding="utf-8") as file:
    report = json.load(file)
V5_3.validate(report)
statuses = collections.Counter(test["status"] for test in report["tests"])
print(" ".join(f"{status}={count}" for status, count in sorted(statuses.items())))
