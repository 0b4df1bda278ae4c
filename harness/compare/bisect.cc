#include "harness/compare/bisect.h"

#include <map>
#include <optional>

namespace kassay {

CaseStanding CaseStandingOf(Verdict verdict) {
  if (verdict == Verdict::kPass) return CaseStanding::kGood;
  return IsNonconformant(verdict) ? CaseStanding::kBad : CaseStanding::kUntold;
}

namespace {

class Bisection {
 public:
  Bisection(size_t count, const std::function<Result<CaseStanding>(size_t)>& ask)
      : good_(0), bad_(count - 1), ask_(ask) {}

  Result<BisectOutcome> Go() {
    KASSAY_TRY(const CaseStanding first, Ask(good_));
    if (first != CaseStanding::kGood) return Fail("the good end does not pass", ErrorKind::kUsage);
    KASSAY_TRY(const CaseStanding last, Ask(bad_));
    if (last != CaseStanding::kBad) return Fail("the bad end does not fail", ErrorKind::kUsage);
    while (true) {
      const std::optional<size_t> next = Next();
      if (!next) break;
      KASSAY_TRY(const CaseStanding standing, Ask(*next));
      if (standing == CaseStanding::kGood) good_ = *next;
      if (standing == CaseStanding::kBad) bad_ = *next;
    }
    BisectOutcome outcome{good_, bad_, {}, known_.size()};
    for (size_t i = good_ + 1; i < bad_; ++i) outcome.untold.push_back(i);
    return outcome;
  }

 private:
  Result<CaseStanding> Ask(size_t index) {
    KASSAY_TRY(const CaseStanding standing, ask_(index));
    known_[index] = standing;
    return standing;
  }

  // The kernel nearest to the middle that was not asked yet.
  [[nodiscard]] std::optional<size_t> Next() const {
    const size_t middle = good_ + (bad_ - good_) / 2;
    for (size_t step = 0; step < bad_ - good_; ++step) {
      if (middle + step < bad_ && middle + step > good_ && known_.count(middle + step) == 0) {
        return middle + step;
      }
      if (middle >= good_ + 1 + step && known_.count(middle - step) == 0) return middle - step;
    }
    return std::nullopt;
  }

  size_t good_;
  size_t bad_;
  const std::function<Result<CaseStanding>(size_t)>& ask_;
  std::map<size_t, CaseStanding> known_;
};

}  // namespace

Result<BisectOutcome> Bisect(size_t count, const std::function<Result<CaseStanding>(size_t)>& ask) {
  if (count < 2) return Fail("a bisection needs two different kernels", ErrorKind::kUsage);
  return Bisection(count, ask).Go();
}

}  // namespace kassay
