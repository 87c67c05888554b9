"""The table of misbehaviours, and what is to come of each.

Case(NAME, WORDS): what is wrong, and

step      at which question (see step_of), "connect" or "any"
deed      what is done then (tor_deeds.py)
lies      instead: values of GETINFO keys, or of "conf KEY" for GETCONF
act       done once, when it begins
fresh     begins with a new connection
reason    the reason codes of which one must be seen in the status
log       what the log must say
shut      the gate has to close, within BOUND seconds of the first misdeed
stays     the gate has to stay open
opens     the gate has to open with the misdeed going on
alone     nobody hurries the next try on
cut       the connection is closed when Tor becomes good
impostor  another user's program, and where (None: the control port)
undone    what was asked for is not even done
cookie    what is done to the cookie file (tor_run.py)
reprove   a violation that only the operator's reprove ends
quick     one of those that "make check-it" runs
tcp       with the other control port: TCP, a password, 305 listeners and
          strict egress
"""
import re
from collections import namedtuple

import tor_deeds as d

LEASE = 1.0
EVERY = re.compile("")

FIELDS = {
    "step": None, "deed": None, "lies": {}, "act": None, "fresh": False,
    "reason": (), "log": None, "shut": False, "stays": False,
    "bound": LEASE, "cut": False, "cookie": None, "impostor": None,
    "undone": False,
    "opens": False, "alone": False, "quick": False, "reprove": False,
    "watch": 1.0, "tcp": False,
}
Case = namedtuple("Case", ["name", "words"] + list(FIELDS),
                  defaults=list(FIELDS.values()))
CASES = {}


def step_of(command):
    word, _, rest = command.partition(" ")
    if word != "GETINFO":
        return word
    for step, key in (("INFO", "events/names"), ("PROBE", "net/listeners"),
                      ("CIRCUITS", "circuit-status"), ("NS", "ns/all"),
                      ("DEFAULTS", "config/defaults"),
                      ("QUESTIONS", "stream-status")):
        if key in rest:
            return step
    return "ABOUT"


def add(name, words, **fields):
    assert name not in CASES, name
    CASES[name] = Case(name, words, **fields)


def new(name, words, **fields):
    """What befalls a new connection."""
    add(name, words, fresh=True, shut=True, **fields)


def old(name, words, **fields):
    """What befalls one that has opened the gate, and ends it."""
    add(name, words, shut=True, **fields)


def harmless(name, words, **fields):
    """What a good Tor could do, or nobody need care about."""
    add(name, words, stays=True, **fields)


def odd(name, words, **fields):
    """The same from the first question on."""
    add(name, words, fresh=True, opens=True, **fields)


BYTES = {"reason": ("protocol-error",), "log": "protocol-error"}
OTHER = {"reason": ("not-a-control-port",), "log": "not-a-control-port"}
HUNG = {"reason": ("tor-hung",), "log": "tor-hung", "watch": 12}
GONE = {"reason": ("tor-gone",), "log": "tor-gone"}

# --- another service, or none ----------------------------------------------

for name, banner, quick in (
        ("http", b"HTTP/1.0 400 Bad Request\r\n\r\n", False),
        ("ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n", False),
        ("tls", b"\x15\x03\x01\x00\x02\x02\x46", False),
        ("socks", b"\x05\xff", False),
        ("nul", bytes(64), False)):
    new(name, "a %s server" % name, step="connect", deed=d.say(banner),
        quick=quick, **OTHER)
new("smtp", "an SMTP server", step="connect",
    deed=d.say(b"220 mail.example ESMTP\r\n"), **BYTES)
new("echo", "the echo service", step="connect", deed=d.echo, **OTHER)
new("zero", "/dev/zero", step="connect", deed=d.zero, **OTHER)
new("noise", "random octets", step="PROTOCOLINFO", deed=d.noise,
    reason=("not-a-control-port", "protocol-error"))
new("mute", "accepts and never reads", step="connect", deed=d.silence, **HUNG)
new("slam", "accepts and closes, over and over", step="connect",
    deed=d.close, quick=True, alone=True, **GONE)

# --- how answers come ------------------------------------------------------

STEPS = ("PROTOCOLINFO", "AUTHCHALLENGE", "AUTHENTICATE", "INFO", "SETEVENTS",
         "GETCONF", "SETCONF", "PROBE")
# Hundreds of listeners on a slow machine: so long a SETCONF may take.
HANGS = {"SETCONF": 32, "GETCONF": 6, "PROBE": 6}

for step in STEPS:
    low = step.lower()
    new("silent-" + low, "silence after " + step, step=step, deed=d.silence,
        **dict(HUNG, watch=HANGS.get(step, 12)))
    new("close-" + low, "closes after " + step, step=step, deed=d.close,
        **GONE)
    new("half-" + low, "half an answer to %s, and closes" % step, step=step,
        deed=d.half, **GONE)
    new("drip-" + low, "an octet now and then: " + step, step=step,
        deed=d.drip, **dict(HUNG, watch=HANGS.get(step, 12)))
    new("line-" + low, "100 MB without a line's end: " + step, step=step,
        deed=d.endless_text, quick=step == "PROBE", **BYTES)
    new("reply-" + low, "100 MB of one answer: " + step, step=step,
        deed=d.endless_reply, **BYTES)
    new("data-" + low, "100 MB of one data block: " + step, step=step,
        deed=d.endless_data, **BYTES)
    new("inside-" + low, "an event inside an answer: " + step, step=step,
        deed=d.event_inside, **BYTES)
    new("mixed-" + low, "two codes in one answer: " + step, step=step,
        deed=d.mixed, **BYTES)
    new("twice-" + low, "the answer twice: " + step, step=step, deed=d.more,
        **BYTES)

for step in ("AUTHENTICATE", "SETEVENTS", "GETCONF", "PROBE"):
    odd("code-251-" + step.lower(), "code 251 for " + step, step=step,
        deed=d.code(b"251"))


def refusal(number, step):
    """What a refusal tells: who refuses, or that it is none."""
    if number == "510":
        word = "filtered"
    elif number == "650" and step not in ("PROTOCOLINFO", "AUTHENTICATE"):
        return HUNG # an event, and no answer
    elif step == "PROTOCOLINFO" or number[0] not in "245":
        word = "protocol-error"
    elif step == "AUTHENTICATE" or number == "514":
        word = "auth-refused"
    else:
        word = "tor-too-old" if number == "552" else "filtered"
    return {"reason": (word,), "log": word}


for number in ("450", "510", "514", "551", "552", "650", "700", "000",
               "999"):
    for step in ("PROTOCOLINFO", "AUTHENTICATE", "SETEVENTS", "GETCONF",
                 "PROBE"):
        new("code-%s-%s" % (number, step.lower()),
            "code %s for %s" % (number, step), step=step,
            deed=d.code(number.encode()), **refusal(number, step))
new("letters", "letters for a code", step="PROBE", deed=d.code(b"2x0"),
    **BYTES)
new("mute-probe", "silence, until that is told", step="PROBE",
    deed=d.silence, reason=("tor-hung",))
add("unasked", "an answer to nothing", step="PROBE", deed=d.unasked,
    shut=True, quick=True, **BYTES)
harmless("octets", "one octet at a time, fast", step="any", deed=d.octets)
harmless("bare-lf", "LF without CR", step="any", deed=d.bare_lf)

# --- authentication --------------------------------------------------------

AUTH = {"reason": ("auth-method",), "log": "auth-method"}
COOKIE = {"reason": ("cookie-unusable",), "log": "cookie-unusable"}
HASH = {"reason": ("wrong-server-hash",), "log": "wrong-server-hash"}
INFO = "PROTOCOLINFO"

for methods in ("NULL", "COOKIE", "HASHEDPASSWORD", "", "SAFECOOKIES"):
    new("methods-" + (methods.lower() or "none"), "METHODS=" + methods,
        step=INFO, deed=d.protocolinfo(methods), **AUTH)
new("path-other", "another cookie file", step=INFO,
    deed=d.protocolinfo(cookie=b"/etc/machine-id"), **COOKIE)
new("path-relative", "a relative cookie file", step=INFO,
    deed=d.protocolinfo(cookie=b"cookie"), **COOKIE)
new("path-empty", "a cookie file without a name", step=INFO,
    deed=d.protocolinfo(cookie=b""), **BYTES)
new("path-long", "a cookie file of 4096 letters", step=INFO,
    deed=d.protocolinfo(cookie=b"/" + b"x" * 4096),
    reason=("cookie-unusable", "protocol-error"), log="cookie|protocol")
new("path-nul", "a cookie file with NUL behind", step=INFO,
    deed=d.protocolinfo(cookie=lambda p: p + b"\\000x"),
    reason=("cookie-unusable", "protocol-error"), log="cookie|protocol")
new("path-escape", "a cookie file that clears the screen", step=INFO,
    deed=d.protocolinfo(cookie=b"/\\033[2J\\nportcullisd: all is well"),
    quick=True, **COOKIE)
new("path-dots", "the cookie file by another way", step=INFO,
    deed=d.protocolinfo(cookie=lambda p: p.replace(
        b"/control/", b"/control/../control/")), **COOKIE)
new("path-quote", "a cookie file without an end", step=INFO,
    deed=d.say(b'250-PROTOCOLINFO 1\r\n250-AUTH METHODS=SAFECOOKIE '
               b'COOKIEFILE="/x\r\n250 OK\r\n'), **BYTES)
new("no-auth-line", "PROTOCOLINFO without AUTH", step=INFO,
    deed=d.say(b"250-PROTOCOLINFO 1\r\n250 OK\r\n"),
    reason=("protocol-error", "auth-method"), log="protocol-error|auth-")
odd("path-octal", "the cookie file, every octet escaped", step=INFO,
    deed=d.protocolinfo(cookie=d.octal))
new("version-2", "PROTOCOLINFO 2", step=INFO,
    deed=d.protocolinfo(version=b"2"), **BYTES)
new("hash", "a wrong server hash", step="AUTHCHALLENGE",
    deed=d.challenge(d.wrong_hash), quick=True, **HASH)
new("hash-short", "a server hash of 31 octets", step="AUTHCHALLENGE",
    deed=d.challenge(d.short_hash), **HASH)
new("hash-none", "no server hash", step="AUTHCHALLENGE",
    deed=d.challenge(d.no_hash), **HASH)
new("hash-refused", "a refusal", step="AUTHCHALLENGE",
    deed=d.challenge(b"513 Invalid\r\n"), reason=("auth-refused",),
    log="auth-refused")
for how, words in (
        ("missing", "no cookie file"), ("empty", "an empty cookie file"),
        ("short", "31 octets"), ("long", "33 octets"), ("fifo", "a FIFO"),
        ("link", "a symbolic link"), ("directory", "a directory"),
        ("closed", "a cookie that we may not read"),
        ("foreign", "a cookie of another user's")):
    new("cookie-" + how, words, cookie=how, **COOKIE)
new("cookie-other", "a cookie that Tor does not have", cookie="other",
    **HASH)
new("peer", "another user's program", impostor=(64099, None), quick=True,
    act=lambda voice: voice.unbind(), reason=("wrong-peer",),
    log="wrong-peer")
new("peer-root", "root's program", impostor=(0, None),
    act=lambda voice: voice.unbind(), reason=("wrong-peer",),
    log="wrong-peer")

# --- events ----------------------------------------------------------------

MILLION = 10 ** 6
FLOODS = {
    "notice": b"650 NOTICE a flood\r\n",
    "warn": b"650 WARN a flood \x1b[31m\xff\r\n",
    "unknown": b"650 WHATEVER x=y\r\n",
    "circuit": b"650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n",
    "lost": b"650 STATUS_CLIENT NOTICE CIRCUIT_NOT_ESTABLISHED REASON=x\r\n",
    "directory": b"650 STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO\r\n",
    "conf": b"650-CONF_CHANGED\r\n650-ORPort\r\n650 OK\r\n",
    "socks": b'650-CONF_CHANGED\r\n650-SocksPort=1\r\n650 OK\r\n',
    "bootstrap": b'650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done '
                 b'SUMMARY="Done"\r\n',
    "progress": b'650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=5 TAG=x '
                b'SUMMARY="y"\r\n650 STATUS_CLIENT NOTICE BOOTSTRAP '
                b'PROGRESS=6 TAG=x SUMMARY="y"\r\n',
    "reload": b"650 SIGNAL RELOAD\r\n",
    "jump": b"650 STATUS_GENERAL NOTICE CLOCK_JUMPED TIME=300\r\n",
    "skew": b"650 STATUS_GENERAL WARN CLOCK_SKEW SKEW=-5 SOURCE=x\r\n",
    "launched": b"650 TRANSPORT_LAUNCHED client obfs4 127.0.0.1 1234\r\n",
    "liveness": b"650 NETWORK_LIVENESS DOWN\r\n",
    "stream": b"650 STREAM 1 NEW 0 a:1 SOURCE_ADDR=1.1.1.1:1\r\n",
}
# Of these something is taken back; SOCKS alone leaves the other kinds open.
TAKEN = ("lost", "directory", "socks", "progress", "reload", "jump")


def taken(kind):
    if kind not in TAKEN:
        return {"stays": True}
    return {"shut": True, "reason": () if kind == "socks" else
            ("unsettled",)}


for kind, event in FLOODS.items():
    add("flood-" + kind, "10^6 events: " + kind, step="PROBE",
        deed=d.flood(event, MILLION), quick=kind == "socks",
        cut=True, watch=30, **taken(kind))
    add("first-" + kind, "the same, from the first on: " + kind,
        step="PROBE", deed=d.flood(event, MILLION), cut=True, watch=30,
        fresh=True, opens=kind not in TAKEN)

for kind in ("progress", "lost", "circuit", "reload", "jump", "socks",
             "bootstrap"):
    add("each-" + kind, "an event behind each answer: " + kind, step="any",
        deed=d.event(FLOODS[kind]), cut=True, watch=4,
        quick=kind == "progress", **taken(kind))

# --- lies ------------------------------------------------------------------

SOCKS = "net/listeners/socks"
PHASE = "status/bootstrap-phase"
BOOT = {"shut": True, "reason": ("bootstrapping",)}


def phase(progress, rest=b'TAG=x SUMMARY="y"'):
    return {PHASE: b"NOTICE BOOTSTRAP PROGRESS=" + progress + b" " + rest}


for name, progress in (("10", b"10"), ("101", b"101"), ("1000", b"1000"),
                       ("minus", b"-5"), ("huge", b"9" * 40),
                       ("none", b""), ("words", b"done")):
    add("boot-" + name, "bootstrap at " + progress.decode(),
        lies=phase(progress), **BOOT)
add("boot-garbage", "a bootstrap phase that is none",
    lies={PHASE: b"\xff\xfe"}, **BOOT)
add("boot-flap", "bootstrap to and fro", watch=5,
    reason=("bootstrapping",), lies={
        PHASE: d.in_turn(phase(b"100")[PHASE], phase(b"80")[PHASE])})
add("circuit-none", "no circuit",
    lies={"status/circuit-established": b"0"}, shut=True,
    reason=("no-circuit",))
add("circuit-flap", "a circuit now and then", watch=60,
    lies={"status/circuit-established": d.in_turn(b"1", b"0")},
    reason=("unsettled",))
add("circuit-words", "a circuit, in words",
    lies={"status/circuit-established": b"yes"}, shut=True,
    reason=("no-circuit",))
add("pid", "another process behind the same connection",
    lies={"process/pid": d.then(b"1")}, fresh=True, shut=True, **GONE)
add("pid-garbage", "a process that has no number",
    lies={"process/pid": b"-1"}, shut=True, **BYTES)
add("traffic-garbage", "traffic that is no number",
    lies={"traffic/read": b"1e9"}, shut=True, **BYTES)

EVIL = b'\x1b[2J\x07\xff\xfe\x00\xc3\x28"\\ \x7f\x9b1m\r portcullisd: ok'
odd("version-evil", "a version that clears the screen",
    lies={"version": EVIL})
odd("version-long", "a version of a megabyte",
    lies={"version": b"9" * (1 << 20)})
add("boot-evil", "a summary that clears the screen", quick=True,
    lies=phase(b"10", b'TAG=' + EVIL[:3] + b' SUMMARY="' + EVIL + b'"'),
    **BOOT)
odd("time-9999", "a consensus of the year 9999", lies={
    "consensus/valid-after": b"9999-12-31 23:59:59",
    "consensus/valid-until": b"9999-12-31 23:59:59",
    "consensus/fresh-until": b"9999-12-31 23:59:59"})
odd("time-garbage", "consensus times that are none", lies={
    "consensus/valid-after": b"-1-1-1 1:1:1",
    "consensus/valid-until": b"2026-99-99 99:99:99",
    "consensus/fresh-until": EVIL})
odd("uptime", "an uptime before the beginning",
    lies={"uptime": b"-5", "dormant": b"perhaps"})

# --- lies about listeners --------------------------------------------------

add("socket-gone", "a listener that is not there", act=d.drop_socks,
    shut=True, quick=True, reprove=True, watch=3)
add("socket-foreign", "a listener that is another user's",
    act=d.drop_socks, impostor=(64099, "10.152.152.10:9050"), shut=True,
    reprove=True, watch=3)
for name, words, text in (
        ("unnamed", "no listener", b""),
        ("port-0", "port 0", b'"10.152.152.10:0"'),
        ("port-65536", "port 65536", b'"10.152.152.10:65536"'),
        ("elsewhere", "a listener elsewhere", b'"127.0.0.2:9050"')):
    add("named-" + name, words, lies={SOCKS: text}, shut=True)
add("named-quote", "a listener without an end", shut=True,
    lies={SOCKS: b'"10.152.152.10:9050'}, **BYTES)
add("named-hundred-thousand", "100,000 listeners", shut=True,
    lies={SOCKS: b'"10.0.0.1:1" ' * 100000}, **BYTES)
add("named-many", "50,000 listeners that are not ours", lies={
    SOCKS: lambda _, truth: truth + b"".join(
        b' "10.0.%d.%d:1"' % (i // 250, i % 250) for i in range(50000))})
harmless("named-twice", "each listener twice",
         lies={SOCKS: lambda _, truth: truth + b" " + truth})
add("conf-many", "60,000 lines of options", lies={
    "conf socksport": lambda _, truth: truth + b"\n" + b"\n".join(
        b"SocksPort=10.0.%d.%d:1 %s" % (i // 250, i % 250, b"x" * 40)
        for i in range(60000))})
add("circuits-many", "a list of circuits of 4 MB", step="CIRCUITS",
    lies={"circuit-status": b"\n".join(
        b"%d LAUNCHED PURPOSE=GENERAL %s" % (i, b"x" * 50)
        for i in range(45000))})
add("conf-other", "options that are not what was set", shut=True,
    lies={"conf socksport": b"SocksPort=127.0.0.1:9050"}, reprove=True,
    watch=4)
add("conf-off", "networking off, always", shut=True, reprove=True,
    lies={"conf disablenetwork": b"DisableNetwork=1"}, watch=4)
add("deaf", "SETCONF: 250 OK, and nothing else", step="SETCONF",
    deed=d.deaf, act=d.drop_all, shut=True, reprove=True, watch=3,
    undone=True, reason=("fight",), log="another controller", quick=True)
add("refuses", "SETCONF refused, in red", step="SETCONF",
    deed=d.say(b"513 Unacceptable: \x1b[31m\xff\x07\r\n"), act=d.drop_all,
    shut=True, undone=True, reason=("refused",), log="refuses", cut=True)

# --- what is under way by DNS when a DNSPort is to be shut ------------------

UNDER_WAY = {"log": "with questions under way"}
odd("questions-endless", "more questions by DNS with every look", quick=True,
    lies={"stream-status": d.questions(2000)}, **UNDER_WAY)
odd("questions-refused", "a question that cannot be ended",
    step="CLOSESTREAM", deed=d.code(b"512"),
    lies={"stream-status": b"7 SENTRESOLVE 4 a.example:0"}, **UNDER_WAY)
new("questions-garbage", "streams that are none", lies={
    "stream-status": b"7 SENTRESOLVE 4 a.example:0\n\x1b[2J\xff"}, **BYTES)
new("questions-number", "a stream of 400 digits", lies={
    "stream-status": b"9" * 400 + b" SENTRESOLVE 4 a.example:0"}, **BYTES)

# --- TCP, a password, many listeners, strict egress ------------------------

# Those of the above that are tried there as well.
AGAIN = ("http", "mute", "close-authenticate", "silent-authenticate",
         "line-probe", "unasked", "flood-lost", "code-514-authenticate",
         "code-552-getconf")
REFUSED = {"reason": ("auth-refused",), "log": "auth-refused", "tcp": True}

new("password", "refuses the password", step="AUTHENTICATE",
    deed=d.say(b"515 Authentication failed\r\n"), **REFUSED)
new("password-cookie", "wants a cookie, and no password", step=INFO,
    deed=d.protocolinfo("COOKIE,SAFECOOKIE", cookie=b"/etc/passwd"), tcp=True,
    **AUTH)
new("password-null", "wants nothing", step=INFO, tcp=True,
    deed=d.protocolinfo("NULL"), **AUTH)
new("port-peer", "another user's program at the port", tcp=True, quick=True,
    impostor=(64099, "127.0.0.1:9051"), act=lambda voice: voice.unbind(),
    reason=("wrong-peer",), log="wrong-peer")
new("port-root", "root's program at the port", tcp=True,
    impostor=(0, "127.0.0.1:9051"), act=lambda voice: voice.unbind(),
    reason=("wrong-peer",), log="wrong-peer")
new("stuffed", "does not read the SETCONF of 305 listeners", tcp=True,
    step="GETCONF", act=d.drop_all, deed=d.stuffed, **dict(HUNG, watch=32))
# A broken list costs two sessions, and then Tor is not asked for it for long.
odd("relays-endless", "100 MB of relays", tcp=True, step="NS", quick=True,
    deed=d.endless_relays, **BYTES)
odd("relays-line", "one relay of 100 MB", tcp=True, step="NS",
    deed=d.endless_relay, **BYTES)
new("relays-silent", "no list of relays", tcp=True, step="NS",
    deed=d.silence, **dict(HUNG, watch=16))
new("relays-drip", "an octet of the list now and then", tcp=True, step="NS",
    deed=d.drip, **dict(HUNG, watch=16))
odd("relays-half", "half a list of relays", tcp=True, step="NS",
    deed=d.half, **GONE)
odd("relays-garbage", "a list of relays that is none", tcp=True, step="NS",
    deed=d.relays(d.garbage), log="list of relays is not understood")
odd("relays-crowd", "200,000 relays", tcp=True, step="NS",
    deed=d.relays(d.crowd), log="more relays than")
odd("relays-none", "no relay at all", tcp=True, step="NS",
    deed=d.relays(lambda: b""))
