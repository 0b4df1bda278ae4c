#include "suites/context_analysis/analysis.h"

namespace kassay::context {

std::string_view Prelude() {
  return R"(
#include <linux/bit_spinlock.h>
#include <linux/cleanup.h>
#include <linux/list_bl.h>
#include <linux/local_lock.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/rtmutex.h>
#include <linux/rwlock.h>
#include <linux/rwsem.h>
#include <linux/semaphore.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <linux/ww_mutex.h>

struct D { struct mutex m, m2; int x __guarded_by(&m); int *p __pt_guarded_by(&m); int *gp __guarded_by(&m); };
struct S { spinlock_t l; int x __guarded_by(&l); };
struct RS { raw_spinlock_t l; int x __guarded_by(&l); };
struct W { rwlock_t l; int x __guarded_by(&l); };
struct R { struct rw_semaphore s; int x __guarded_by(&s); };
struct Q { seqlock_t l; int x __guarded_by(&l); };
struct C { int *data __rcu_guarded; struct srcu_struct srcu; };
struct B { unsigned long bits; int x __guarded_by(__bitlock(3, &bits)); };
struct L { local_lock_t lock; int x __guarded_by(&lock); };
struct T { local_trylock_t lock; int x __guarded_by(&lock); };
struct WW { struct ww_mutex m; int x __guarded_by(&m); };

static DEFINE_MUTEX(gm);
static int gv __guarded_by(&gm);
static DEFINE_PER_CPU(struct L, pll) = { .lock = INIT_LOCAL_LOCK(lock) };
static DEFINE_PER_CPU(struct T, plt) = { .lock = INIT_LOCAL_TRYLOCK(lock) };

static __maybe_unused void use_globals(void) { guard(mutex)(&gm); gv++; }
static __maybe_unused void takes_pointer(int *p) { }
static __maybe_unused void must_hold(struct D *d) __must_hold(&d->m) { d->x++; }
static __maybe_unused void must_hold_shared(struct W *d) __must_hold_shared(&d->l) { (void)d->x; }
static __maybe_unused void must_not_hold(struct D *d) __must_not_hold(&d->m) { }
static __maybe_unused void take(struct D *d) __acquires(&d->m) { mutex_lock(&d->m); }
static __maybe_unused void drop(struct D *d) __releases(&d->m) { mutex_unlock(&d->m); }
static __maybe_unused bool try_take(struct D *d) __cond_acquires(true, &d->m) { return mutex_trylock(&d->m); }
)";
}

}  // namespace kassay::context
