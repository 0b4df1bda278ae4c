// Scope-based locks of include/linux/cleanup.h.
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Guards : public compile::NeedsHeaders {};

KASSAY_CASE_F(Guards, UseAfterTheScopeIsRejected, Cites("CTX-044")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad_guard(struct D *d)
{
	{
		guard(mutex)(&d->m);
		d->x++;
	}
	d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
}
void bad_scoped(struct D *d)
{
	scoped_guard(mutex, &d->m)
		d->x++;
	d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
}
int bad_conditional(struct D *d)
{
	scoped_cond_guard(mutex_intr, return -1, &d->m)
		d->x++;
	d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
	return 0;
}
)"));
}

KASSAY_CASE_F(Guards, TwoGuardsOnOneLockAreRejected, Cites("CTX-045")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	guard(mutex)(&d->m);  //! A releasing mutex 'd->m' that was not held
	guard(mutex)(&d->m);  //! A acquiring mutex 'd->m' that is already held
}
void good(struct D *d)
{
	guard(mutex)(&d->m);
	guard(mutex)(&d->m2);
	d->x++;
}
)"));
}

KASSAY_CASE_F(Guards, ManualUnlockUnderAGuardIsRejected, Cites("CTX-046")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	guard(mutex)(&d->m);  //! A releasing mutex 'd->m' that was not held
	mutex_unlock(&d->m);
}
)"));
}

KASSAY_CASE_F(Guards, CorrectUsesAreSilent, Cites("CTX-081")) {
  EXPECT_TRUE(IsSilent(R"(
void plain(struct D *d) { guard(mutex)(&d->m); d->x++; }
void scoped(struct D *d) { scoped_guard(mutex, &d->m) d->x++; }
int conditional(struct D *d) { scoped_cond_guard(mutex_intr, return -1, &d->m) d->x++; return 0; }
int early(struct D *d, int c)
{
	guard(mutex)(&d->m);
	if (c)
		return d->x;
	d->x++;
	return 0;
}
)"));
}

}  // namespace
}  // namespace kassay::context
