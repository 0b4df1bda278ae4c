// SPDX-License-Identifier: GPL-2.0
/*
 * Calls the typed allocation helpers and says on the kernel log, as KTAP, what came of it. The parameter `only` names
 * the one test to run; the name of the module differs by compiler (TYPED_ALLOC_NAME), since some promises are the
 * compiler's. Built for the headers of one kernel by the suite's --kassay_prepare.
 */
#define INCLUDE_VERMAGIC
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vermagic.h>

struct big {
	char bytes[200];
};

struct counted {
	unsigned char n;
	int e[] __counted_by(n);
};

struct bare {
	unsigned char n;
	int e[];
};

struct wide {
	size_t n;
	u64 e[];
};

static char *only = "";
module_param(only, charp, 0);

/* Hides a value from the optimizer: a constant would be folded or refused at build time. */
static size_t opaque(size_t value)
{
	OPTIMIZER_HIDE_VAR(value);
	return value;
}

static bool all_zero(const void *bytes, size_t size)
{
	return memchr_inv(bytes, 0, size) == NULL;
}

/* Each test gives 1 for what must hold, 0 for what does not, -1 where it cannot tell. */
static int gives_memory(void)
{
	struct big *variable = kmalloc_obj(*variable);
	struct big *type = kzalloc_obj(struct big);
	struct big *atomic = kmalloc_obj(*atomic, GFP_ATOMIC);
	const int held = variable && type && atomic && variable != type && ksize(variable) >= sizeof(*variable);

	kfree(variable);
	kfree(type);
	kfree(atomic);
	return held;
}

#define POISONED 64

/* Fills freed memory with a pattern first. Where a plain allocation never shows it, zeroing cannot be told. */
static int zeroes_objects(void)
{
	static void *slots[POISONED];
	int i, seen = 0, held = 1;

	for (i = 0; i < POISONED; i++) {
		slots[i] = kmalloc_obj(struct big);
		if (slots[i])
			memset(slots[i], 0xa5, sizeof(struct big));
	}
	for (i = 0; i < POISONED; i++)
		kfree(slots[i]);
	for (i = 0; i < POISONED / 2; i++) {
		slots[i] = kmalloc_obj(struct big);
		/* The allocator keeps its own pointer in the middle of a free slot: look at the end. */
		if (slots[i] && ((unsigned char *)slots[i])[199] == 0xa5)
			seen++;
	}
	for (i = POISONED / 2; i < POISONED; i++) {
		slots[i] = kzalloc_obj(struct big);
		if (!slots[i] || !all_zero(slots[i], sizeof(struct big)))
			held = 0;
	}
	for (i = 0; i < POISONED; i++)
		kfree(slots[i]);
	pr_info("# plain allocations that showed the pattern: %d\n", seen);
	if (held && seen == 0)
		return -1;
	return held;
}

static int zeroes_arrays(void)
{
	struct big *many = kzalloc_objs(*many, opaque(20));
	struct bare *flexible = kzalloc_flex(*flexible, e, opaque(50));
	const int held = many && flexible && all_zero(many, 20 * sizeof(*many)) &&
			 all_zero(flexible->e, 50 * sizeof(flexible->e[0]));

	kfree(many);
	kfree(flexible);
	return held;
}

static int zeroes_vmalloc(void)
{
	struct big *many = kvmalloc_objs(*many, opaque(30000));
	int held;

	if (many)
		memset(many, 0xa5, 30000 * sizeof(*many));
	kvfree(many);
	many = kvzalloc_objs(*many, opaque(30000));
	held = many && is_vmalloc_addr(many) && all_zero(many, 30000 * sizeof(*many));
	kvfree(many);
	return held;
}

static int refuses_overflow_k(void)
{
	const size_t most = SIZE_MAX / sizeof(struct big);
	struct big *plain = kmalloc_objs(*plain, opaque(most + 2), GFP_KERNEL | __GFP_NOWARN);
	struct big *zeroed = kzalloc_objs(*zeroed, opaque(most + 2), GFP_KERNEL | __GFP_NOWARN);
	struct big *one = kmalloc_objs(*one, opaque(1), GFP_KERNEL | __GFP_NOWARN);
	const int held = !plain && !zeroed && one;

	kfree(plain);
	kfree(zeroed);
	kfree(one);
	return held;
}

static int refuses_overflow_kv(void)
{
	const size_t most = SIZE_MAX / sizeof(struct big);
	struct big *plain = kvmalloc_objs(*plain, opaque(most + 2), GFP_KERNEL | __GFP_NOWARN);
	struct big *zeroed = kvzalloc_objs(*zeroed, opaque(most + 2), GFP_KERNEL | __GFP_NOWARN);
	const int held = !plain && !zeroed;

	kvfree(plain);
	kvfree(zeroed);
	return held;
}

static int refuses_negative(void)
{
	struct big *p = kmalloc_objs(*p, opaque((size_t)-1), GFP_KERNEL | __GFP_NOWARN);
	const int held = !p;

	kfree(p);
	return held;
}

static int zero_count(void)
{
	struct big *p = kmalloc_objs(*p, opaque(0));
	const int held = p == ZERO_SIZE_PTR && ZERO_OR_NULL_PTR(p) && p != NULL;

	kfree(p);
	return held;
}

static int refuses_flex_overflow(void)
{
	struct wide *whole = kmalloc_flex(*whole, e, opaque(SIZE_MAX - 3), GFP_KERNEL | __GFP_NOWARN);
	/* The product is small once it wrapped: 8 * (2^61 + 1) = 8. */
	struct wide *wrapped = kzalloc_flex(*wrapped, e, opaque((SIZE_MAX >> 3) + 2), GFP_KERNEL | __GFP_NOWARN);
	struct wide *good = kzalloc_flex(*good, e, opaque(3));
	const int held = !whole && !wrapped && good && ksize(good) >= sizeof(*good) + 3 * sizeof(u64);

	kfree(whole);
	kfree(wrapped);
	kfree(good);
	return held;
}

static int refuses_counter_overflow(void)
{
	struct counted *fits = kzalloc_flex(*fits, e, opaque(255));
	struct counted *wraps = kzalloc_flex(*wraps, e, opaque(300));
	const int held = fits && !wraps;

	if (wraps)
		pr_info("# count 300 was accepted, the counter reads %u\n", wraps->n);
	kfree(fits);
	kfree(wraps);
	return held;
}

static int sets_counter(void)
{
	struct counted *k = kmalloc_flex(*k, e, opaque(7));
	struct counted *kv = kvzalloc_flex(*kv, e, opaque(5));
	const int held = k && kv && k->n == 7 && kv->n == 5;

	pr_info("# counters: %d and %d\n", k ? k->n : -1, kv ? kv->n : -1);
	kfree(k);
	kvfree(kv);
	return held;
}

static int leaves_counter(void)
{
	struct counted *z = kzalloc_flex(*z, e, opaque(7));
	const int held = z && z->n == 0;

	kfree(z);
	return held;
}

static int writes_no_bare_counter(void)
{
	struct bare *z = kzalloc_flex(*z, e, opaque(7));
	const int held = z && z->n == 0;

	kfree(z);
	return held;
}

static int rounds_sizes(void)
{
	static const struct {
		size_t count, size;
	} table[] = { { 1, 8 },	   { 8, 8 },	 { 11, 16 },   { 17, 32 },   { 32, 32 },      { 40, 64 },
		      { 92, 96 },  { 139, 192 }, { 200, 256 }, { 314, 512 }, { 8090, 8192 } };
	int i, held = 1;

	for (i = 0; i < (int)ARRAY_SIZE(table); i++) {
		u8 *p = kmalloc_objs(*p, opaque(table[i].count));

		if (!p || ksize(p) != table[i].size) {
			pr_info("# %zu bytes came from a slot of %zu\n", table[i].count, p ? ksize(p) : 0);
			held = 0;
		}
		kfree(p);
	}
	return held;
}

static int keeps_limits(void)
{
	pr_info("# most %lu, cache most %lu, alignment %lu\n", (unsigned long)KMALLOC_MAX_SIZE,
		(unsigned long)KMALLOC_MAX_CACHE_SIZE, (unsigned long)ARCH_KMALLOC_MINALIGN);
	return KMALLOC_MAX_SIZE == 4194304 && KMALLOC_MAX_CACHE_SIZE == 8192 && ARCH_KMALLOC_MINALIGN == 8;
}

static int falls_back_to_vmalloc(void)
{
	u8 *k = kmalloc_objs(*k, opaque(6 << 20), GFP_KERNEL | __GFP_NOWARN);
	u8 *kv = kvmalloc_objs(*kv, opaque(6 << 20));
	u8 *small = kvmalloc_objs(*small, opaque(64));
	const int held = !k && kv && is_vmalloc_addr(kv) && small && !is_vmalloc_addr(small);

	kfree(k);
	kvfree(kv);
	kvfree(small);
	return held;
}

/* These two make the kernel warn, on purpose. */
static int warns_kv(void)
{
	struct big *p = kvzalloc_objs(*p, opaque(SIZE_MAX / 2));
	const int held = !p;

	kvfree(p);
	return held;
}

static int warns_k(void)
{
	struct big *p = kmalloc_objs(*p, opaque(SIZE_MAX / 2));
	const int held = !p;

	kfree(p);
	return held;
}

static const struct {
	const char *name;
	int (*run)(void);
} tests[] = {
	{ "gives_memory", gives_memory },
	{ "zeroes_objects", zeroes_objects },
	{ "zeroes_arrays", zeroes_arrays },
	{ "zeroes_vmalloc", zeroes_vmalloc },
	{ "refuses_overflow_k", refuses_overflow_k },
	{ "refuses_overflow_kv", refuses_overflow_kv },
	{ "refuses_negative", refuses_negative },
	{ "zero_count", zero_count },
	{ "refuses_flex_overflow", refuses_flex_overflow },
	{ "refuses_counter_overflow", refuses_counter_overflow },
	{ "sets_counter", sets_counter },
	{ "leaves_counter", leaves_counter },
	{ "writes_no_bare_counter", writes_no_bare_counter },
	{ "rounds_sizes", rounds_sizes },
	{ "keeps_limits", keeps_limits },
	{ "falls_back_to_vmalloc", falls_back_to_vmalloc },
	{ "warns_kv", warns_kv },
	{ "warns_k", warns_k },
};

static int __init typed_alloc_init(void)
{
	int i;

	pr_info("KTAP version 1\n");
	pr_info("1..1\n");
	for (i = 0; i < (int)ARRAY_SIZE(tests); i++) {
		int result;

		if (strcmp(tests[i].name, only) != 0)
			continue;
		result = tests[i].run();
		if (result < 0)
			pr_info("ok 1 %s # SKIP cannot be told here\n", tests[i].name);
		else
			pr_info("%sok 1 %s\n", result ? "" : "not ", tests[i].name);
	}
	return 0;
}

static void __exit typed_alloc_exit(void)
{
}

module_init(typed_alloc_init);
module_exit(typed_alloc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Typed allocation helpers under test");

/* What modpost would add; the module is linked without kbuild. */
MODULE_INFO(vermagic, VERMAGIC_STRING);
MODULE_INFO(name, TYPED_ALLOC_NAME);
#ifdef CONFIG_MITIGATION_RETPOLINE
MODULE_INFO(retpoline, "Y");
#endif
__visible struct module __this_module __section(".gnu.linkonce.this_module") = {
	.name = TYPED_ALLOC_NAME,
	.init = init_module,
	.exit = cleanup_module,
	.arch = MODULE_ARCH_INIT,
};
