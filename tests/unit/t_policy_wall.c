/* The words of the firewall beside the listeners: right and wrong. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/polutil.h"

#define P_IN_FW(s) P_ALL "firewall {\n" s " }\n"
#define P_IN_TIME(s) P_ALL "timesync {\n" s " }\n"
#define P_IN_TIME2(s) P_IN_TIME("required = true users = sdwdate\n" s)
#define P_IN_EGRESS(s) P_ALL "egress e {\n" s " }\n"
#define P_IN_EGRESS2(s) P_IN_EGRESS("user = clearnet\n" s)
#define P_IN_SERVICE(s) P_ALL "service s {\n" s " }\n"
#define P_IN_SERVICE2(s) P_IN_SERVICE("interface = eth1 protocol = tcp\n" s)
#define L_TRANS "listener t { kind = trans port = 9041 address = \"::1\" }\n"
#define L_DNS "listener d { kind = dns port = 5400 address = \"127.0.0.1\" }\n"
#define L_UNIX "listener u { kind = socks address = \"unix:/s\" }\n"
#define L_LOCAL "listener l { kind = socks port = 9 address = \"::1\" }\n"
#define SEVENTEEN "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, " \
	"31, 33"
#define P_WILD(i, e) P_TOR "gateway {\n internal = { " i " }\nexternal = { " e \
	" } }\n" P_USERS P_SOCKS

static const struct fault {
	const char *text;
	unsigned line;
	const char *words;
} faults[] = {
	/* clang-format off */
	/* names of sections and keywords */
	{ P_ALL "firewal { }", 5, "did you mean \"firewall\"" },
	{ P_ALL "timesinc { }", 5, "did you mean \"timesync\"" },
	{ P_ALL "egres e { user = x }", 5, "did you mean \"egress\"" },
	{ P_ALL "services s { }", 5, "did you mean \"service\"" },
	{ P_ALL "egress { }", 5, "a name for the egress" },
	{ P_ALL "service { }", 5, "a name for the service" },
	{ P_ALL "egress \"a b\" { }", 5, "this egress has only letters" },
	{ P_ALL "egress e { user = x }\negress e { user = y }", 6,
	    "egress \"e\" stands twice in this file (the first: line 5)" },
	{ P_ALL "service s { interface = eth0 protocol = any }\n"
	    "service s { interface = eth0 protocol = any }", 6,
	    "service \"s\" stands twice" },
	{ P_IN_FW("modus = veto"), 6, "did you mean \"mode\"" },
	{ P_IN_TIME("user = x"), 6, "did you mean \"users\"" },
	{ P_IN_EGRESS("ports = 5"), 6, "did you mean \"port\"" },
	{ P_IN_SERVICE("user = x"), 6, "not a keyword of section \"service\"" },
	/* tor */
	{ P_IN_TOR("egress = strikt"), 2, "did you mean \"strict\"" },
	{ P_IN_TOR("interface = eth9"), 2, "write \"eth0\"" },
	{ P_IN_TOR("interface = \"eth*\""), 2, "each has to be named" },
	{ P_IN_TOR("interface = eth1"), 2, "not one of \"external\"" },
	{ P_IN_TOR("interface = { eth0, eth0 }"), 2, "named twice" },
	{ P_IN_TOR("interface = lo"), 2, "neither side's" },
	/* wildcards */
	{ P_WILD("\"vif*\"", "\"tun*\""), 4, "each has to be named" },
	{ P_WILD("\"*\"", "eth0"), 3, "cannot stand for interfaces" },
	{ P_WILD("\"l*\"", "eth0"), 3, "not \"lo\"" },
	{ P_WILD("\"v*f*\"", "eth0"), 3, "cannot stand for interfaces" },
	{ P_WILD("\"abcdefghijklmno*\"", "eth0"), 3, "15 letters in all" },
	{ P_WILD("\"eth*\"", "wlan0, eth0"), 4, "(test.conf, line 3: \"eth*\")" },
	{ P_WILD("eth1, \"eth*\"", "wlan0"), 3, "mean the same interfaces" },
	{ P_WILD("\"eth*\", \"e*\"", "wlan0"), 3, "mean the same interfaces" },
	{ P_WILD("\"vif*\", \"vif*\"", "wlan0"), 3, "named twice" },
	{ P_IN_ADDR("interface:eth*"), 6, "each has to be named" },
	/* firewall */
	{ P_IN_FW("mode = vetoo"), 6, "did you mean \"veto\"" },
	{ P_IN_FW("refuse = rejct"), 6, "did you mean \"reject\"" },
	{ P_IN_FW("routes = all"), 6, "not a value of \"routes\"" },
	{ P_IN_FW("icmp = { echo, unreachble }"), 6, "\"unreachable\"" },
	{ P_IN_FW("transparent = udp"), 6, "not a value of \"transparent\"" },
	{ P_IN_FW("ra = maybe"), 6, "\"maybe\"" },
	{ P_IN_FW("log_per_minute = 6001"), 6, "from 0 to 6000" },
	{ P_IN_FW("transparent = tcp"), 6,
	    "needs a listener of kind \"trans\" on loopback" },
	{ P_IN_FW("transparent = dns"), 6,
	    "needs a listener of kind \"dns\" on loopback" },
	{ P_IN_FW("routes = full\ntransparent = tcp") L_TRANS, 7,
	    "no route" },
	{ P_IN_FW("mode = veto\ntransparent = tcp") L_TRANS, 7,
	    "the other firewall's part" },
	{ P_IN_FW("transparent = tcp") L_TRANS
	    "listener t2 { kind = trans port = 9042 address = \"::1\" }", 6,
	    "listener \"t\" and listener \"t2\": keep one" },
	/* timesync */
	{ P_IN_TIME("required = yes"), 6, "not a value of \"required\"" },
	{ P_IN_TIME("directory = run"), 6, "as a path" },
	{ P_IN_TIME("directory = \"/" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""), 6,
	    "76 letters at most" },
	{ P_IN_TIME("users = root"), 6, "an unprivileged user" },
	{ P_IN_TIME("users = { a, b, a }"), 6, "named twice" },
	{ P_IN_TIME("users = { 5, 5 }"), 6, "named twice" },
	{ P_IN_TIME("users = { a, b, c, d, e, f, g, h, i }"), 6, "8 at most" },
	{ P_IN_TIME("users = { x, 101 }"), 6, "user \"101\" is Tor's" },
	{ P_IN_TIME("users = 102"), 6, "is our gate's" },
	{ P_IN_TIME("listeners = sdwdat") "listener sdwdate { kind = socks "
	    "port = 1 address = \"::1\" }", 6, "did you mean \"sdwdate\"" },
	{ P_IN_TIME("listeners = { a, a }"), 6, "named twice" },
	{ P_IN_TIME("listeners = \"\""), 6, "1 to 63 letters" },
	{ P_IN_TIME("listeners = { " SEVENTEEN " }"), 6, "16 at most" },
	{ P_IN_TIME("listeners = d") L_DNS, 6, "by a redirect only" },
	{ P_IN_TIME("listeners = t") L_TRANS, 6, "by a redirect only" },
	{ P_IN_TIME("listeners = u") L_UNIX, 6, "only Unix sockets" },
	{ P_IN_TIME("users = x\nrequired = true"), 7, "\"listeners\"" },
	{ P_IN_TIME("listeners = a\nrequired = true"), 7, "name in \"users\"" },
	{ P_IN_TIME("listeners = a required = true\nusers = {}"), 7,
	    "nobody could set the clock" },
	{ P_IN_TIME2("listeners = l\nworkstations = true") L_LOCAL, 8,
	    "that workstations reach" },
	{ P_IN_TIME("workstations = on"), 6, "\"workstations\"" },
	/* egress */
	{ P_IN_EGRESS("protocol = tcp"), 5, "egress \"e\" has no \"user\"" },
	{ P_IN_EGRESS("user = root"), 6, "an unprivileged user" },
	{ P_IN_EGRESS("user = 0"), 6, "user 0 cannot be used" },
	{ P_IN_EGRESS("user = 101"), 6, "is Tor's, who must not" },
	{ P_IN_EGRESS("user = 102"), 6, "is our gate's" },
	{ P_IN_EGRESS("user = 103"), 6, "is our engine's" },
	{ P_IN_EGRESS("user = 104"), 6, "is our status program's" },
	{ P_IN_EGRESS2("interface = eth1"), 7, "not one of \"external\"" },
	{ P_IN_EGRESS2("interface = eth00"), 7, "write \"eth0\"" },
	{ P_IN_EGRESS2("interface = \"eth*\""), 7, "not one of \"external\"" },
	{ P_IN_EGRESS2("interface = lo"), 7, "neither side's" },
	{ P_IN_EGRESS2("protocol = icmp"), 7, "not a value of \"protocol\"" },
	/* Nothing named is not everything. */
	{ P_IN_EGRESS2("port = { }"), 7, "\"port\" is empty" },
	{ P_IN_EGRESS2("network = { }"), 7, "\"network\" is empty" },
	{ P_IN_SERVICE2("port = { }"), 7, "\"port\" is empty" },
	{ P_IN_SERVICE2("port = 22 network = { }"), 7, "is empty" },
	{ P_IN_EGRESS2("port = 123"), 7, "ports go with a protocol" },
	{ P_IN_EGRESS2("protocol = any\nport = 123"), 8, "go with a protocol" },
	{ P_IN_EGRESS2("protocol = tcp\nport = 0"), 8, "not a port" },
	{ P_IN_EGRESS2("protocol = tcp\nport = \"20-10\""), 8,
	    "the smaller one first" },
	{ P_IN_EGRESS2("protocol = tcp\nport = 65536"), 8, "not a port" },
	{ P_IN_EGRESS2("protocol = tcp\nport = { 22, 22 }"), 8,
	    "ports 22 and 22 overlap" },
	{ P_IN_EGRESS2("protocol = udp\nport = { \"10-20\", 5, \"20-30\" }"),
	    8, "ports 10-20 and 20-30 overlap" },
	{ P_IN_EGRESS2("protocol = udp\nport = { " SEVENTEEN " }"), 8,
	    "too many ports: 16" },
	{ P_IN_EGRESS2("network = \"192.168.1.1/24\""), 7,
	    "write \"192.168.1.0/24\"" },
	{ P_IN_EGRESS2("network = \"fd00::1/8\""), 7, "write \"fd00::/8\"" },
	{ P_IN_EGRESS2("network = \"10.0.0.0/33\""), 7, "not a network" },
	{ P_IN_EGRESS2("network = \"10.0.0.0/\""), 7, "not a network" },
	{ P_IN_EGRESS2("network = example.org"), 7, "not a network" },
	{ P_IN_EGRESS2("network = \"::ffff:10.0.0.0/104\""), 7, "disguise" },
	{ P_IN_EGRESS2("network = { \"10.0.0.0/8\", \"10.1.0.0/16\" }"), 7,
	    "\"10.1.0.0/16\" and 10.0.0.0/8 have addresses in common" },
	{ P_IN_EGRESS2("network = { \"fd00::1\", \"::/0\" }"), 7, "in common" },
	{ P_IN_EGRESS2("network = { " SEVENTEEN " }"), 7, "16 at most" },
	/* service */
	{ P_IN_SERVICE("protocol = tcp"), 5, "has no \"interface\"" },
	{ P_IN_SERVICE("interface = eth0"), 5, "has no \"protocol\"" },
	{ P_IN_SERVICE("protocol = any\ninterface = ether1"), 7,
	    "the side that the callers are on" },
	{ P_IN_SERVICE("protocol = any\ninterface = lo"), 7, "neither side's" },
	{ P_IN_SERVICE("protocol = any\ninterface = \"e*\""), 7,
	    "neither one of \"internal\"" },
	{ P_IN_SERVICE("interface = eth0 protocol = any\nport = 5"), 7,
	    "go with a protocol" },
	{ P_IN_SERVICE2("port = \"9000-9100\""), 7,
	    "covers port 9050 of listener \"a\"" },
	{ P_IN_SERVICE("interface = eth1 protocol = any"), 5,
	    "covers port 9050 of listener \"a\"" },
	{ P_IN_SERVICE2("port = 7") "listener i { kind = socks port = 7\n"
	    "address = \"interface:eth1:ipv4\" }", 7, "of listener \"i\"" },
	{ P_WILD("eth1, eth2", "eth0") "service s { interface = eth1\n"
	    "protocol = tcp port = 7 }\nlistener i { kind = socks port = 7\n"
	    "address = \"interface:eth2:ipv4\" }", 8, "of listener \"i\"" },
	{ P_IN_SERVICE("interface = eth0 protocol = tcp\nport = 7")
	    "listener i { kind = socks port = 7\n"
	    "address = \"interface:eth1:ipv4\" }", 7, "of listener \"i\"" },
	/* clang-format on */
};

START_TEST(a_fault_is_named_with_its_line)
{
	const struct fault *f = &faults[_i];

	pu_fault(f->text, f->line, f->words);
}
END_TEST

START_TEST(defaults_are_as_documented)
{
	struct pol_policy p;

	pu_parse(&p, P_ALL);
	ck_assert(!p.tor.strict_egress);
	ck_assert_uint_eq(p.tor.nifaces, 0);
	ck_assert_int_eq(p.firewall.mode, POL_MODE_STANDALONE);
	ck_assert_int_eq(p.firewall.refuse, POL_REFUSE_REJECT);
	ck_assert_int_eq(p.firewall.routes, POL_ROUTES_INTERNAL);
	ck_assert_uint_eq(p.firewall.icmp, POL_ICMP_FRAG_NEEDED);
	ck_assert_uint_eq(p.firewall.transparent, 0);
	ck_assert(p.firewall.ra);
	ck_assert_uint_eq(p.firewall.log_per_minute, 0);
	ck_assert(!p.timesync.required);
	ck_assert_str_eq(p.timesync.directory, "/run/sdwdate");
	ck_assert(!p.timesync.workstations);
	ck_assert_uint_eq(p.timesync.nusers, 0);
	ck_assert_uint_eq(p.negress, 0);
	ck_assert_uint_eq(p.nservices, 0);
	pol_policy_clear(&p);
}
END_TEST

/* Every new keyword, none with its default. */
static const char everything[] =
    "tor { user = 101 control = \"unix:/c\" egress = strict interface = tun0 }"
    "gateway { internal = { eth1, \"vif*\" } external = { eth0, tun0 } }"
    P_USERS
    "firewall { mode = standalone refuse = drop routes = off\n"
    "icmp = { echo, unreachable } transparent = { dns, tcp } ra = false\n"
    "log_per_minute = 60 }\n"
    "timesync { required = true directory = \"/run/clock\"\n"
    "users = { sdwdate, 55 } listeners = { s2, a } workstations = true }\n"
    "egress clear { user = clearnet }\n"
    "egress lan { user = 1000 interface = eth0 protocol = udp\n"
    "port = { 123, \"8000-8010\" }\n"
    "network = { \"192.168.1.0/24\", \"fd00::/8\", \"10.1.2.3\" } }\n"
    "service ssh { interface = eth0 protocol = tcp port = 22\n"
    "network = \"203.0.113.0/24\" }\n"
    "service control { interface = \"vif*\" protocol = tcp port = 9051 }\n"
    "service one { interface = vif7 protocol = udp port = 9050 }\n"
    "service all { interface = tun0 protocol = any }\n"
    P_SOCKS L_TRANS L_DNS
    "listener s2 { kind = socks port = { 5, 6 } address = \"127.0.0.1\" }\n";

static void
check_passes(const struct pol_policy *p)
{
	const struct pol_traffic *t = &p->egress[1].traffic;

	ck_assert_uint_eq(p->negress, 2);
	ck_assert_str_eq(p->egress[0].user.name, "clearnet");
	ck_assert_str_eq(p->egress[0].ifname, "");
	ck_assert_uint_eq(p->egress[0].traffic.l4proto, 0);
	ck_assert_uint_eq(p->egress[1].user.uid, 1000);
	ck_assert_uint_eq(t->l4proto, IPPROTO_UDP);
	ck_assert_uint_eq(t->nports, 2);
	ck_assert_uint_eq(t->ports[1].first, 8000);
	ck_assert_uint_eq(t->ports[1].last, 8010);
	ck_assert_uint_eq(t->nnets, 3);
	ck_assert_int_eq(t->nets[1].addr.family, AF_INET6);
	ck_assert_uint_eq(t->nets[1].prefix, 8);
	ck_assert_uint_eq(t->nets[2].prefix, 32);
	ck_assert_uint_eq(p->nservices, 4);
	ck_assert(!p->services[0].internal);
	ck_assert(p->services[1].internal);
	ck_assert_str_eq(p->services[1].ifname, "vif*");
	ck_assert(p->services[2].internal);
	ck_assert(!p->services[3].internal);
}

START_TEST(every_keyword_is_taken)
{
	struct pol_policy p;

	pu_parse(&p, everything);
	ck_assert(p.tor.strict_egress);
	ck_assert(pol_tor_leaves_by(&p, "tun0"));
	ck_assert(!pol_tor_leaves_by(&p, "eth0"));
	ck_assert_str_eq(p.internal[1], "vif*");
	ck_assert_int_eq(p.firewall.refuse, POL_REFUSE_DROP);
	ck_assert_int_eq(p.firewall.routes, POL_ROUTES_OFF);
	ck_assert_uint_eq(p.firewall.icmp,
	    POL_ICMP_ECHO | POL_ICMP_UNREACHABLE);
	ck_assert_uint_eq(p.firewall.transparent,
	    POL_TRANSPARENT_TCP | POL_TRANSPARENT_DNS);
	ck_assert(!p.firewall.ra);
	ck_assert_uint_eq(p.firewall.log_per_minute, 60);
	ck_assert(p.timesync.required);
	ck_assert_str_eq(p.timesync.directory, "/run/clock");
	ck_assert_uint_eq(p.timesync.nusers, 2);
	ck_assert_str_eq(p.timesync.users[0].name, "sdwdate");
	ck_assert_uint_eq(p.timesync.users[1].uid, 55);
	ck_assert(p.timesync.workstations);
	for (size_t i = 0; i < p.nlisteners; i++)
		ck_assert_int_eq(p.listeners[i].timesync,
		    p.listeners[i].kind == POL_SOCKS);
	check_passes(&p);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(what_is_printed_means_the_same)
{
	struct pol_policy p, q;
	char *once, *twice;

	pu_parse(&p, everything);
	once = pol_print(&p);
	ck_assert_ptr_nonnull(once);
	pu_parse(&q, once);
	twice = pol_print(&q);
	ck_assert_str_eq(once, twice);
	ck_assert_mem_eq(&p.firewall, &q.firewall, sizeof p.firewall);
	ck_assert_mem_eq(p.egress, q.egress, sizeof p.egress);
	ck_assert_mem_eq(p.services, q.services, sizeof p.services);
	ck_assert_mem_eq(p.tor.ifaces, q.tor.ifaces, sizeof p.tor.ifaces);
	ck_assert_mem_eq(&p.timesync, &q.timesync, sizeof p.timesync);
	ck_assert_mem_eq(p.listeners, q.listeners,
	    p.nlisteners * sizeof *p.listeners);
	free(once);
	free(twice);
	pol_policy_clear(&p);
	pol_policy_clear(&q);
}
END_TEST

START_TEST(a_later_section_of_one_name_replaces_the_earlier)
{
	static const char first[] = P_ALL
	    "egress e { user = x protocol = tcp port = 5 }\n"
	    "egress f { user = x }\n"
	    "service s { interface = eth0 protocol = tcp port = 5 }\n";
	static const char second[] = "service s { interface = eth1\n"
	    "protocol = udp port = 6 }\negress e { user = y }\n";
	struct pol_source src[] = { { "1", first, sizeof first - 1 },
		{ "2", second, sizeof second - 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 2), 0);
	ck_assert_uint_eq(p.negress, 2);
	ck_assert_str_eq(p.egress[0].name, "e");
	ck_assert_str_eq(p.egress[0].user.name, "y");
	ck_assert_uint_eq(p.egress[0].traffic.nports, 0);
	ck_assert_uint_eq(p.nservices, 1);
	ck_assert(p.services[0].internal);
	ck_assert_uint_eq(p.services[0].traffic.ports[0].first, 6);
	pol_policy_clear(&p);
	pol_diags_clear(&d);
}
END_TEST

/* A later file takes back what an earlier one has said. */
START_TEST(a_later_list_replaces_the_whole_earlier_one)
{
	static const char first[] = "tor { interface = eth0 }\n"
	    "firewall { icmp = { echo, unreachable } }\n"
	    "timesync { users = { x, y } listeners = nowhere }\n" P_ALL;
	static const char second[] = "tor { interface = {} }\n"
	    "firewall { icmp = {} }\ntimesync { users = z listeners = a }\n";
	struct pol_source src[] = { { "1", first, sizeof first - 1 },
		{ "2", second, sizeof second - 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 2), 0);
	ck_assert_uint_eq(p.tor.nifaces, 0);
	ck_assert_uint_eq(p.firewall.icmp, 0);
	ck_assert_uint_eq(p.timesync.nusers, 1);
	ck_assert_str_eq(p.timesync.users[0].name, "z");
	ck_assert(p.listeners[0].timesync);
	pol_policy_clear(&p);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(each_kind_of_section_has_its_own_most)
{
	char text[8192] = P_ALL;
	char *end = text + strlen(text);
	struct pol_policy p;

	for (unsigned i = 0; i < 32; i++)
		end += sprintf(end, "egress e%u { user = x }\n"
		    "service e%u { interface = eth0 protocol = any }\n", i, i);
	pu_parse(&p, text);
	ck_assert_uint_eq(p.negress, POL_MAX_EGRESS);
	ck_assert_uint_eq(p.nservices, POL_MAX_SERVICES);
	pol_policy_clear(&p);
	(void)strcpy(end, "service more { interface = eth0 protocol = any }");
	pu_fault(text, 69, "service \"more\" is one too many: 32");
	(void)strcpy(end, "egress more { user = x }");
	pu_fault(text, 69, "egress \"more\" is one too many: 32");
}
END_TEST

/* One user twice; what only looks alike; an interface below a wildcard. */
START_TEST(what_is_no_fault_is_taken)
{
	struct pol_policy p;

	pu_parse(&p, P_ALL "egress a { user = x }\negress b { user = x }\n"
	    "service s { interface = eth1 protocol = udp port = 9050 }\n"
	    "service t { interface = eth0 protocol = tcp port = 9050 }\n");
	pol_policy_clear(&p);
	pu_parse(&p, P_TOR "gateway { internal = { \"vif*\", \"vi\" }\n"
	    "external = eth0 }\n" P_USERS "listener a { kind = socks port = 9\n"
	    "address = \"interface:vif1.0\" }\n"
	    "firewall { routes = full }\n"
	    "service s { interface = vif2 protocol = udp port = 9 }\n"
	    "service t { interface = eth0 protocol = any }\n");
	ck_assert_str_eq(p.ifaddrs[0].ifname, "vif1.0");
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_part_that_is_not_understood_hides_what_follows_from_it)
{
	/* The listener that "transparent" needs is wrong itself. */
	pu_fault(P_ALL "firewall { transparent = tcp }\n"
	    "listener t { kind = trans address = \"::1\" }", 6, "\"port\"");
	/* The name may be in the section that is misspelt. */
	pu_fault(P_ALL "timesync { listeners = b }\nlistner b { }", 6,
	    "no section");
	/* One complaint for one word. */
	pu_fault(P_ALL "egress e {\nuser = root protocol = tcp }", 6,
	    "unprivileged");
}
END_TEST

START_TEST(a_network_is_read_strictly_or_with_its_hosts_bits_cleared)
{
	struct pol_net net;
	char text[INET6_ADDRSTRLEN + 4];

	ck_assert(!pol_net_parse(&net, "172.31.255.255/12"));
	ck_assert(pol_net_mask(&net, "172.31.255.255/12"));
	pol_net_format(text, sizeof text, &net);
	ck_assert_str_eq(text, "172.16.0.0/12");
	ck_assert(pol_net_parse(&net, text));
	ck_assert(pol_net_mask(&net, "fd19:c33d:88bc::10/96"));
	pol_net_format(text, sizeof text, &net);
	ck_assert_str_eq(text, "fd19:c33d:88bc::/96");
	ck_assert(pol_net_mask(&net, "1.2.3.4/0"));
	pol_net_format(text, sizeof text, &net);
	ck_assert_str_eq(text, "0.0.0.0/0");
	ck_assert(!pol_net_mask(&net, "1.2.3/8"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_wall");
	TCase *t = tcase_create("wall");

	tcase_add_loop_test(t, a_fault_is_named_with_its_line, 0,
	    (int)(sizeof faults / sizeof faults[0]));
	tcase_add_test(t, defaults_are_as_documented);
	tcase_add_test(t, every_keyword_is_taken);
	tcase_add_test(t, what_is_printed_means_the_same);
	tcase_add_test(t, a_later_section_of_one_name_replaces_the_earlier);
	tcase_add_test(t, a_later_list_replaces_the_whole_earlier_one);
	tcase_add_test(t, each_kind_of_section_has_its_own_most);
	tcase_add_test(t, what_is_no_fault_is_taken);
	tcase_add_test(t,
	    a_part_that_is_not_understood_hides_what_follows_from_it);
	tcase_add_test(t,
	    a_network_is_read_strictly_or_with_its_hosts_bits_cleared);
	suite_add_tcase(s, t);
	return pu_run(s);
}
