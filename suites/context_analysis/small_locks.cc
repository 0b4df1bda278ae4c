// Bit spinlocks, local locks and wound/wait mutexes.
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class BitLock : public compile::NeedsHeaders {};
class LocalLock : public compile::NeedsHeaders {};
class WoundWaitMutex : public compile::NeedsHeaders {};

KASSAY_CASE_F(BitLock, AccessWithoutTheBitIsRejected, Cites("CTX-069")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct B *d) { d->x = 1; }  //! A requires holding __context_bitlock '3 + &B::bits' exclusively
void good(struct B *d) { bit_spin_lock(3, &d->bits); d->x = 1; bit_spin_unlock(3, &d->bits); }
)"));
}

KASSAY_CASE_F(BitLock, MissingAndDoubleAreRejected, Cites("CTX-070")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad_missing(struct B *d)
{
	bit_spin_lock(3, &d->bits);
}  //! A __context_bitlock '3 + d->bits' is still held at the end of function
void bad_double(struct B *d)
{
	bit_spin_lock(3, &d->bits);
	bit_spin_lock(3, &d->bits);  //! A acquiring __context_bitlock '3 + d->bits' that is already held
	bit_spin_unlock(3, &d->bits);
}
void bad_list(struct hlist_bl_head *h)
{
	hlist_bl_lock(h);
}  //! A __context_bitlock '0 + h' is still held at the end of function
void good_list(struct hlist_bl_head *h) { hlist_bl_lock(h); hlist_bl_unlock(h); }
)"));
}

KASSAY_CASE_F(LocalLock, MissingAndDoubleAreRejected, Cites("CTX-071")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad_missing(void)
{
	local_lock(&pll.lock);
}  //! A local_lock 'pll.lock' is still held at the end of function
void bad_double(void)
{
	local_lock(&pll.lock);
	local_lock(&pll.lock);  //! A acquiring local_lock 'pll.lock' that is already held
	local_unlock(&pll.lock);
}
void good(void) { local_lock(&pll.lock); local_unlock(&pll.lock); }
)"));
}

KASSAY_CASE_F(LocalLock, TrylockSuccessWithoutUnlockIsRejected, Cites("CTX-072")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int work;
void bad(void)
{
	if (local_trylock(&plt.lock))
		work++;
}  //! A local_trylock 'plt.lock' is not held on every path through here
void good(void)
{
	if (local_trylock(&plt.lock)) {
		work++;
		local_unlock(&plt.lock);
	}
}
)"));
}

KASSAY_CASE_F(WoundWaitMutex, UncheckedLockIsRejected, Cites("CTX-073")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct WW *d)
{
	(void)ww_mutex_lock(&d->m, NULL);
	d->x = 1;  //! A writing variable 'x' requires holding ww_mutex '&WW::m' exclusively
	ww_mutex_unlock(&d->m);  //! A releasing ww_mutex 'd->m' that was not held
}
int good(struct WW *d)
{
	int error = ww_mutex_lock(&d->m, NULL);

	if (error)
		return error;
	d->x = 1;
	ww_mutex_unlock(&d->m);
	return 0;
}
)"));
}

KASSAY_CASE_F(WoundWaitMutex, AcquireContextsAreBalanced, Cites("CTX-074")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
static DEFINE_WW_CLASS(cls);
void bad_init(void)
{
	struct ww_acquire_ctx c;

	ww_acquire_init(&c, &cls);
}  //! A ww_acquire_ctx 'c' is still held at the end of function
void bad_fini(void)
{
	struct ww_acquire_ctx c;

	ww_acquire_fini(&c);  //! A releasing ww_acquire_ctx 'c' that was not held
}
void good(void)
{
	struct ww_acquire_ctx c;

	ww_acquire_init(&c, &cls);
	ww_acquire_done(&c);
	ww_acquire_fini(&c);
}
)"));
}

}  // namespace
}  // namespace kassay::context
