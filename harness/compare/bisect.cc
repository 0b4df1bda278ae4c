#include "harness/compare/bisect.h"

#include <algorithm>
#include <set>

namespace kassay {

CaseStanding CaseStandingOf(Verdict verdict) {
  if (verdict == Verdict::kPass) return CaseStanding::kGood;
  return IsNonconformant(verdict) ? CaseStanding::kBad : CaseStanding::kUntold;
}

Result<BisectOutcome> Bisect(size_t count, const std::function<Result<CaseStanding>(size_t)>& ask) {
  if (count < 2) return Fail("a bisection needs two different kernels", ErrorKind::kUsage);
  size_t good = 0;
  size_t bad = count - 1;
  KASSAY_TRY(const CaseStanding first, ask(good));
  if (first != CaseStanding::kGood) return Fail("the good end does not pass", ErrorKind::kUsage);
  KASSAY_TRY(const CaseStanding last, ask(bad));
  if (last != CaseStanding::kBad) return Fail("the bad end does not fail", ErrorKind::kUsage);
  std::set<size_t> asked{good, bad};
  while (true) {
    std::vector<size_t> between;
    std::vector<size_t> open;  // those that were not asked yet
    for (size_t i = good + 1; i < bad; ++i) {
      between.push_back(i);
      if (!asked.contains(i)) open.push_back(i);
    }
    if (open.empty()) return BisectOutcome{good, bad, between, asked.size()};
    // The nearest to the middle, of two the newer.
    const size_t middle = good + (bad - good) / 2;
    const size_t next = std::ranges::min(
        open, {}, [&](size_t i) { return i >= middle ? 2 * (i - middle) : 2 * (middle - i) + 1; });
    KASSAY_TRY(const CaseStanding standing, ask(next));
    asked.insert(next);
    if (standing == CaseStanding::kGood) good = next;
    if (standing == CaseStanding::kBad) bad = next;
  }
}

}  // namespace kassay
