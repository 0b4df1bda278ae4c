// Correct code and the documented escapes must be clean.
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Silence : public compile::NeedsHeaders {};

KASSAY_CASE_F(Silence, CorrectLockingIsClean, Cites("CTX-080")) {
  EXPECT_TRUE(IsSilent(R"(
void plain(struct D *d) { mutex_lock(&d->m); d->x++; mutex_unlock(&d->m); }
void direct(struct D *d) { if (mutex_trylock(&d->m)) { d->x++; mutex_unlock(&d->m); } }
void early(struct D *d) { if (!mutex_trylock(&d->m)) return; d->x++; mutex_unlock(&d->m); }
void variable(struct D *d)
{
	bool locked = mutex_trylock(&d->m);

	if (!locked)
		return;
	d->x++;
	mutex_unlock(&d->m);
}
int interruptible(struct D *d)
{
	if (mutex_lock_interruptible(&d->m))
		return -1;
	d->x++;
	mutex_unlock(&d->m);
	return 0;
}
)"));
}

KASSAY_CASE_F(Silence, EscapesSilenceOnlyWhatTheyWrap, Cites("CTX-084")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct D *d)
{
	int v = context_unsafe(d->x);

	return v + d->x;  //! A reading variable 'x' requires holding mutex '&D::m'
}
int expression(struct D *d) { return context_unsafe(d->x); }
int race(struct D *d) { return data_race(d->x); }
void whole(struct D *d) __context_unsafe(tested here)
{
	d->x++;
	mutex_unlock(&d->m);
}
)"));
}

KASSAY_CASE_F(Silence, SharedSectionsMayRead, Cites("CTX-054")) {
  EXPECT_TRUE(IsSilent(R"(
int reads_rwlock(struct W *d) { int v; read_lock(&d->l); v = d->x; read_unlock(&d->l); return v; }
int reads_semaphore(struct R *d) { int v; down_read(&d->s); v = d->x; up_read(&d->s); return v; }
)"));
}

KASSAY_CASE_F(Silence, AccessPointerNeedsNoReader, Cites("CTX-103")) {
  EXPECT_TRUE(IsSilent(R"(
bool is_set(struct C *d) { return rcu_access_pointer(d->data) != NULL; }
)"));
}

KASSAY_CASE_F(Silence, BalancedPerCpuLocksAreClean, Cites("CTX-105")) {
  EXPECT_TRUE(IsSilent(R"(
static DEFINE_PER_CPU(raw_spinlock_t, per_cpu_lock);
void balanced(int cpu)
{
	raw_spin_lock(&per_cpu(per_cpu_lock, cpu));
	raw_spin_unlock(&per_cpu(per_cpu_lock, cpu));
}
)"));
}

}  // namespace
}  // namespace kassay::context
