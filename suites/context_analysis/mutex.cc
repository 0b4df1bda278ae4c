// Mutexes: what must be rejected, each mistake beside its correct twin.
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Mutex : public compile::NeedsHeaders {};

KASSAY_CASE_F(Mutex, ReadWithoutLockIsRejected, Cites("CTX-020")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct D *d) { return d->x; }  //! A reading variable 'x' requires holding mutex '&D::m'
int good(struct D *d) { int v; mutex_lock(&d->m); v = d->x; mutex_unlock(&d->m); return v; }
)"));
}

KASSAY_CASE_F(Mutex, WriteWithoutLockIsRejected, Cites("CTX-021")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { d->x = 1; }  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
void good(struct D *d) { mutex_lock(&d->m); d->x = 1; mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Mutex, GlobalWithoutLockIsRejected, Cites("CTX-022")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(void) { gv = 1; }  //! A writing variable 'gv' requires holding mutex 'gm' exclusively
void good(void) { mutex_lock(&gm); gv = 1; mutex_unlock(&gm); }
)"));
}

KASSAY_CASE_F(Mutex, PointeeReadWithoutLockIsRejected, Cites("CTX-023")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct D *d) { return *d->p; }  //! A reading the value pointed to by 'p' requires holding mutex '&D::m'
int good(struct D *d) { int v; mutex_lock(&d->m); v = *d->p; mutex_unlock(&d->m); return v; }
)"));
}

KASSAY_CASE_F(Mutex, PointeeWriteWithoutLockIsRejected, Cites("CTX-024")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { *d->p = 1; }  //! A writing the value pointed to by 'p' requires holding mutex '&D::m' exclusively
void good(struct D *d) { mutex_lock(&d->m); *d->p = 1; mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Mutex, DoubleLockIsRejected, Cites("CTX-025")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	mutex_lock(&d->m);
	mutex_lock(&d->m);  //! A acquiring mutex 'd->m' that is already held
	mutex_unlock(&d->m);
}
void good(struct D *d) { mutex_lock(&d->m); mutex_lock(&d->m2); mutex_unlock(&d->m2); mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Mutex, ReturningWithTheLockHeldIsRejected, Cites("CTX-026")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	mutex_lock(&d->m);
	d->x++;
}  //! A mutex 'd->m' is still held at the end of function
void good(struct D *d) { mutex_lock(&d->m); d->x++; mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Mutex, EarlyReturnPastTheUnlockIsRejected, Cites("CTX-027")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d, int c)
{
	mutex_lock(&d->m);
	if (c)
		return;
	mutex_unlock(&d->m);
}  //! A mutex 'd->m' is not held on every path through here
void good(struct D *d, int c)
{
	mutex_lock(&d->m);
	if (c) {
		mutex_unlock(&d->m);
		return;
	}
	mutex_unlock(&d->m);
}
)"));
}

KASSAY_CASE_F(Mutex, GotoPastTheUnlockIsRejected, Cites("CTX-027")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d, int c)
{
	mutex_lock(&d->m);
	if (c)
		goto out;
	mutex_unlock(&d->m);
out:
	c = 0;  //! A mutex 'd->m' is not held on every path through here
}
void good(struct D *d, int c)
{
	mutex_lock(&d->m);
	if (c)
		goto out;
	d->x = 1;
out:
	mutex_unlock(&d->m);
}
)"));
}

KASSAY_CASE_F(Mutex, UnlockOfAnUnheldLockIsRejected, Cites("CTX-028")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { mutex_unlock(&d->m); }  //! A releasing mutex 'd->m' that was not held
void bad_twice(struct D *d)
{
	mutex_lock(&d->m);
	mutex_unlock(&d->m);
	mutex_unlock(&d->m);  //! A releasing mutex 'd->m' that was not held
}
void good(struct D *d) { mutex_lock(&d->m); mutex_unlock(&d->m); mutex_lock(&d->m); mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Mutex, TheWrongMemberDoesNotProtect, Cites("CTX-029")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	mutex_lock(&d->m2);
	d->x = 1;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
	mutex_unlock(&d->m2);
}
void good(struct D *d) { mutex_lock(&d->m); d->x = 1; mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Mutex, UseAfterUnlockIsRejected, Cites("CTX-030")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	mutex_lock(&d->m);
	d->x++;
	mutex_unlock(&d->m);
	d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
}
)"));
}

KASSAY_CASE_F(Mutex, LockInsideALoopIsRejected, Cites("CTX-038")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d, int n)
{
	while (n--)  //! A expecting mutex 'd->m' to be held at start of each loop
		mutex_lock(&d->m);
}
void good(struct D *d, int n)
{
	while (n--) {
		mutex_lock(&d->m);
		mutex_unlock(&d->m);
	}
}
)"));
}

KASSAY_CASE_F(Mutex, ConditionalLockAndUnlockAreOutsideTheDialect, Cites("CTX-039")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d, int c)
{
	if (c)
		mutex_lock(&d->m);
	if (c)  //! A mutex 'd->m' is not held on every path through here
		mutex_unlock(&d->m);  //! A releasing mutex 'd->m' that was not held
}
)"));
}

KASSAY_CASE_F(Mutex, TrylockSuccessWithoutUnlockIsRejected, Cites("CTX-040")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	if (mutex_trylock(&d->m))
		d->x++;
}  //! A mutex 'd->m' is not held on every path through here
void good(struct D *d)
{
	if (mutex_trylock(&d->m)) {
		d->x++;
		mutex_unlock(&d->m);
	}
}
)"));
}

KASSAY_CASE_F(Mutex, InvertedTrylockIsRejected, Cites("CTX-041")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	if (!mutex_trylock(&d->m))
		d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
	else
		mutex_unlock(&d->m);
}
void good(struct D *d)
{
	if (!mutex_trylock(&d->m))
		return;
	d->x++;
	mutex_unlock(&d->m);
}
)"));
}

KASSAY_CASE_F(Mutex, IgnoredTrylockIsRejected, Cites("CTX-042")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	(void)mutex_trylock(&d->m);
	d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
}
)"));
}

KASSAY_CASE_F(Mutex, InvertedInterruptibleLockIsRejected, Cites("CTX-043")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	if (mutex_lock_interruptible(&d->m)) {
		d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
		mutex_unlock(&d->m);  //! A releasing mutex 'd->m' that was not held
	}
}  //! A mutex 'd->m' is not held on every path through here
int good(struct D *d)
{
	int error = mutex_lock_interruptible(&d->m);

	if (error)
		return error;
	d->x++;
	mutex_unlock(&d->m);
	return 0;
}
)"));
}

KASSAY_CASE_F(Mutex, OnceAccessorsDoNotExempt, Cites("CTX-050")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad_read(struct D *d) { return READ_ONCE(d->x); }  //! A reading variable 'x' requires holding mutex '&D::m'
void bad_write(struct D *d) { WRITE_ONCE(d->x, 1); }  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
void good(struct D *d) { mutex_lock(&d->m); WRITE_ONCE(d->x, READ_ONCE(d->x)); mutex_unlock(&d->m); }
)"));
}

KASSAY_CASE_F(Mutex, InitialisingTheLockAloneDoesNotExempt, Cites("CTX-051", "CTX-082")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d)
{
	mutex_init(&d->m);
	d->x = 0;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
}
void good(struct D *d)
{
	guard(mutex_init)(&d->m);
	d->x = 0;
}
)"));
}

KASSAY_CASE_F(Mutex, AnAssertionCountsOnlyWhereItIsMade, Cites("CTX-052", "CTX-083")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct D *d, int c)
{
	if (c)
		lockdep_assert_held(&d->m);
	d->x++;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
}
void good(struct D *d)
{
	lockdep_assert_held(&d->m);
	d->x++;
}
)"));
}

}  // namespace
}  // namespace kassay::context
