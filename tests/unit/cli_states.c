#include "tests/unit/cli_states.h"

#include <check.h>
#include <stddef.h>
#include <string.h>

/* A gate that is open, and Tor in good order. */
static const char open_line[] =
    "{'v':1,'type':'snapshot','seq':7,'time':'2026-11-22T08:00:00.000Z',"
    "'position':'open','state':'WATCH',"
    "'reason':{'code':'open','text':'Tor is proven to carry the traffic.'},"
    "'advice':null,'since':'2026-11-22T07:59:00Z','hold':false,"
    "'status':{'pid':13},"
    "'tor':{'enabled':true,'running':true,'pid':812,'version':'0.4.9.11',"
    "'since':'2026-11-22T07:30:00Z','restarts':2,'dormant':false},"
    "'control':{'authenticated':true,'method':'safecookie','lost':null},"
    "'bootstrap':{'progress':100,'tag':'done','summary':'Done',"
    "'warning':null,'since':'2026-11-22T07:31:00Z','stalled':false,"
    "'tor_said':null,'severity':'notice','reason':null,'count':null,"
    "'recommendation':null,"
    "'line':'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\\\"Done\\\"'},"
    "'circuits':{'established':true,'enough_dir_info':true,'usable':'yes',"
    "'built':'2026-11-22T07:59:30Z','built_id':31,'built_age_ms':30000},"
    "'consensus':{'valid_after':'2026-11-22T07:00:00Z',"
    "'fresh_until':'2026-11-22T08:00:00Z',"
    "'valid_until':'2026-11-22T10:00:00Z','clock':'ok','skew_s':null},"
    "'clock':{'required':true,'right':true,'timesync':'success'},"
    "'listeners':{'total':3,'proven':3,'open':2,'withheld':0,'trouble':[],"
    "'extra':0,'alarms':0,'extras':[],'generation':4,'table':["
    "{'number':0,'name':'a','app':null,'kind':'socks',"
    "'address':'10.0.0.1:9050','flags':null,'flags_sure':true,'gated':true,"
    "'state':'proven','why':null,'uid':107,'pid':null},"
    "{'number':1,'name':'b','app':null,'kind':'dns',"
    "'address':'10.0.0.1:5300','flags':null,'flags_sure':true,'gated':true,"
    "'state':'proven','why':null,'uid':107,'pid':null},"
    "{'number':2,'name':'c','app':null,'kind':'socks',"
    "'address':'unix:/run/tor/socks','flags':null,'flags_sure':true,"
    "'gated':false,'state':'proven','why':null,'uid':107,'pid':null}]},"
    "'uplink':{'bridges':0,'proxy':null,'transports':[],'names':[],"
    "'names_total':0,'resolver':null,'change':null},"
    "'firewall':{'position':'open','known':true,'mode':'standalone',"
    "'egress':'any','relays':null,'lease_ms':812,'proven':2,'epoch':7,"
    "'barriers':{'boot':true,'guard':true,'persist':true,'netdev':true,"
    "'forward4_off':true,'forward6_off':true,'routes':true},"
    "'flush_immunity':'yes','closes':6,'close_last_us':210,"
    "'close_max_us':400,'close_us':{'50':1,'100':2,'250':4,'500':6,"
    "'1000':6,'10000':6,'inf':6,'sum':1200},'foreign_changes':2,"
    "'purges':5,'error':null,'last_close_reason':'the engine asked'},"
    "'facts':{'link':true,'configuration':true,'listeners':true,"
    "'bootstrap':true,'circuit':true,'usable':true,'alive':true,"
    "'time':true,'free':true},"
    "'engine':{'pid':12,'fresh':true},'gate':{'pid':11},"
    "'counters':{'links':3,'provisions':4,'repairs':9},"
    "'history':[{'time':'2026-11-22T07:00:00Z','position':'tor-only',"
    "'reason':'bootstrapping','text':'Tor is still connecting.'},"
    "{'time':'2026-11-22T07:59:00Z','position':'open','reason':'open',"
    "'text':'Tor is proven to carry the traffic.'}]}";

/* Nothing that Tor says is known. */
#define CUT_OFF \
	"'position':'closed','tor':{'enabled':null,'running':false," \
	"'pid':null,'version':null,'since':null,'dormant':null}," \
	"'bootstrap':{'progress':null,'tag':null,'summary':null," \
	"'severity':null,'line':null},'circuits':{'established':null," \
	"'enough_dir_info':null,'usable':'unknown','built':null," \
	"'built_id':null,'built_age_ms':null}," \
	"'consensus':{'valid_after':null,'fresh_until':null," \
	"'valid_until':null,'clock':'unknown'},'listeners':{'proven':0," \
	"'open':0},'firewall':{'position':'closed','lease_ms':0," \
	"'proven':0},'facts':{'link':false,'configuration':false," \
	"'listeners':false,'bootstrap':false,'circuit':false," \
	"'usable':false,'alive':false}"

#define NO_CONTROL "'control':{'authenticated':false,'method':null,'lost':"

/* It has begun, and is at so many per cent. */
#define PHASE(percent, tag, summary) \
	"{'position':'tor-only','reason':{'code':'bootstrapping'," \
	"'text':'Tor is connecting to its network.'}," \
	"'bootstrap':{'progress':" percent ",'tag':'" tag "'," \
	"'summary':'" summary "','line':'NOTICE BOOTSTRAP PROGRESS=" \
	percent " TAG=" tag " SUMMARY=\\\"" summary "\\\"'}," \
	"'circuits':{'established':false,'enough_dir_info':false," \
	"'usable':'no','built':null,'built_id':null,'built_age_ms':null}," \
	"'facts':{'bootstrap':false,'circuit':false,'usable':false}," \
	"'firewall':{'position':'tor-only','lease_ms':0},"

#define NO_CONSENSUS \
	"'consensus':{'valid_after':null,'fresh_until':null," \
	"'valid_until':null,'clock':'noneyet'}"

static const struct {
	const char *name;
	const char *patch; /* what differs from the line above */
} states[] = {
	{ "open", "{}" },
	{ "engine-gone", "{'position':'unknown','state':null,"
	    "'since':null,'gate':{'pid':null},'reason':"
	    "{'code':'engine-gone','text':'The engine is not running, so "
	    "nobody can tell the position.'},'advice':'It is started again "
	    "by itself.','hold':null,'control':{'authenticated':null,"
	    "'method':null},'tor':{'enabled':null,'running':null,'pid':null,"
	    "'version':null,'dormant':null},'bootstrap':{'progress':null,"
	    "'tag':null,'line':null},'circuits':{'established':null,"
	    "'enough_dir_info':null,'usable':'unknown','built_age_ms':null},"
	    "'consensus':{'valid_after':null,'valid_until':null,"
	    "'clock':'unknown'},'clock':{'required':null,'right':null,"
	    "'timesync':null},'listeners':{'total':null,'proven':null,"
	    "'open':null,'alarms':null,'table':null},'uplink':{"
	    "'bridges':null,'transports':null,'names':null},'firewall':{"
	    "'position':'unknown','known':false,'mode':null,'lease_ms':null},"
	    "'facts':{'link':false,'configuration':false,'listeners':false,"
	    "'bootstrap':false,'circuit':false,'usable':false,'alive':false,"
	    "'time':false,'free':false},'engine':{'pid':null,'fresh':false}}" },
	{ "tor-down", "{'reason':{'code':'tor-down','text':'Nobody listens "
	    "on Tor\\'s control port.'},'advice':'Start Tor.'," NO_CONTROL
	    "'Nobody listens on Tor\\'s control port.'}," CUT_OFF "}" },
	{ "auth-refused", "{'reason':{'code':'auth-refused','text':'Tor "
	    "refused to authenticate us.'},'advice':'Check the cookie.',"
	    NO_CONTROL "'Tor refused to authenticate us.'}," CUT_OFF "}" },
	{ "tor-hung", "{'position':'tor-only','reason':{'code':'tor-hung',"
	    "'text':'Tor has not answered within the lease.'},'advice':'If "
	    "it stays so, restart Tor.','facts':{'alive':false}}" },
	{ "disabled", "{'reason':{'code':'network-disabled','text':'The "
	    "networking of Tor was switched off.'},'tor':{'enabled':false},"
	    "'position':'tor-only','circuits':{'established':false,"
	    "'usable':'no','built_age_ms':null},'bootstrap':{'progress':0,"
	    "'tag':'starting','line':'NOTICE BOOTSTRAP PROGRESS=0 "
	    "TAG=starting SUMMARY=\\\"Starting\\\"'},'facts':{"
	    "'configuration':false,'bootstrap':false,'circuit':false,"
	    "'usable':false,'listeners':false}}" },
	{ "starting-0", PHASE("0", "starting", "Starting") NO_CONSENSUS "}" },
	{ "starting-5", PHASE("5", "conn", "Connecting to a relay")
	    NO_CONSENSUS "}" },
	{ "starting-10", PHASE("10", "conn_done", "Connected to a relay")
	    NO_CONSENSUS "}" },
	{ "starting-30", PHASE("30", "loading_status",
	    "Loading networkstatus consensus") NO_CONSENSUS "}" },
	{ "starting-50", PHASE("50", "loading_descriptors",
	    "Loading relay descriptors") "'hold':false}" },
	{ "starting-95", PHASE("95", "circuit_create",
	    "Establishing a Tor circuit") "'hold':false}" },
	{ "stalled", "{'position':'tor-only','reason':{'code':'stalled',"
	    "'text':'Tor makes no progress at 5 %: no relay can be reached."
	    "'},'advice':'Check the uplink.','bootstrap':{'progress':5,"
	    "'tag':'conn','stalled':true,'line':'WARN BOOTSTRAP PROGRESS=5 "
	    "TAG=conn SUMMARY=\\\"Connecting to a relay\\\" WARNING=\\\"No "
	    "route to <host> & `x` $y\\\" REASON=NOROUTE COUNT=3 "
	    "RECOMMENDATION=warn'},'circuits':{'established':false,"
	    "'usable':'no','built_age_ms':null},'facts':{'bootstrap':false,"
	    "'circuit':false,'usable':false}," NO_CONSENSUS "}" },
	{ "unusable", "{'position':'tor-only','reason':{'code':'no-traffic',"
	    "'text':'Nothing shows that it carries traffic.'},'advice':"
	    "'Check the uplink.','circuits':{'usable':'no',"
	    "'built_age_ms':180000},'facts':{'usable':false}}" },
	{ "dormant", "{'tor':{'dormant':true}}" },
	{ "held", "{'position':'tor-only','hold':true,'reason':{'code':"
	    "'hold','text':'The operator holds the gate closed.'},'advice':"
	    "'Release it with: portcullis release','facts':{'free':false}}" },
	{ "fight", "{'position':'tor-only','reason':{'code':'fight','text':"
	    "'Another controller keeps changing Tor\\'s configuration.'},"
	    "'advice':'Stop the other controller, then: portcullis "
	    "reprove','facts':{'free':false,'configuration':false,"
	    "'listeners':false}}" },
	{ "refused", "{'position':'tor-only','reason':{'code':'refused',"
	    "'text':'Tor refuses the policy\\'s listeners: Unacceptable "
	    "option value'},'advice':'Correct the policy.','facts':{"
	    "'free':false,'configuration':false,'listeners':false}}" },
	{ "foreign", "{'reason':{'code':'squatted','text':'Process 99 of "
	    "user 1000 holds 10.0.0.1:9050, where Tor should listen.'},"
	    "'advice':'Stop that program.','listeners':{'proven':2,'open':1,"
	    "'trouble':[{'number':0,'name':'a','address':'10.0.0.1:9050',"
	    "'why':'foreign','uid':1000,'pid':99}]}}" },
	{ "alarm", "{'listeners':{'extra':1,'alarms':1,'extras':[{'kind':"
	    "'socks','address':'0.0.0.0:9999','alarm':true}]}}" },
	{ "clock-slow", "{'consensus':{'clock':'slow'}}" },
	{ "clock-skewed", "{'consensus':{'skew_s':7200}}" },
	{ "timesync", "{'position':'time-sync','reason':{'code':'time-sync',"
	    "'text':'The clock is not known to be right.'},'advice':'Wait "
	    "for time synchronisation.','clock':{'right':false,'timesync':"
	    "'pending'},'facts':{'time':false}}" },
	{ "nxdomain", "{'position':'tor-only','reason':{'code':"
	    "'transport-name','text':'The transport needs a name.'},"
	    "'bootstrap':{'progress':1,'tag':'conn_pt','line':'NOTICE "
	    "BOOTSTRAP PROGRESS=1 TAG=conn_pt SUMMARY=\\\"x\\\"'},"
	    "'circuits':{'established':false,'usable':'no',"
	    "'built_age_ms':null},'uplink':{'bridges':1,'transports':[{"
	    "'method':'meek_lite','state':'launched','deaths':0,'said':null}"
	    "],'names':[{'name':'front.example','needed_by':'Bridge line 1',"
	    "'asked_by':'transport','state':'nxdomain','since':null,"
	    "'addresses':0}],'names_total':1,'resolver':{'running':true,"
	    "'queries':4,'stub_answered':1,'stub_refused':2}},'facts':{"
	    "'bootstrap':false,'circuit':false,'usable':false},"
	    NO_CONSENSUS "}" },
	{ "transport-dies", "{'uplink':{'bridges':1,'transports':[{'method':"
	    "'obfs4','state':'died','deaths':3,'said':'bad \\\"arg\\\"'}]}}" },
	{ "proxy-refuses", "{'uplink':{'proxy':{'kind':'socks5',"
	    "'by_name':false,'state':'refused','code':null}}}" },
	{ "forwarding", "{'firewall':{'barriers':{'forward4_off':false}}}" },
	{ "gate-fault", "{'firewall':{'error':'Device or resource busy'}}" },
	{ "unread", "{'position':'unknown','since':null,'gate':{'pid':null},"
	    "'reason':{'code':"
	    "'read-back-failed','text':'The gate could not read the firewall "
	    "back from the kernel.'},'firewall':{'position':'unknown',"
	    "'known':false,'lease_ms':null,'barriers':{'boot':null,"
	    "'guard':null,'persist':null,'netdev':null,'forward4_off':null,"
	    "'forward6_off':null,'routes':null}}}" },
};
#define NSTATES (sizeof states / sizeof states[0])

const char *
cli_state_name(unsigned i)
{
	return i < NSTATES ? states[i].name : NULL;
}

/* JSON with single quotes, where \' is one that is meant. */
static json_t *
parse(const char *text)
{
	char json[8192];
	size_t n = 0;
	json_error_t error;
	json_t *value;

	for (; *text != '\0'; text++) {
		ck_assert_uint_lt(n, sizeof json - 1);
		if (text[0] == '\\' && text[1] == '\'')
			json[n++] = *++text;
		else
			json[n++] = *text == '\'' ? '"' : *text;
	}
	json[n] = '\0';
	value = json_loads(json, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(value != NULL, "%s: %.40s", error.text,
	    json + (error.position > 20 ? error.position - 20 : 0));
	return value;
}

json_t *
cli_state_line(const char *name)
{
	json_t *line = parse(open_line), *patch;
	unsigned i = 0;

	while (i < NSTATES && strcmp(states[i].name, name) != 0)
		i++;
	ck_assert_msg(i < NSTATES, "no state %s", name);
	patch = parse(states[i].patch);
	ck_assert_int_eq(json_object_update_recursive(line, patch), 0);
	json_decref(patch);
	return line;
}
