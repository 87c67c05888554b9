/*
 * Promises: a refusal has a reason and leaves nothing behind; our scanner
 * and libconfuse never disagree about a text; what parses prints as text
 * that parses to the same policy and prints the same; no filter of any such
 * policy lets an unmarked client pass; every option made of it means its own
 * listener.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "policy/options.h"
#include "policy/parse.h"
#include "policy/rules.h"
#include "tests/unit/polprops.h"

static void
check_options(const struct pol_policy *p)
{
	struct pol_options o;

	FUZZ_ASSERT(pol_options_make(&o, p, NULL) == 0);
	for (size_t i = 0; i < o.n; i++)
		FUZZ_ASSERT(o.list[i].listener == SIZE_MAX ||
		    pol_option_same(&p->listeners[o.list[i].listener],
		    o.list[i].value, NULL));
	FUZZ_ASSERT(o.n == p->nlisteners + 1);
	pol_options_clear(&o);
}

static void
check_rules(const struct pol_policy *p)
{
	struct pol_ruleset rs;

	FUZZ_ASSERT(pol_ruleset_make(&rs, p) == 0);
	FUZZ_ASSERT(pp_ruleset_fault(&rs) == NULL);
	for (size_t i = 0; i < POL_NTABLE; i++) {
		char *text = pol_table_print(&rs.tables[i], p, POL_POS_OPEN);

		FUZZ_ASSERT(text != NULL);
		free(text);
	}
	pol_ruleset_clear(&rs);
}

static void
check_same(const struct pol_policy *p, const char *text)
{
	struct pol_source src = { "printed", text, strlen(text) };
	struct pol_policy q;
	struct pol_diags diags;
	char *again;

	FUZZ_ASSERT(pol_parse(&q, &diags, &src, 1) == 0);
	FUZZ_ASSERT(q.nlisteners == p->nlisteners);
	FUZZ_ASSERT(memcmp(q.listeners, p->listeners,
	    p->nlisteners * sizeof *p->listeners) == 0);
	again = pol_print(&q);
	FUZZ_ASSERT(again != NULL && strcmp(again, text) == 0);
	free(again);
	pol_diags_clear(&diags);
	pol_policy_clear(&q);
}

static void
check_refusal(const struct pol_diags *diags)
{
	/* At the start: further on there may be words of the input. */
	static const char apart[] = "this cannot be parsed";

	FUZZ_ASSERT(diags->n > 0);
	for (size_t i = 0; i < diags->n; i++)
		FUZZ_ASSERT(diags->list[i].text[0] != '\0' &&
		    strncmp(diags->list[i].text, apart, sizeof apart - 1) !=
		    0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pol_source src = { "fuzz", (const char *)data, size };
	struct pol_policy p;
	struct pol_diags diags;
	char *text;

	if (pol_parse(&p, &diags, &src, 1) == -1) {
		check_refusal(&diags);
		FUZZ_ASSERT(p.listeners == NULL);
		pol_diags_clear(&diags);
		return 0;
	}
	FUZZ_ASSERT(diags.n == 0 && p.nlisteners > 0);
	text = pol_print(&p);
	FUZZ_ASSERT(text != NULL);
	check_same(&p, text);
	check_options(&p);
	check_rules(&p);
	free(text);
	pol_policy_clear(&p);
	return 0;
}
