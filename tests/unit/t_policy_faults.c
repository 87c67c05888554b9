/* Each way to write a policy wrongly, and what is said of it. */
#include "tests/unit/polutil.h"

#define UNIX "address = \"unix:/a\" "
#define ETH1 "address = \"interface:eth1\" "
#define P_TCP "tor { user = 101 control = \"127.0.0.1:9051\" }\n"
#define P_SOCKS_B "listener b { kind = socks address = \"::1\" port = 1 }"
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct fault {
	const char *text;
	unsigned line;
	const char *words;
} faults[] = {
	/* clang-format off */
	/* words and braces */
	{ P_IN_TOR("usr = 5"), 2, "did you mean \"user\"" },
	{ P_IN_TOR("COOKIE-FILE = \"/x\""), 2, "did you mean \"cookie_file\"" },
	{ P_IN_GW2("lease = 5"), 4, "did you mean \"lease_ms\"" },
	{ P_ALL "listner \"b\" { kind = { x, y } }", 5, "\"listener\"" },
	{ P_ALL "gate { a = b c = { d, e } f = {} }", 5, "no section" },
	{ P_ALL "include(\"/etc/passwd\")", 5, "conf.d" },
	{ P_IN_TOR("auth = { null } auth = { null }"), 2, "twice" },
	{ P_IN_TOR("cookie_file = { \"/x\" }"), 2, "only one value" },
	{ P_ALL "listener { }", 5, "a name for the listener" },
	{ P_ALL "listener \"a b\" { }", 5, "only letters" },
	{ P_ALL "listener \"\" { }", 5, "1 to 63 letters" },
	{ P_ALL "}", 5, "the section of line 4 ended in line 4" },
	{ P_ALL "tor \"x\" { }", 5, "has no name: remove \"x\"" },
	{ P_ALL "tor", 5, "too early: an opening brace" },
	{ P_ALL "tor {\n\n", 7, "inside the section of line 5: add" },
	{ P_ALL "tor { user", 5, "an equals sign" },
	{ P_ALL "tor { user 5 }", 5, "write an equals sign" },
	{ P_ALL "tor { user = }", 5, "write a value" },
	{ P_ALL "tor { auth = { null cookie } }", 5, "a comma or" },
	{ P_ALL "tor { auth = { null, } }", 5, "a comma stands before" },
	{ P_ALL "tor { auth += { null } }", 5, "\"+\" cannot stand here" },
	{ P_ALL "tor { user { } }", 5, "write an equals sign" },
	{ P_ALL "tor { user = \"x\n\" }", 5, "no end" },
	{ P_ALL "tor { user = \"x", 5, "no end" },
	{ P_ALL "tor { user = 'x\\y' }", 5, "backslash" },
	{ P_ALL "tor { user = \"x\\n\" }", 5, "backslash" },
	{ P_ALL "tor { user = \"\1\" }", 5, "control character" },
	{ P_ALL "tor { user = \"${HOME}\" }", 5, "environment" },
	{ P_ALL "tor { user = '${HOME}' }", 5, "environment" },
	{ P_ALL "tor { user = ${HOME} }", 5, "environment" },
	{ P_ALL "/* for ever", 5, "close it with" },
	{ P_ALL "tor { user = a/b }", 5, "double quotes" },
	{ P_IN_GW2("egress = strict"), 4, "but of \"tor\": move it there" },
	{ P_IN_GW2("interface = {}"), 4, "but of \"tor\", \"egress\" or \"serv" },
	{ P_IN_TOR("leas_ms = 500"), 2, "\"lease_ms\", of section \"gateway\"" },
	{ P_IN_TOR("zzzzzzzz = 5"), 2, "write \"user\", \"control\", \"auth\"" },
	{ P_ALL "zzzz { a = 5 }", 5, "or \"listener\"" },
	{ P_ALL "\ndhcp = true\n" P_SOCKS_B, 6,
	    "outside of every section: the section of line 4 ended in line 4; "
	    "put it into \"gateway\"" },
	{ P_ALL "egress = strict", 5, "put it into \"tor\"" },
	{ P_ALL "nothing = 1", 5, "put it into one" },
	{ "dhcp = true\n" P_ALL, 1, "of every section; put it into" },
	{ "}" P_ALL, 1, "this brace closes nothing; remove it" },
	{ P_ALL "users\n gate = 5\n}", 6, "opening brace after \"users\"" },
	{ P_ALL "tor {\nuser 5\n}", 6, "an equals sign after \"user\"" },
	{ P_ALL "tor {\nuser: 5\n}", 6, "write \"=\" between" },
	{ P_ALL "tor {\nuser =\nauth = null }", 6, "\"user\" has no value" },
	{ P_ALL "tor {\nauth = { null\nuser = 5 }\n}", 7,
	    "the list of \"auth\" in line 6 has no closing brace before "
	    "\"user\"" },
	{ P_ALL "tor { auth = { null,\n", 6, "closes the list of line 5" },
	{ P_ALL "tor { auth = { null,, cookie } }", 5, "write a value, or" },
	{ P_ALL "tor { auth = null, cookie }", 5, "are a list: put them" },
	{ P_ALL "tor { user = 5, 6 }", 5, "takes only one value: remove" },
	{ P_ALL "tor { auth = [ null ] }", 5, "\"[\" cannot stand here: a list" },
	{ P_ALL "gateway { internal = vif* }", 5,
	    "\"vif*\" cannot stand here: put it in double quotes" },
	{ P_ALL "tor { control = unix:/run/tor/control }", 5,
	    "\"unix:/run/tor/control\" cannot stand here: put it" },
	/* what editors do to text */
	{ "\xef\xbb\xbf" P_ALL, 1, "byte order mark" },
	{ P_ALL "listener \xe2\x80\x9c" "b\xe2\x80\x9d { }", 5,
	    "U+201C is a quotation mark of prose" },
	{ P_ALL "tor {\xc2\xa0user = 5 }", 5, "U+00A0 looks like a space" },
	{ P_ALL "tor { user = b\xc3\xbcro }", 5, "U+00FC cannot stand here" },
	{ P_ALL "tor { user = \xf0\x9f\x94\x91 }", 5, "U+1F511 cannot" },
	{ P_ALL "tor { user = \xfc }", 5, "octet 0xfc" },
	{ P_ALL "tor { user = \xe2\x80", 5, "octet 0xe2" },
	/* tor */
	{ P_IN_TOR("cookie_file = \"run/x\""), 2, "as a path" },
	{ P_IN_TOR("cookie_file = \"~/x\""), 2, "as a path" },
	{ P_IN_TOR("cookie_file = \"/a/../b\""), 2, "as a path" },
	{ P_IN_TOR("cookie_file = \"/a b\""), 2, "as a path" },
	{ P_IN_TOR("auth = { }"), 2, "empty" },
	{ P_IN_TOR("auth = { safecooky }"), 2, "did you mean \"safecookie\"" },
	{ P_IN_TOR("auth = password"), 2, "needs \"password_file\"" },
	{ P_IN_TOR("auth = { safecookie, cookie }"), 2,
	    "needs \"cookie_file\"" },
	{ "tor { user = 101 }" P_GW P_USERS P_SOCKS, 0, "\"control\" is not" },
	{ "tor { control = \"unix:/c\" }" P_GW P_USERS P_SOCKS, 0, "\"user\"" },
	{ "tor { user = 1 control = \"unix:c\" }" P_GW P_USERS P_SOCKS, 1,
	    "as a path" },
	{ "tor { user = 1 control = \"1.2.3.4:9051\" }" P_GW P_USERS P_SOCKS,
	    1, "not on loopback" },
	{ "tor { user = 1 control = \"[::]:9051\" }" P_GW P_USERS P_SOCKS,
	    1, "not on loopback" },
	{ "tor { user = 1 control = \"localhost:1\" }" P_GW P_USERS P_SOCKS,
	    1, "control address" },
	{ "tor { user = 1 control = \"127.0.0.1:0\" }" P_GW P_USERS P_SOCKS,
	    1, "control address" },
	{ "tor { user = 1 control = \"::1:9051\" }" P_GW P_USERS P_SOCKS,
	    1, "control address" },
	{ "tor { user = root control = \"unix:/c\" }" P_GW P_USERS P_SOCKS,
	    1, "unprivileged" },
	/* users */
	{ P_IN_USERS("gate = 0"), 4, "unprivileged" },
	{ P_IN_USERS("gate = 4294967295"), 4, "unprivileged" },
	{ P_IN_USERS("gate = 4294967296"), 4, "unprivileged" },
	{ P_IN_USERS("gate = \"-x\""), 4, "unprivileged" },
	{ P_IN_USERS("gate = \"a b\""), 4, "unprivileged" },
	{ P_IN_USERS("gate = 101"), 4, "as \"user\" of section "
	    "\"tor\" (test.conf, line 1)" },
	{ P_IN_USERS("gate = 102 engine = 102"), 4, "the same user as \"gate\"" },
	{ P_IN_USERS("gate = a\nengine = b\nstatus = a"), 6, "the same user" },
	/* gateway */
	{ P_IN_GW("external = eth0"), 0, "\"internal\" is not set" },
	{ P_IN_GW("internal = eth0"), 0, "\"external\" is not set" },
	{ P_IN_GW("internal = {} external = eth0"), 4 - 1, "is empty" },
	{ P_IN_GW("internal = eth0\nexternal = eth0"), 4,
	    "also internal (test.conf, line 3: \"eth0\")" },
	{ P_IN_GW("internal = \"vif+\" external = eth0"), 3, "write \"vif*\"" },
	{ P_IN_GW("internal = eth1 external = \"eth+\""), 3,
	    "each has to be named" },
	{ P_IN_GW("internal = eth1 external = \"eth*\""), 3,
	    "each has to be named" },
	{ P_IN_GW("internal = \"eth1 eth2\" external = eth0"), 3,
	    "more than one word" },
	{ P_IN_GW("internal = \"eth1,eth2\" external = eth0"), 3,
	    "more than one word" },
	{ P_IN_GW("internal = lo external = eth0"), 3, "neither side" },
	{ P_IN_GW("internal = \"eth*\" external = eth0"), 3,
	    "also internal (test.conf, line 3: \"eth*\")" },
	{ P_IN_GW("internal = \"a/b\" external = eth0"), 3, "an interface's name" },
	{ P_IN_GW("internal = abcdefghijklmnop external = eth0"), 3, "1 to 15" },
	{ P_IN_GW("internal = { a, a } external = eth0"), 3, "named twice" },
	{ P_IN_GW("internal = { a,b,c,d,e,f,g,h,i } external = eth0"), 3,
	    "too many" },
	{ P_IN_GW2("closed = shut"), 4, "or \"strict\"" },
	{ P_IN_GW2("closed = stric"), 4, "did you mean \"strict\"" },
	{ P_IN_GW2("lease_ms = 199"), 4, "200 to 10000" },
	{ P_IN_GW2("lease_ms = 10001"), 4, "200 to 10000" },
	{ P_IN_GW2("lease_ms = 0x200"), 4, "200 to 10000" },
	{ P_IN_GW2("lease_ms = \"\""), 4, "200 to 10000" },
	{ P_IN_GW2("probe_ms = 19"), 4, "20 to 5000" },
	{ P_IN_GW2("probe_ms = 501"), 4, "half of lease_ms, which is 1000 (by default)" },
	{ P_IN_GW2("lease_ms = 500\nprobe_ms = 300"), 5,
	    "which is 500 (test.conf, line 4)" },
	{ P_IN_GW2("dhcp = yes"), 4, "write \"false\" or \"true\"" },
	{ P_IN_GW2("dhcp = tru"), 4, "did you mean \"true\"" },
	{ P_IN_GW2("run_dir = run"), 4, "as a path" },
	/* listeners */
	{ P_TOR P_GW P_USERS, 0, "there is no listener" },
	{ P_IN_LIST("kind = sock address = \"10.0.0.1\" port = 1"), 5, "\"socks\"" },
	{ P_IN_LIST("address = \"10.0.0.1\" port = 1"), 4, "no \"kind\"" },
	{ P_IN_LIST("kind = socks port = 1"), 4, "no \"address\"" },
	{ P_IN_LIST("kind = socks address = \"10.0.0.1\""), 4, "no \"port\"" },
	{ P_IN_ADDR("0.0.0.0"), 6, "a wildcard" },
	{ P_IN_ADDR("0.0.0.1"), 6, "a wildcard" },
	{ P_IN_ADDR("::"), 6, "a wildcard" },
	{ P_IN_ADDR("224.0.0.1"), 6, "many receivers" },
	{ P_IN_ADDR("255.255.255.255"), 6, "many receivers" },
	{ P_IN_ADDR("ff02::1"), 6, "many receivers" },
	{ P_IN_ADDR("169.254.1.1"), 6, "link-local" },
	{ P_IN_ADDR("fe80::1"), 6, "link-local" },
	{ P_IN_ADDR("febf::1"), 6, "link-local" },
	{ P_IN_ADDR("::ffff:10.0.0.1"), 6, "in disguise" },
	{ P_IN_ADDR("localhost"), 6, "is not an address: write one in numbers" },
	{ P_IN_ADDR("10.0.0.1:9050"), 6, "is not an address: write one in numbers" },
	{ P_IN_PORT("0"), 6, "from 1 to 65535" },
	{ P_IN_PORT("65536"), 6, "from 1 to 65535" },
	{ P_IN_PORT("\"9-8\""), 6, "from 1 to 65535" },
	{ P_IN_PORT("\"9-\""), 6, "from 1 to 65535" },
	{ P_IN_PORT("\"-9\""), 6, "from 1 to 65535" },
	{ P_IN_PORT("\"1-2-3\""), 6, "from 1 to 65535" },
	{ P_IN_PORT("\"123456789-1\""), 6, "from 1 to 65535" },
	{ P_IN_PORT("\"80, 443\""), 6, "more than one word" },
	{ P_IN_PORT("\"80:90\""), 6, "write \"80-90\"" },
	{ P_IN_PORT("auto"), 6, "from 1 to 65535" },
	{ P_IN_PORT("\"1-4097\""), 0, "4097 listeners: 4096 at most" },
	{ P_IN_MORE("kind=dns address=\"127.0.0.1\" port=\"5300-5308\""), 5,
	    "port 5308 of listener \"b\" is one too many for DNS" },
	{ P_ALL "listener a { kind=socks address=\"10.0.0.2\" port=6 }\n", 5,
	    "listener \"a\" stands twice in this file (the first: line 4)" },
	{ P_TOR P_GW P_USERS "listener a {\nkind=socks\n"
	    "listener b {\n", 6,
	    "section \"listener\" of line 4 has no closing brace" },
	{ P_IN_PORT("{ 80, 90, 80 }"), 4, "10.0.0.1:80 is taken already" },
	{ P_IN_MORE("kind=httptunnel address=\"10.0.0.1\" port=9050"), 5,
	    "listener \"a\" (test.conf, line 4)" },
	{ P_IN_MORE("kind=dns address=\"127.0.0.1\" port=\"7699-7700\""), 5,
	    "heartbeat" },
	{ P_IN_MORE("kind=dns address=\"::1\" port=7702"), 5, "heartbeat" },
	{ P_IN_MORE("kind=dns address=\"interface:eth1:ipv6\" port=7701"), 5,
	    "heartbeat" },
	{ P_TCP P_GW P_USERS "listener b { kind=socks port=9051 "
	    "address=\"127.0.0.1\" }", 4, "of Tor's control address" },
	{ P_TCP P_GW P_USERS "listener b { kind=trans port=9051 "
	    "address=\"interface:eth1:ipv4\" }", 4, "of Tor's control addr" },
	{ P_IN_MORE("kind=dns address={\"10.0.0.1\",\"10.0.0.2\"} port=5"), 5,
	    "a second DNSPort" },
	{ P_IN_MORE("kind=trans address=\"fd00::1\" port={5,6}"), 5,
	    "a second TransPort for workstations over IPv6" },
	/* flags */
	{ P_IN_SOCKS("flags = IsolateDestAdr"), 6, "did you mean \"IsolateDest" },
	{ P_IN_SOCKS("flags = IPv4Traffics"), 6, "did you mean \"IPv4Traffic\"" },
	{ P_IN_SOCKS("flags = NoOnionTrafficOnly"), 6, "not a flag of SocksPort" },
	{ P_IN_SOCKS("flags = \"SessionGroup=\""), 6, "\"SessionGroup=1\"" },
	{ P_IN_SOCKS("flags = \"SessionGroup=2147483648\""), 6, "not a flag" },
	{ P_IN_SOCKS("flags = \"SessionGroup=99999999999\""), 6, "not a flag" },
	{ P_IN_SOCKS("flags = WorldWritable"), 6, "Unix sockets only" },
	{ P_IN_SOCKS("flags = NoGroupWritable"), 6, "Unix sockets only" },
	{ P_IN_SOCKS("flags = { IPv6Traffic, NoIPv6Traffic }"), 4, "contradicts" },
	{ P_IN_SOCKS("flags = { OnionTrafficOnly, IPv4Traffic }"), 4,
	    "contradicts another" },
	{ P_IN_SOCKS("flags = { NoIPv4Traffic, NoIPv6Traffic }"), 4,
	    "DNS requests need" },
	{ P_IN_SOCKS("flags = { NoIPv4Traffic, NoIPv6Traffic, NoOnionTraffic }"),
	    4, "no traffic at all" },
	{ P_IN_SOCKS("flags = \"IPv6Traffic CacheDNS\""), 6, "more than one" },
	{ P_IN_LIST("flags = OnionTraffic kind = trans address = \"10.0.0.1\" "
	    "port = 1"), 5, "only of other kinds: remove it" },
	{ P_IN_MORE("kind = httptunnel address = \"10.0.0.1\"\n"
	    "port = \"9040-9060\""),
	    5, "10.0.0.1:9050 is taken already" },
	/* one sentence for the whole of an overlap */
	{ P_IN_LIST("kind = socks address = \"10.0.0.1\" port = \"5-9\" }\n"
	    "listener \"b\" { kind = socks address = \"10.0.0.1\"\n"
	    "port = \"7-20\""), 6, "10.0.0.1:7 is taken already" },
	{ P_IN_SOCKS("flags = IPv6Traffic;"), 6, "leave it out" },
	{ P_IN_ADDR("10.0.0.1:9050"), 6, "without port and brackets" },
	{ P_IN_SOCKS("flags = { NoIsolateSOCKSAuths, KeepAliveIsolateSocksAuth }"),
	    4, "needs IsolateSOCKSAuth" },
	{ P_IN_MORE("kind = dns address = \"::1\" port = 5\n"
	    "flags = NoDNSRequest"), 6, "not a flag of DNSPort" },
	{ P_IN_MORE("kind = dns address = \"::1\" port = 5 group = g")
	    "group g {\nflags = OnionTrafficOnly }", 7,
	    "not a flag of DNSPort" },
	{ P_IN_MORE("kind = socks address = \"unix:/run/a#b\""), 5,
	    "where a comment begins" },
	{ P_IN_SOCKS("flags = { \"SessionGroup=1\", \"SessionGroup=2\" }"), 4,
	    "more than once" },
	{ P_IN_SOCKS("flags = { CacheDNS, IPv6Traffic, cachedns }"), 4, "twice" },
	{ P_IN_LIST("flags = PreferIPv6 kind = trans address = \"10.0.0.1\" "
	    "port = 1"), 5, "not a flag of TransPort" },
	/* groups */
	{ P_ALL "group { }", 5, "a name for the group" },
	{ P_ALL "group \"a b\" { }", 5, "this group has only letters" },
	{ P_ALL "group g { }\ngroup g { }", 6, "twice in this file (the first: "
	    "line 5)" },
	{ P_ALL "group g { group = h }", 5, "not a keyword of section \"group\"" },
	{ P_ALL "groop g { }", 5, "did you mean \"group\"" },
	{ P_IN_MORE("group = g"), 5, "there is no group \"g\": add" },
	{ P_IN_SOCKS("group = isolatd") "group isolated { }\ngroup x { }", 6,
	    "did you mean \"isolated\"" },
	{ P_IN_SOCKS("group = \"" A63 "a\"") "group " A63 " { }", 6, "no group's name" },
	{ P_ALL "group g {\nkind = sox }", 6, "write \"socks\", " },
	{ P_ALL "group g {\naddress = \"::\" }", 6, "wildcard" },
	{ P_ALL "group g {\nport = 0 }", 6, "from 1 to" },
	{ P_ALL "group g {\nflags = Isolate }", 6, "is not a flag of SocksPort" },
	{ P_ALL "group g { kind = dns\nflags = WorldWritable\n"
	    "address = \"::1\" }", 6, "Unix sockets only" },
	{ P_ALL "group g { kind = trans\nflags = PreferIPv6 }", 6,
	    "is not a flag of TransPort" },
	{ P_ALL "group g { flags = { DNSRequest, NoDNSRequest } }", 5,
	    "group \"g\": NoDNSRequest contradicts" },
	{ P_ALL "group g { flags = { CacheDNS, CacheDNS } }", 5,
	    "group \"g\" has CacheDNS twice" },
	{ P_ALL "group g {\naddress = \"interface:eth7\" }", 6, "is not one of" },
	{ P_ALL "group g { " UNIX "kind = dns }", 5, "only kind \"socks\"" },
	{ P_ALL "group g { " UNIX "port = 5 }", 5, "which have no port" },
	/* and what is only wrong with both */
	{ P_IN_MORE("group = g") "group g {\nflags = IsolateDest\n"
	    "kind = socks address = \"10.0.0.2\" port = 1 }", 7, "not a flag" },
	{ P_IN_MORE("group = g") "group g { kind = socks\nport = 0 }", 7,
	    "from 1 to" },
	{ P_IN_MORE("group = g kind = trans port = 5 address = \"::1\"")
	    "group g {\nflags = PreferIPv6 }", 7, "not a flag of TransPort" },
	{ P_IN_MORE("group = g address = \"::1\"")
	    "group g { kind = socks port = 5\nflags = WorldWritable }", 7,
	    "Unix sockets only" },
	{ P_IN_MORE("group = g port = 5") "group g { kind = socks }", 5,
	    "\"b\" has no \"address\"" },
	{ P_IN_MORE("group = g port = {}") "group g { kind = socks port = 1\n"
	    "address = \"::1\" }", 5, "\"b\" has no \"port\"" },
	{ P_IN_MORE("group = g") "group g { }", 5, "\"b\" has no \"kind\"" },
	{ P_IN_MORE("group = g " UNIX) "group g { kind = dns }", 5,
	    "\"b\" has a Unix socket" },
	{ P_IN_MORE("group = g port = 5") "group g { kind = socks " UNIX "}", 5,
	    "\"b\" has only Unix sockets" },
	{ P_IN_MORE("group = g") "group g { kind = socks port = 9050\n"
	    "address = \"10.0.0.1\" }", 5, "taken already by listener \"a\"" },
	/* addresses of interfaces */
	{ P_IN_ADDR("interface:"), 6, "not an interface's name" },
	{ P_IN_ADDR("interface:lo"), 6, "neither side" },
	{ P_IN_ADDR("interface:eth*"), 6, "each has to be named" },
	{ P_IN_ADDR("interface:eth0"), 6, "is not one of \"internal\"" },
	{ P_IN_ADDR("interface:eth2:ipv6"), 6, "is not one of \"internal\"" },
	{ P_IN_ADDR("interface:eth1:ipv5"), 6, "behind it for one family" },
	{ P_IN_ADDR("interface:eth1:"), 6, "behind it for one family" },
	{ P_IN_ADDR("interface:" A63 A63), 6, "1 to 15" },
	{ P_IN_ADDR("interface:" A63 ":ipv4"), 6, "1 to 15" },
	{ P_IN_MORE("kind = socks port = 5 " ETH1) "listener c { kind = socks "
	    "port = 5 address = \"interface:eth1:ipv6\" }", 6,
	    "interface:eth1:ipv6:5 is taken already by listener \"b\"" },
	{ P_IN_MORE("kind = trans port = { 5, 6 }\n"
	    "address = \"interface:eth1:ipv4\""), 5, "a second TransPort" },
	{ P_IN_MORE("kind = trans port = 5 address = \"interface:eth1:ipv4\"")
	    "listener c { kind = trans port = 6 address = \"10.0.0.1\" }", 6,
	    "a second TransPort" },
	{ P_IN_MORE("kind = httptunnel port = \"2-9\" address = "
	    "\"interface:eth1:ipv4\"") "listener c { kind = trans port = 5 "
	    "address = \"fd00::1\" }", 5, "also that of TransPort \"c\"" },
	/* Unix sockets */
	{ P_IN_LIST("kind = socks address = \"unix:a\""), 5, "as a path" },
	{ P_IN_LIST("kind = socks address = \"unix:/a b\""), 5, "as a path" },
	{ P_IN_LIST("kind = socks address = \"unix:/a//b\""), 5, "shortest" },
	{ P_IN_LIST("kind = socks address = \"unix:/a/./b\""), 5, "shortest" },
	{ P_IN_LIST("kind = socks address = \"unix:/a/\""), 5, "shortest" },
	{ P_IN_LIST("kind = socks address = \"unix:/\""), 5, "shortest" },
	{ P_IN_LIST("kind = socks address = \"unix:/.\""), 5, "shortest" },
	{ P_IN_LIST("kind = socks address = \"unix:/a/..\""), 5, "shortest" },
	{ P_IN_LIST("kind = socks address = \"unix:/" A63 A63 "\""), 5,
	    "107 letters at most" },
	{ P_IN_LIST("kind = httptunnel " UNIX), 4, "only kind \"socks\" can" },
	{ P_IN_LIST("kind = socks port = 5 " UNIX), 4, "which have no port" },
	{ P_IN_LIST("kind = socks address = { \"unix:/a\", \"::1\" }"), 4,
	    "has no \"port\"" },
	{ P_IN_LIST("kind = socks port = 5 flags = NoGroupWritable\n"
	    "address = { \"unix:/a\", \"::1\" }"), 5, "Unix sockets only" },
	{ P_IN_LIST("kind = socks address = { \"unix:/a\", \"unix:/a\" }"),
	    4, "unix:/a is taken already" },
	/* applications */
	{ P_IN_SOCKS("app = \"a\\\"b\""), 6, "without quotes" },
	{ P_IN_SOCKS("app = \"it's\""), 6, "without quotes" },
	{ P_IN_SOCKS("app = \" a\""), 6, "no space at either end" },
	{ P_IN_SOCKS("app = \"a \""), 6, "no space at either end" },
	{ P_IN_SOCKS("app = \"\xc3\xa9\""), 6, "plain letters" },
	{ P_IN_SOCKS("app = " A63 "a"), 6, "at most 63" },
	/* clang-format on */
};

START_TEST(a_fault_is_named_with_its_line)
{
	const struct fault *f = &faults[_i];

	pu_fault(f->text, f->line, f->words);
}
END_TEST

START_TEST(what_is_odd_is_only_warned_of)
{
	static const struct fault odd[] = {
		{ P_IN_TOR("interface = {}"), 2, "may leave by every" },
		{ P_ALL "timesync {\n}", 5, "does nothing without" },
		{ P_ALL "\ntimesync { users = 9 listeners = a }", 6,
		    "add required = true" },
		{ P_ALL "timesync { required = false users = 9 }", 0, NULL },
		{ P_IN_TOR("interface = {}") "tor { interface = eth0 }", 0,
		    NULL },
	};

	pu_warning(odd[_i].text, odd[_i].line, odd[_i].words);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_faults");
	TCase *t = tcase_create("faults");

	tcase_add_loop_test(t, a_fault_is_named_with_its_line, 0,
	    (int)(sizeof faults / sizeof faults[0]));
	tcase_add_loop_test(t, what_is_odd_is_only_warned_of, 0, 5);
	suite_add_tcase(s, t);
	return pu_run(s);
}
