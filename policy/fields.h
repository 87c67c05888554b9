/*
 * One function per keyword: words -> values in the draft; for fields*.c, and
 * for those who find out which keyword it is.
 */
#ifndef POL_FIELDS_H
#define POL_FIELDS_H

#include "draft.h"

/* One setting, as its function gets it. */
struct pol_field {
	struct pol_draft *d;
	struct pol_section *section; /* NULL but in groups and listeners */
	struct pol_pass *pass;	     /* NULL but in egress and service */
	struct pol_carrier *carrier; /* NULL but in transport */
	const char *key;
	struct pol_where at;
	const char *const *words; /* one, unless the keyword takes a list */
	size_t n;
};

struct pol_keyword {
	enum pol_section_id section;
	const char *name;
	bool list;
	void (*set)(struct pol_field *f);
};

extern const struct pol_keyword pol_keywords[POL_NKEYWORDS];

/* The keyword's index; POL_NKEYWORDS when SECTION has none of that name. */
size_t pol_keyword_find(enum pol_section_id section, const char *name);

/* For all fields*.c: each complains when it returns false. */
#define POL_COMPLAIN(f, ...) pol_diag((f)->d->diags, (f)->at, __VA_ARGS__)
bool pol_field_path(const struct pol_field *f, const char *path, size_t max);
/* Is WORD, of a list, several words in one?  Complains then. */
bool pol_field_several(const struct pol_field *f, const char *word);
bool pol_field_iface(const struct pol_field *f, const char *name);
/* That, or how several begin and an asterisk; never "lo" among them. */
bool pol_field_pattern(const struct pol_field *f, const char *word);
bool pol_field_number(const struct pol_field *f, uint32_t *out, uint32_t min,
    uint32_t max);
bool pol_field_bool(const struct pol_field *f, bool *out);
bool pol_field_user(const struct pol_field *f, const char *word,
    struct pol_user *user);
/* "9150" or "9152-9159". */
bool pol_field_range(const struct pol_field *f, struct pol_ports *out,
    const char *word);
/* The word's place in NAMES, or N after a complaint. */
size_t pol_field_choose(const struct pol_field *f, const char *word,
    const char *const *names, size_t n);

/* fields_list.c: the keywords of listeners and groups. */
void pol_set_kind(struct pol_field *f);
void pol_set_address(struct pol_field *f);
void pol_set_port(struct pol_field *f);
void pol_set_flags(struct pol_field *f);
void pol_set_app(struct pol_field *f);
void pol_set_group(struct pol_field *f);

/* fields_wall.c: the keywords of firewall, timesync and whonix. */
void pol_set_mode(struct pol_field *f);
void pol_set_refuse(struct pol_field *f);
void pol_set_routes(struct pol_field *f);
void pol_set_icmp(struct pol_field *f);
void pol_set_transparent(struct pol_field *f);
void pol_set_ra(struct pol_field *f);
void pol_set_log(struct pol_field *f);
void pol_set_required(struct pol_field *f);
void pol_set_directory(struct pol_field *f);
void pol_set_time_users(struct pol_field *f);
void pol_set_time_listeners(struct pol_field *f);
void pol_set_workstations(struct pol_field *f);
void pol_set_status_files(struct pol_field *f);

/* fields_pass.c: the keywords of egress and service. */
void pol_set_pass_user(struct pol_field *f);
void pol_set_pass_interface(struct pol_field *f);
void pol_set_pass_protocol(struct pol_field *f);
void pol_set_pass_port(struct pol_field *f);
void pol_set_pass_network(struct pol_field *f);

/* fields_uplink.c: the keywords of resolver and transport, and two more. */
void pol_set_torrc(struct pol_field *f);
void pol_set_enable(struct pol_field *f);
void pol_set_resolver_user(struct pol_field *f);
void pol_set_resolver_address(struct pol_field *f);
void pol_set_resolver_port(struct pol_field *f);
void pol_set_resolver_protocol(struct pol_field *f);
void pol_set_resolver_name(struct pol_field *f);
void pol_set_resolver_pin(struct pol_field *f);
void pol_set_resolver_private(struct pol_field *f);
void pol_set_resolver_timeout(struct pol_field *f);
void pol_set_stub_port(struct pol_field *f);
void pol_set_methods(struct pol_field *f);
void pol_set_program(struct pol_field *f);
void pol_set_arguments(struct pol_field *f);
void pol_set_dns(struct pol_field *f);
void pol_set_udp(struct pol_field *f);
void pol_set_bridge(struct pol_field *f);

/*
 * Why A can be no single host's for good ("a wildcard: name ..."); NULL: it
 * can.  Static.
 */
const char *pol_addr_fault(const struct pol_addr *a);

#endif
