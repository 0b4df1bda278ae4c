"""What each consumer should count of a run, one line a consumer: expected.py RESULTS.JSON"""

import collections
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    run = json.load(file)

groups = collections.defaultdict(list)
for case in run["cases"]:
    verdict = case["verdict"]
    if verdict in ("fail", "crash", "timeout") and case.get("waiver"):
        verdict = "waived"
    groups[case["suite"]].append((verdict, case))
counts = collections.Counter(verdict for cases in groups.values() for verdict, _ in cases)
fail = counts["fail"] + counts["crash"] + counts["timeout"]
left = counts["absent"] + counts["unmet"]
statuses = {"pass": "PASS", "fail": "FAIL", "crash": "FAIL", "timeout": "FAIL", "absent": "SKIP", "unmet": "MISS",
            "error": "ERROR"}
kcidb = collections.Counter(statuses[case["verdict"]] for case in run["cases"])
wrong = {"fail", "crash", "timeout", "error"}
excused = sum(1 for case in run["cases"] if case["verdict"] in wrong
              and (case.get("waiver") or case.get("erratum") or case["verdict"] == "error"))


def group(cases):
    """What openQA says of a suite by its KTAP, and by its JUnit."""
    verdicts = {verdict for verdict, _ in cases}
    ktap = "fail" if verdicts & wrong else "skip" if verdicts <= {"absent", "unmet"} else "passed"
    return ktap, "fail" if verdicts & wrong else "ok"


ktap_groups = collections.Counter("group-" + group(cases)[0] for cases in groups.values())
xunit_groups = collections.Counter("group-" + group(cases)[1] for cases in groups.values())


def line(consumer, **numbers):
    """Without what is zero, sorted."""
    print(consumer, " ".join(f"{key}={value}" for key, value in sorted(numbers.items()) if value))


line("kunit", passed=counts["pass"] + counts["waived"], failed=fail + counts["error"], skipped=left)
line("openqa-ktap", groups=len(groups), ok=counts["pass"] + counts["waived"], fail=fail + counts["error"],
     **ktap_groups)
line("openqa-junit", groups=len(groups), ok=counts["pass"], fail=fail + counts["error"],
     missing=left + counts["waived"], **xunit_groups)
line("gitlab-junit", success=counts["pass"], failed=fail, error=counts["error"], skipped=left + counts["waived"])
line("gitlab-codequality", excused=excused, wrong=sum(1 for case in run["cases"] if case["verdict"] in wrong) - excused)
line("kcidb", **kcidb)
line("jenkins", valid=1)
