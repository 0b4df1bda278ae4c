// Seqlocks, RCU and SRCU: readers that hold no lock in the ordinary sense.
#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Seqlock : public compile::NeedsHeaders {};
class Rcu : public compile::NeedsHeaders {};
class Srcu : public compile::NeedsHeaders {};

KASSAY_CASE_F(Seqlock, WriteInsideAReadSectionIsRejected, Cites("CTX-060")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct Q *d)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&d->l);
		d->x++;  //! A writing variable 'x' requires holding seqlock '&Q::l' exclusively
	} while (read_seqretry(&d->l, seq));
}
int good(struct Q *d)
{
	unsigned int seq;
	int v;

	do {
		seq = read_seqbegin(&d->l);
		v = d->x;
	} while (read_seqretry(&d->l, seq));
	write_seqlock(&d->l);
	d->x++;
	write_sequnlock(&d->l);
	return v;
}
)"));
}

KASSAY_CASE_F(Seqlock, BeginWithoutRetryIsRejected, Cites("CTX-061")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct Q *d)
{
	read_seqbegin(&d->l);
	return d->x;
}  //! A seqlock 'd->l' is still held at the end of function
)"));
}

KASSAY_CASE_F(Rcu, DereferenceOutsideAReaderIsRejected, Cites("CTX-062")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct C *d) { return *rcu_dereference(d->data); }  //! A reading variable 'data' requires holding __ctx_lock_RCU 'RCU'
int good(struct C *d)
{
	int v;

	rcu_read_lock();
	v = *rcu_dereference(d->data);
	rcu_read_unlock();
	return v;
}
)"));
}

KASSAY_CASE_F(Rcu, PlainStoreIsRejected, Cites("CTX-063", "CTX-087")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(struct C *d, int *p) { d->data = p; }  //! A writing variable 'data' requires holding __ctx_lock_RCU 'RCU' exclusively
void good(struct C *d, int *p) { rcu_assign_pointer(d->data, p); }
)"));
}

KASSAY_CASE_F(Rcu, MissingUnlockIsRejectedAlsoWhenNested, Cites("CTX-064", "CTX-086")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(void)
{
	rcu_read_lock();
}  //! A __ctx_lock_RCU 'RCU' is still held at the end of function
void bad_nested(void)
{
	rcu_read_lock();
	rcu_read_lock();
	rcu_read_unlock();
}  //! A __ctx_lock_RCU 'RCU' is still held at the end of function
void good_nested(void) { rcu_read_lock(); rcu_read_lock(); rcu_read_unlock(); rcu_read_unlock(); }
)"));
}

KASSAY_CASE_F(Rcu, UnlockOutsideAReaderIsRejected, Cites("CTX-065")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(void) { rcu_read_unlock(); }  //! A releasing __ctx_lock_RCU 'RCU' that was not held
)"));
}

KASSAY_CASE_F(Rcu, FlavoursAreToldApart, Cites("CTX-066")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void bad(void)
{
	rcu_read_lock_bh();
	rcu_read_unlock();
}  //! A __ctx_lock_RCU 'RCU_BH' is still held at the end of function
void good(void) { rcu_read_lock_bh(); rcu_read_unlock_bh(); }
)"));
}

KASSAY_CASE_F(Srcu, DereferenceOutsideAReaderIsRejected, Cites("CTX-067")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct C *d) { return *srcu_dereference(d->data, &d->srcu); }  //! A calling function '__srcu_read_lock_must_hold' requires holding srcu_struct 'd->srcu'
int good(struct C *d)
{
	int idx = srcu_read_lock(&d->srcu);
	int v = *srcu_dereference(d->data, &d->srcu);

	srcu_read_unlock(&d->srcu, idx);
	return v;
}
)"));
}

KASSAY_CASE_F(Srcu, ItsReaderDoesNotStandForRcu, Cites("CTX-068")) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
int bad(struct C *d)
{
	int idx = srcu_read_lock(&d->srcu);
	int v = *rcu_dereference(d->data);  //! A reading variable 'data' requires holding __ctx_lock_RCU 'RCU'

	srcu_read_unlock(&d->srcu, idx);
	return v;
}
)"));
}

}  // namespace
}  // namespace kassay::context
