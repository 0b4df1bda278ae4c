// What the analysis of this release is known not to see, or to see where nothing is. Asserted as
// known: a case that fails here says that the tree or the compiler changed, and the requirement's
// text must follow.
#include <algorithm>

#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class BlindSpots : public compile::NeedsHeaders {};

KASSAY_CASE_F(BlindSpots, AMembersLockMatchesAnyObjectOfTheType, Cites("CTX-090")) {
  EXPECT_TRUE(IsSilent(R"(
void wrong(struct D *a, struct D *b) { mutex_lock(&a->m); b->x = 1; mutex_unlock(&a->m); }
)"));
}

KASSAY_CASE_F(BlindSpots, AReassignedAliasIsLost, Cites("CTX-093", "CTX-094")) {
  EXPECT_TRUE(IsSilent(R"(
void stored(struct D *d)
{
	int *p = &d->x;

	*p = 1;
}
)"));
}

KASSAY_CASE_F(BlindSpots, WholeObjectWritesAreNotSeen, Cites("CTX-095")) {
  EXPECT_TRUE(IsSilent(R"(
void cleared(struct D *d) { memset(d, 0, sizeof(*d)); }
)"));
}

KASSAY_CASE_F(BlindSpots, InterruptStateIsNotTracked, Cites("CTX-096")) {
  EXPECT_TRUE(IsSilent(R"(
void mixed(struct S *d)
{
	unsigned long flags;

	spin_lock_irqsave(&d->l, flags);
	d->x = 1;
	spin_unlock_irq(&d->l);
}
)"));
}

KASSAY_CASE_F(BlindSpots, LockOrderIsNotTracked, Cites("CTX-097")) {
  EXPECT_TRUE(IsSilent(R"(
void ab(struct D *d) { mutex_lock(&d->m); mutex_lock(&d->m2); mutex_unlock(&d->m2); mutex_unlock(&d->m); }
void ba(struct D *d) { mutex_lock(&d->m2); mutex_lock(&d->m); mutex_unlock(&d->m); mutex_unlock(&d->m2); }
)"));
}

KASSAY_CASE_F(BlindSpots, SleepingCountersAndPreemptionAreNotTracked, Cites("CTX-101")) {
  EXPECT_TRUE(IsSilent(R"(
void counting(struct semaphore *s) { down(s); }
void preemption(void) { preempt_disable(); }
void interrupts(void) { local_irq_disable(); }
)"));
}

KASSAY_CASE_F(BlindSpots, FinishingAContextWithoutDoneIsNotSeen, Cites("CTX-106")) {
  EXPECT_TRUE(IsSilent(R"(
static DEFINE_WW_CLASS(cls);
void skipped(void)
{
	struct ww_acquire_ctx c;

	ww_acquire_init(&c, &cls);
	ww_acquire_fini(&c);
}
)"));
}

KASSAY_CASE_F(BlindSpots, ALockGivenAsAPointerMemberIsReportedEvenWhenHeld, Cites("CTX-091")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
struct P { struct mutex *mp; int x __guarded_by(mp); };
void correct(struct P *d)
{
	mutex_lock(d->mp);
	d->x = 1;  //! A requires holding mutex 'mp' exclusively
	mutex_unlock(d->mp);
}
)"));
}

KASSAY_CASE_F(BlindSpots, AnUntestedConditionalGuardIsNotSeen, Cites("CTX-092")) {
  EXPECT_TRUE(IsSilent(R"(
void untested(struct D *d)
{
	guard(mutex_try)(&d->m);
	d->x++;
}
)"));
}

KASSAY_CASE_F(BlindSpots, BitsOfOneWordAreNotToldApart, Cites("CTX-098", "CTX-099")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void wrong_bit(struct B *d) { bit_spin_lock(4, &d->bits); d->x = 1; bit_spin_unlock(4, &d->bits); }
void two_bits(struct B *d)
{
	bit_spin_lock(3, &d->bits);
	bit_spin_lock(4, &d->bits);  //! A that is already held
	bit_spin_unlock(4, &d->bits);
	bit_spin_unlock(3, &d->bits);  //! A that was not held
}
)"));
}

KASSAY_CASE_F(BlindSpots, PerCpuAccessorsAreNotSeen, Cites("CTX-100")) {
  EXPECT_TRUE(IsSilent(R"(
void unlocked(void) { this_cpu_add(pll.x, 1); }
)"));
}

KASSAY_CASE_F(BlindSpots, CheckedDereferencesStillNeedAReader, Cites("CTX-104")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int protected(struct C *d)
{
	return *rcu_dereference_protected(d->data, 1);  //! A reading variable 'data' requires holding __ctx_lock_RCU 'RCU'
}
int checked(struct C *d)
{
	return *rcu_dereference_check(d->data, 1);  //! A reading variable 'data' requires holding __ctx_lock_RCU 'RCU'
}
)"));
}

// The tree says by itself whether rt_mutex is annotated: in 7.0 it is no context lock.
KASSAY_CASE_F(BlindSpots, RtMutexIsTrackedOnceItsStructIsAnnotated, Cites("CTX-102")) {
  constexpr const char* kLeftLocked = R"(
void left(struct rt_mutex *s)
{
	rt_mutex_lock(s);
}  //! A rt_mutex 's' is still held at the end of function
)";
  CompileOptions options = Analysis();
  options.flags.emplace_back("-Wthread-safety-attributes");
  const Compilation header = Compile("int tracked(struct rt_mutex *s) __must_hold(s);\n", options);
  const bool annotated =
      header.exit_code == 0 &&
      header.diagnostics.end() == std::find_if(header.diagnostics.begin(), header.diagnostics.end(),
                                               [](const Diagnostic& one) { return one.line == 1; });
  if (!annotated) KASSAY_ABSENT("struct rt_mutex is no context lock in this tree");
  EXPECT_TRUE(ReportsWhatIsAnnounced(kLeftLocked));
}

}  // namespace
}  // namespace kassay::context
