// Spinlocks, reader-writer locks and rw-semaphores.
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Spinlock : public compile::NeedsHeaders {};
class ReadWriteLock : public compile::NeedsHeaders {};
class ReadWriteSemaphore : public compile::NeedsHeaders {};

KASSAY_CASE_F(Spinlock, MissingAndDoubleLockAreRejected, Cites("CTX-053")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad_none(struct S *d) { d->x = 1; }  //! A writing variable 'x' requires holding spinlock '&S::l' exclusively
void bad_double(struct S *d)
{
	spin_lock(&d->l);
	spin_lock_irq(&d->l);  //! A acquiring spinlock 'd->l' that is already held
	spin_unlock(&d->l);
}
void bad_missing(struct S *d)
{
	spin_lock(&d->l);
	d->x = 1;
}  //! A spinlock 'd->l' is still held at the end of function
void good(struct S *d) { spin_lock(&d->l); d->x = 1; spin_unlock(&d->l); }
void good_irqsave(struct S *d)
{
	unsigned long flags;

	spin_lock_irqsave(&d->l, flags);
	d->x = 1;
	spin_unlock_irqrestore(&d->l, flags);
}
)"));
}

KASSAY_CASE_F(Spinlock, RawSpinlocksAreTracked, Cites("CTX-053")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct RS *d)
{
	d->x = 1;  //! A writing variable 'x' requires holding raw_spinlock '&RS::l' exclusively
	raw_spin_lock(&d->l);
}  //! A raw_spinlock 'd->l' is still held at the end of function
void good(struct RS *d) { raw_spin_lock_irq(&d->l); d->x = 1; raw_spin_unlock_irq(&d->l); }
)"));
}

KASSAY_CASE_F(ReadWriteLock, WriteUnderAReadLockIsRejected, Cites("CTX-054")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct W *d)
{
	int v;

	read_lock(&d->l);
	v = d->x;
	d->x = 1;  //! A writing variable 'x' requires holding rwlock '&W::l' exclusively
	read_unlock(&d->l);
	return v;
}
void good(struct W *d) { write_lock(&d->l); d->x = 1; write_unlock(&d->l); }
)"));
}

KASSAY_CASE_F(ReadWriteLock, UnlockOfTheOtherKindIsRejected, Cites("CTX-055", "CTX-056")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad_read(struct W *d)
{
	read_lock(&d->l);
	write_unlock(&d->l);  //! A releasing rwlock 'd->l' using exclusive access, expected shared access
}
void bad_write(struct W *d)
{
	write_lock(&d->l);
	read_unlock(&d->l);  //! A releasing rwlock 'd->l' using shared access, expected exclusive access
}
void good(struct W *d) { read_lock(&d->l); read_unlock(&d->l); write_lock(&d->l); write_unlock(&d->l); }
)"));
}

KASSAY_CASE_F(ReadWriteLock, UpgradeIsRejected, Cites("CTX-059")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct W *d)
{
	read_lock(&d->l);
	write_lock(&d->l);  //! A acquiring rwlock 'd->l' that is already held
	write_unlock(&d->l);  //! A releasing rwlock 'd->l'
	read_unlock(&d->l);  //! A releasing rwlock 'd->l'
}
)"));
}

KASSAY_CASE_F(ReadWriteSemaphore, WriteUnderAReadLockIsRejected, Cites("CTX-054")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct R *d)
{
	down_read(&d->s);
	d->x = 1;  //! A writing variable 'x' requires holding rw_semaphore '&R::s' exclusively
	up_read(&d->s);
}
void good(struct R *d) { down_write(&d->s); d->x = 1; up_write(&d->s); }
)"));
}

KASSAY_CASE_F(ReadWriteSemaphore, UnlockOfTheOtherKindIsRejected, Cites("CTX-055", "CTX-056")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad_read(struct R *d)
{
	down_read(&d->s);
	up_write(&d->s);  //! A releasing rw_semaphore 'd->s' using exclusive access, expected shared access
}
void bad_write(struct R *d)
{
	down_write(&d->s);
	up_read(&d->s);  //! A releasing rw_semaphore 'd->s' using shared access, expected exclusive access
}
)"));
}

KASSAY_CASE_F(ReadWriteSemaphore, WriteAfterADowngradeIsRejected, Cites("CTX-057")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct R *d)
{
	down_write(&d->s);
	d->x = 1;
	downgrade_write(&d->s);
	d->x = 2;  //! A writing variable 'x' requires holding rw_semaphore '&R::s' exclusively
	up_read(&d->s);
}
int good(struct R *d)
{
	int v;

	down_write(&d->s);
	d->x = 1;
	downgrade_write(&d->s);
	v = d->x;
	up_read(&d->s);
	return v;
}
)"));
}

KASSAY_CASE_F(ReadWriteSemaphore, TwoReadLocksAreRejected, Cites("CTX-058")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct R *d)
{
	down_read(&d->s);
	down_read(&d->s);  //! A acquiring rw_semaphore 'd->s' that is already held
	up_read(&d->s);
}
)"));
}

}  // namespace
}  // namespace kassay::context
