"""Holds each finding of a code quality report to GitLab's schema: codequality.py SCHEMA FILE"""

import collections
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    report = json.load(file)
for finding in report:
    jsonschema.validate(finding, schema)
# GitLab keeps one finding a fingerprint, and knows these severities (codequality_reports.rb).
known = {finding["fingerprint"]: finding["severity"] for finding in report}
assert set(known.values()) <= {"blocker", "critical", "major", "minor", "info"}, known.values()
severities = collections.Counter("excused" if severity == "minor" else "wrong" for severity in known.values())
print(" ".join(f"{severity}={count}" for severity, count in sorted(severities.items())))
