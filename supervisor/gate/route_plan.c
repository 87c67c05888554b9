#include "supervisor/gate/route_plan.h"

#include <linux/fib_rules.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/rules.h"

struct plan {
	struct route_rule *rules;
	size_t n;
};

static void
want(struct plan *to, uint32_t pref, uint8_t action, struct route_rule rule)
{
	rule.pref = pref;
	rule.action = action;
	to->rules[to->n++] = rule; /* ROUTES_MOST is the sum of all */
}

static void
want_leave(struct plan *to, struct route_rule rule)
{
	want(to, ROUTES_LEAVE, FR_ACT_GOTO, rule);
}

/*
 * Answers of the gateway's own programs, told by their port.  Without one
 * nothing tells an answer from what the same program might begin: it then
 * goes to connected networks only.
 */
static void
want_service(struct plan *to, const struct pol_service *s)
{
	const struct pol_traffic *t = &s->traffic;

	if (s->internal)
		return;
	for (size_t i = 0; i < t->nports; i++)
		want_leave(to, (struct route_rule){ .ipproto = t->l4proto,
			.sport = { t->ports[i].first, t->ports[i].last } });
}

/* In the order in which they are put there: nothing is cut meanwhile. */
static void
want_full(struct plan *to, const struct pol_policy *p)
{
	const struct route_rule plain = { 0 };

	want(to, ROUTES_END, FR_ACT_NOP, plain);
	want_leave(to, (struct route_rule){ .has_uid = true,
		.uid = p->tor.user.uid });
	if (pol_has_lookup(p))
		want_leave(to, (struct route_rule){ .has_uid = true,
			.uid = p->resolver_user.uid });
	/*
	 * Reverse-path filters ask for the way back as if root sent it; what
	 * the gate's rules let in has a mark to know it by.
	 */
	want_leave(to, (struct route_rule){ .mark = POL_MARK_EGRESS });
	for (size_t i = 0; i < p->negress; i++)
		want_leave(to, (struct route_rule){ .has_uid = true,
			.uid = p->egress[i].user.uid });
	for (size_t i = 0; i < p->nservices; i++)
		want_service(to, &p->services[i]);
	if ((p->firewall.icmp & POL_ICMP_ECHO) != 0) /* the kernel answers */
		want_leave(to, (struct route_rule){ .has_uid = true,
			.ipproto = IPPROTO_ICMP });
	want(to, ROUTES_NEAR, FR_ACT_TO_TBL, plain);
	want(to, ROUTES_NOTHING, FR_ACT_UNREACHABLE, plain);
}

size_t
route_plan_make(struct route_rule rules[ROUTES_MOST],
    const struct pol_policy *p)
{
	struct plan to = { .rules = rules };

	if (p->firewall.routes == POL_ROUTES_OFF)
		return 0;
	want(&to, ROUTES_ARRIVED, FR_ACT_UNREACHABLE,
	    (struct route_rule){ .arrived = true });
	if (p->firewall.routes == POL_ROUTES_FULL)
		want_full(&to, p);
	return to.n;
}

uint8_t
route_plan_ipproto(const struct route_rule *rule, uint8_t family)
{
	if (rule->ipproto == IPPROTO_ICMP && family == AF_INET6)
		return IPPROTO_ICMPV6;
	return rule->ipproto;
}

/* Longer prefixes only; the kernel wants the longest to leave out. */
uint32_t
route_plan_suppress(uint8_t family)
{
	return (family == AF_INET6 ? ROUTES_NEAR6 : ROUTES_NEAR4) - 1;
}

static void add(char dst[ROUTE_PLAN_TEXT], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(char dst[ROUTE_PLAN_TEXT], const char *fmt, ...)
{
	size_t used = strlen(dst);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(dst + used, ROUTE_PLAN_TEXT - used, fmt, ap);
	va_end(ap);
}

static void
add_match(char dst[ROUTE_PLAN_TEXT], const struct route_rule *rule,
    uint8_t family)
{
	add(dst, "%s iif lo", rule->arrived ? " not" : "");
	if (rule->has_uid)
		add(dst, " uidrange %u-%u", rule->uid, rule->uid);
	if (rule->mark != 0)
		add(dst, " fwmark 0x%x/0x%x", rule->mark, rule->mark);
	if (rule->ipproto != 0)
		add(dst, " ipproto %u",
		    (unsigned)route_plan_ipproto(rule, family));
	if (rule->sport[0] != 0)
		add(dst, " sport %u-%u", (unsigned)rule->sport[0],
		    (unsigned)rule->sport[1]);
}

void
route_plan_format(char dst[ROUTE_PLAN_TEXT], const struct route_rule *rule,
    uint8_t family)
{
	(void)snprintf(dst, ROUTE_PLAN_TEXT, "ip -%c rule add pref %u "
	    "protocol %u", family == AF_INET6 ? '6' : '4', rule->pref,
	    ROUTES_PROTOCOL);
	add_match(dst, rule, family);
	if (rule->action == FR_ACT_GOTO)
		add(dst, " goto %u", ROUTES_END);
	else if (rule->action == FR_ACT_TO_TBL)
		add(dst, " lookup main suppress_prefixlength %u",
		    route_plan_suppress(family));
	else
		add(dst, " %s", rule->action == FR_ACT_NOP ? "nop" :
		    "unreachable");
}
