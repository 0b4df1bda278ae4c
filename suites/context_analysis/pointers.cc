// Addresses of guarded fields and guarded pointers that leave the lock's reach
// (-Wthread-safety-pointer).
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Pointers : public compile::NeedsHeaders {};

KASSAY_CASE_F(Pointers, PassingTheAddressOfAGuardedFieldIsRejected, Cites("CTX-047")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { takes_pointer(&d->x); }  //! P passing pointer to variable 'x' requires holding mutex '&D::m'
void good(struct D *d) { mutex_lock(&d->m); takes_pointer(&d->x); mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Pointers, PassingAGuardedPointerIsRejected, Cites("CTX-048")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { takes_pointer(d->p); }  //! P passing pointer 'p' requires holding mutex '&D::m'
void good(struct D *d) { mutex_lock(&d->m); takes_pointer(d->p); mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Pointers, ReturningThemIsRejected, Cites("CTX-049")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int *bad_address(struct D *d) { return &d->x; }  //! P returning pointer to variable 'x' requires holding mutex '&D::m' exclusively
int *bad_pointer(struct D *d) { return d->p; }  //! P returning pointer 'p' requires holding mutex '&D::m' exclusively
int *good(struct D *d) __must_hold(&d->m) { return &d->x; }
)"));
}

KASSAY_CASE_F(Pointers, ThePointerItselfAndSizeofAreFree, Cites("CTX-085")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { d->gp = NULL; }  //! A writing variable 'gp' requires holding mutex '&D::m' exclusively
void good(struct D *d, int *p) { d->p = p; }
size_t good_size(struct D *d) { return sizeof(d->x); }
)"));
}

KASSAY_CASE_F(Pointers, ALocalAliasIsFollowed, Cites("CTX-089")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	struct mutex *lock = &d->m2;

	mutex_lock(lock);
	d->x = 1;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
	mutex_unlock(lock);
}
void good(struct D *d)
{
	struct mutex *lock = &d->m;

	mutex_lock(lock);
	d->x = 1;
	mutex_unlock(lock);
}
)"));
}

KASSAY_CASE_F(Pointers, ClearingAGuardedFieldThroughMemsetIsRejected, Cites("CTX-095")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { memset(&d->x, 0, sizeof(d->x)); }  //! P passing pointer to variable 'x' requires holding mutex '&D::m'
void good(struct D *d) { mutex_lock(&d->m); memset(&d->x, 0, sizeof(d->x)); mutex_unlock(&d->m); }
)"));
}

}  // namespace
}  // namespace kassay::context
