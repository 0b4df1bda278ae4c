// Annotated functions: what a caller must hold, what a helper takes and gives back.
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Functions : public compile::NeedsHeaders {};

KASSAY_CASE_F(Functions, CallWithoutTheRequiredLockIsRejected, Cites("CTX-031")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { must_hold(d); }  //! A calling function 'must_hold' requires holding mutex 'd->m' exclusively
void good(struct D *d) { mutex_lock(&d->m); must_hold(d); mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Functions, CallWithAForbiddenLockIsRejected, Cites("CTX-032")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	mutex_lock(&d->m);
	must_not_hold(d);  //! A cannot call function 'must_not_hold' while mutex 'd->m' is held
	mutex_unlock(&d->m);
}
void good(struct D *d) { mutex_lock(&d->m2); must_not_hold(d); mutex_unlock(&d->m2); }
)"));
}

KASSAY_CASE_F(Functions, TheOtherObjectsLockDoesNotSatisfyTheCallee, Cites("CTX-033")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *a, struct D *b)
{
	mutex_lock(&a->m);
	must_hold(b);  //! R calling function 'must_hold' requires holding mutex 'b->m' exclusively
	mutex_unlock(&a->m);
}
void good(struct D *a, struct D *b) { mutex_lock(&b->m); must_hold(b); mutex_unlock(&b->m); }
)"));
}

KASSAY_CASE_F(Functions, UnlockOfTheOtherObjectIsRejected, Cites("CTX-034")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *a, struct D *b)
{
	mutex_lock(&a->m);
	mutex_unlock(&b->m);  //! A releasing mutex 'b->m' that was not held
}  //! A mutex 'a->m' is still held at the end of function
void good(struct D *a, struct D *b) { mutex_lock(&a->m); mutex_lock(&b->m); mutex_unlock(&b->m); mutex_unlock(&a->m); }
)"));
}

KASSAY_CASE_F(Functions, AnAcquirerThatDoesNotAcquireIsRejected, Cites("CTX-035")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) __acquires(&d->m)
{
}  //! A expecting mutex 'd->m' to be held at the end of function
void good(struct D *d) __acquires(&d->m) { mutex_lock(&d->m); }
)"));
}

KASSAY_CASE_F(Functions, AReleaserThatDoesNotReleaseIsRejected, Cites("CTX-036")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) __releases(&d->m)
{
}  //! A mutex 'd->m' is still held at the end of function
void good(struct D *d) __releases(&d->m) { mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Functions, AnUnannotatedWrapperIsRejected, Cites("CTX-037")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	take(d);
}  //! A mutex 'd->m' is still held at the end of function
void good(struct D *d) { take(d); d->x++; drop(d); }
)"));
}

KASSAY_CASE_F(Functions, ConditionalAcquirersAreUnderstood, Cites("CTX-080")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	if (!try_take(d))
		d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
	else
		mutex_unlock(&d->m);
}
void good(struct D *d)
{
	if (try_take(d)) {
		d->x++;
		mutex_unlock(&d->m);
	}
}
)"));
}

KASSAY_CASE_F(Functions, ASharedRequirementIsMetByAnExclusiveLock, Cites("CTX-088")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct W *d) { must_hold_shared(d); }  //! A calling function 'must_hold_shared' requires holding rwlock 'd->l'
void good_shared(struct W *d) { read_lock(&d->l); must_hold_shared(d); read_unlock(&d->l); }
void good_exclusive(struct W *d) { write_lock(&d->l); must_hold_shared(d); write_unlock(&d->l); }
)"));
}

}  // namespace
}  // namespace kassay::context
