// What the compiler accepts and rejects: the type of the result is the promise of these helpers.
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"
#include "suites/typed_alloc/typed_source.h"

namespace kassay::typed_alloc {
namespace {

class Types : public compile::NeedsHeaders {};

KASSAY_CASE_F(Types, EveryHelperGivesAPointerToTheNamedType, Cites("ALC-002", "ALC-001").OnHost()) {
  EXPECT_TRUE(Compiles(R"(
#define SAME(pointer, expression) _Static_assert(__builtin_types_compatible_p(pointer, __typeof__(expression)), #expression)
void all(struct a *v, struct counted *f)
{
	SAME(struct a *, kmalloc_obj(*v));
	SAME(struct a *, kzalloc_obj(struct a));
	SAME(struct a *, kvmalloc_obj(*v));
	SAME(struct a *, kvzalloc_obj(struct a));
	SAME(struct a *, kmalloc_objs(*v, 3));
	SAME(struct a *, kzalloc_objs(struct a, 3));
	SAME(struct a *, kvmalloc_objs(*v, 3));
	SAME(struct a *, kvzalloc_objs(struct a, 3));
	SAME(struct counted *, kmalloc_flex(*f, e, 3));
	SAME(struct counted *, kzalloc_flex(struct counted, e, 3));
	SAME(struct counted *, kvmalloc_flex(*f, e, 3));
	SAME(struct counted *, kvzalloc_flex(struct counted, e, 3));
}
)"));
}

KASSAY_CASE_F(Types, VariableOrTypeAndOptionalFlags, Cites("ALC-003", "ALC-001").OnHost()) {
  EXPECT_TRUE(Compiles(R"(
struct a *by_type(void) { return kzalloc_obj(struct a); }
struct a *by_variable(void) { struct a *p = kzalloc_obj(*p); return p; }
struct a *with_flags(void) { return kmalloc_obj(struct a, GFP_ATOMIC); }
struct a *many(int n) { return kmalloc_objs(struct a, n, GFP_NOWAIT); }
struct counted *flexible(int n) { return kzalloc_flex(struct counted, e, n, GFP_ATOMIC); }
)"));
}

KASSAY_CASE_F(Types, TheWrongPointerTypeIsRejected, Cites("ALC-021").OnHost()) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
struct a *bad(void) { struct a *p = kmalloc_obj(struct b); return p; }  //! E incompatible pointer types
struct a *bad_many(int n) { struct a *p = kvzalloc_objs(struct b, n); return p; }  //! E incompatible pointer types
struct a *bad_flex(int n) { struct a *p = kzalloc_flex(struct counted, e, n); return p; }  //! E incompatible pointer types
struct b *good(void) { struct b *p = kmalloc_obj(struct b); return p; }
)"));
}

KASSAY_CASE_F(Types, AForgottenDereferenceIsRejected, Cites("ALC-022").OnHost()) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
struct a *bad(void) { struct a *p; p = kmalloc_obj(p); return p; }  //! E incompatible pointer types
struct a *good(void) { struct a *p; p = kmalloc_obj(*p); return p; }
)"));
}

KASSAY_CASE_F(Types, AFlexibleMemberMustExistAndBeAnArray, Cites("ALC-023", "ALC-024").OnHost()) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void *bad_unknown(int n) { return kmalloc_flex(struct counted, nothing, n); }  //! E no member named 'nothing'
void *bad_scalar(int n) { return kmalloc_flex(struct counted, n, n); }  //! E indirection requires pointer operand
void *good(int n) { return kmalloc_flex(struct counted, e, n); }
void *good_bare(int n) { return kmalloc_flex(struct bare, e, n); }
)"));
}

KASSAY_CASE_F(Types, AnIncompleteTypeIsRejected, Cites("ALC-026").OnHost()) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void *bad(void) { return kmalloc_obj(struct incomplete); }  //! E to an incomplete type
)"));
}

KASSAY_CASE_F(Types, QualifiersOfTheVariableAreKept, Cites("ALC-028").OnHost()) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void both(void)
{
	const struct a *p = kmalloc_obj(*p);
	struct a *q = kmalloc_obj(*p);  //! E discards qualifiers
	const struct a *r = kmalloc_obj(struct a);

	kfree(p);
	kfree(q);
	kfree(r);
}
)"));
}

KASSAY_CASE_F(Types, AConstantCountTooBigForTheCounterIsWarnedOf, Cites("ALC-017").OnHost()) {
  EXPECT_TRUE(ReportsWhatIsAnnounced(R"(
void *bad(void) { return kmalloc_flex(struct counted, e, 300); }  //! W changes value from 300 to 44
void *good(void) { return kmalloc_flex(struct counted, e, 255); }
)"));
}

// Documented gaps: asserted as known, so that a tree that closes one is noticed.
KASSAY_CASE_F(Types, WhatTheHelpersDoNotRefuse,
              Cites("ALC-025", "ALC-027", "ALC-029", "ALC-030").OnHost()) {
  EXPECT_TRUE(Compiles(R"(
void *fixed_array(int n) { return kmalloc_flex(struct fixed, e, n); }
void *one_byte(void) { void *p = kmalloc_obj(*p); return p; }
void *surplus(int n) { return kmalloc_objs(struct a, n, GFP_KERNEL, 1); }
void unused(void) { kmalloc_obj(struct a); }
)"));
}

KASSAY_CASE_F(Types, OlderHeadersDoNotKnowThem, Cites("ALC-031").OnHost().Detection()) {
  const compile::KernelHeaders headers = compile::FindKernelHeaders();
  const compile::Compilation seen =
      compile::Compile("#include <linux/slab.h>\nint *probe(void) { return kmalloc_obj(int); }\n",
                       {.flags = {"-Werror=implicit-function-declaration"}});
  ASSERT_TRUE(seen.started);
  const bool has_helpers = compile::DefinesMacro(headers, "include/linux/slab.h", "kmalloc_obj");
  EXPECT_EQ(seen.exit_code == 0, has_helpers) << seen.output;
  if (!has_helpers) {
    EXPECT_NE(seen.output.find("kmalloc_obj"), std::string::npos) << seen.output;
  }
}

}  // namespace
}  // namespace kassay::typed_alloc
