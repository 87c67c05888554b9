#!/usr/bin/env python3
"""The gate in the tray: red is closed, green open, yellow in between, grey
not known; the line at the foot is Tor's bootstrap.

    indicator.py [--window]

A freedesktop StatusNotifierItem where the desktop has a tray for these, else,
or with --window, a small window.  Needs python3-gi, and for the window
gir1.2-gtk-3.0.  It reads the status socket, and can do nothing else.
"""
import json
import os
import socket
import sys

try:
    import gi
    from gi.repository import Gio, GLib
except ImportError:
    sys.exit("indicator.py: this needs python3-gi: install it.")

PATH = os.environ.get("PORTCULLIS_RUN_DIR", "/run/portcullis") + "/status.sock"
SILENCE_S = 12.5  # heartbeats come every 5 seconds
RETRY_MS = 1000
LINE_MAX = 8 << 20
ICON = 32
PICTURE = 128
COLOURS = {"open": (0x2E, 0x9E, 0x44), "closed": (0xD0, 0x31, 0x2D),
           "unknown": (0x80, 0x80, 0x80)}
BETWEEN = (0xD9, 0xA4, 0x00)
STONE = (0x30, 0x30, 0x30)
# Down to where the bars reach, of the height of the gateway.
BARS = {"open": 0.15, "time-sync": 0.6}
ITEM = "org.kde.StatusNotifierItem"
WATCHER = "org.kde.StatusNotifierWatcher"
ITEM_XML = """<node><interface name="org.kde.StatusNotifierItem">
<property name="Category" type="s" access="read"/>
<property name="Id" type="s" access="read"/>
<property name="Title" type="s" access="read"/>
<property name="Status" type="s" access="read"/>
<property name="IconName" type="s" access="read"/>
<property name="IconPixmap" type="a(iiay)" access="read"/>
<property name="ToolTip" type="(sa(iiay)ss)" access="read"/>
<property name="ItemIsMenu" type="b" access="read"/>
<method name="Activate"><arg type="i"/><arg type="i"/></method>
<signal name="NewIcon"/><signal name="NewToolTip"/><signal name="NewTitle"/>
</interface></node>"""


class State:
    """What one line says, or that nothing is known."""

    def __init__(self, line=None, why="The supervisor does not answer."):
        known = line is not None and line.get("v") == 1
        self.position = str(line["position"]) if known else "unknown"
        self.why = str(line["reason"]["text"]) if known else why
        self.advice = str(line["advice"] or "") if known else ""
        boot = line["bootstrap"] if known else {}
        self.progress = boot.get("progress")
        if not isinstance(self.progress, (int, type(None))):
            raise ValueError("bootstrap.progress")
        self.step = str(boot.get("summary") or "")

    def title(self):
        return "The gate is " + ("not known to be open or closed"
                                 if self.position == "unknown"
                                 else self.position)

    def boot(self):
        if self.progress is None:
            return "Bootstrap: not known"
        return "Bootstrap: %d %% %s" % (self.progress, self.step)


def picture(state, size):
    """SIZE x SIZE pixels of (red, green, blue, alpha), row by row."""
    colour = COLOURS.get(state.position, BETWEEN)
    wall, foot = size // 8, size - size // 8
    depth = wall + (foot - wall) * BARS.get(state.position, 1)
    gap, thick = size // 4, max(size // 16, 2)
    filled = size * (state.progress or 0) // 100
    rows = []
    for y in range(size):
        for x in range(size):
            if y >= foot:
                pixel = (*(colour if x < filled else STONE), 255)
            elif y < wall or x < wall or x >= size - wall:
                pixel = (*colour, 255)
            elif y < depth and ((x - wall + thick // 2) % gap < thick or
                                (y - wall) % gap < thick):
                pixel = (*colour, 255)
            else:
                pixel = (0, 0, 0, 0)
            rows.append(pixel)
    return rows


def argb(state):
    """The same as a StatusNotifierItem has it: alpha first."""
    return bytes(c for r, g, b, a in picture(state, ICON)
                 for c in (a, r, g, b))


class Feed:
    """The status socket; tells SHOW every new State, unknown ones too."""

    def __init__(self, show):
        self.show, self.sock, self.buf = show, None, b""
        self.watch = self.timer = 0
        self.connect()

    def connect(self):
        self.timer = 0
        self.sock, self.buf = socket.socket(socket.AF_UNIX), b""
        self.sock.setblocking(False)
        try:
            self.sock.connect(PATH)
        except OSError as e:
            return self.lose(e.strerror + ".")
        self.watch = GLib.io_add_watch(
            self.sock.fileno(), GLib.PRIORITY_DEFAULT,
            GLib.IO_IN | GLib.IO_HUP | GLib.IO_ERR, self.on_ready)
        self.wait()
        return GLib.SOURCE_REMOVE

    def wait(self):
        if self.timer:
            GLib.source_remove(self.timer)
        self.timer = GLib.timeout_add(int(SILENCE_S * 1000), self.on_silence)

    def on_silence(self):
        self.timer = 0
        return self.lose("The supervisor says nothing.")

    def lose(self, why):
        for source in (self.watch, self.timer):
            if source:
                GLib.source_remove(source)
        self.watch = 0
        self.sock.close()
        self.show(State(why=why))
        self.timer = GLib.timeout_add(RETRY_MS, self.connect)
        return GLib.SOURCE_REMOVE

    def on_ready(self, _fd, _condition):
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return GLib.SOURCE_CONTINUE
        except OSError:
            data = b""
        *lines, self.buf = (self.buf + data).split(b"\n")
        try:
            told = [json.loads(line) for line in lines[-1:]]
            if told and told[-1].get("type") == "refused":
                self.watch = 0
                return self.lose("The supervisor has no place for another "
                                 "client.")
            states = [State(line) for line in told]
        except (ValueError, KeyError, TypeError, AttributeError):
            data = b""
        if not data or len(self.buf) > LINE_MAX:
            self.watch = 0
            return self.lose("The supervisor went away.")
        if states:
            self.wait()
            self.show(states[-1])
        return GLib.SOURCE_CONTINUE


class Window:
    """A picture, two sentences and a bar."""

    def __init__(self, quit_with):
        gi.require_version("Gtk", "3.0")
        gi.require_version("GdkPixbuf", "2.0")
        from gi.repository import GdkPixbuf, Gtk
        self.pixbuf, self.shown = GdkPixbuf, None
        if not Gtk.init_check()[0]:
            sys.exit("indicator.py: there is neither a tray nor a display")
        self.window = Gtk.Window(title="Portcullis", resizable=False)
        self.window.connect("delete-event", self.on_delete, quit_with)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8,
                      border_width=12)
        self.image, self.text = Gtk.Image(), Gtk.Label(wrap=True)
        self.text.set_max_width_chars(40)
        self.bar = Gtk.ProgressBar(show_text=True)
        for widget in (self.image, self.text, self.bar):
            box.add(widget)
        self.window.add(box)
        box.show_all()

    def on_delete(self, _window, _event, quit_with):
        if quit_with:
            quit_with.quit()
        self.window.hide()
        return True

    def show(self, state):
        pixels = bytes(c for p in picture(state, PICTURE) for c in p)
        self.image.set_from_pixbuf(self.pixbuf.Pixbuf.new_from_bytes(
            GLib.Bytes.new(pixels), self.pixbuf.Colorspace.RGB, True, 8,
            PICTURE, PICTURE, PICTURE * 4))
        self.text.set_text("\n".join(filter(None, (
            state.title() + ".", state.why, state.advice))))
        self.bar.set_fraction((state.progress or 0) / 100)
        self.bar.set_text(state.boot())

    def present(self):
        self.window.present()


class Tray:
    """The StatusNotifierItem; WINDOW() is what a click shows."""

    def __init__(self, bus, window):
        self.bus, self.window, self.state = bus, window, State()
        info = Gio.DBusNodeInfo.new_for_xml(ITEM_XML).interfaces[0]
        bus.register_object("/StatusNotifierItem", info, self.on_call,
                            self.on_get, None)
        # Each time that a tray comes up, it has to be told.
        Gio.bus_watch_name_on_connection(
            bus, WATCHER, Gio.BusNameWatcherFlags.NONE, self.on_watcher, None)

    def on_watcher(self, bus, _name, owner):
        bus.call(owner, "/StatusNotifierWatcher", WATCHER,
                 "RegisterStatusNotifierItem",
                 GLib.Variant("(s)", (bus.get_unique_name(),)), None,
                 Gio.DBusCallFlags.NONE, -1, None, None)

    def on_call(self, _bus, _sender, _path, _interface, _method, _args, call):
        self.window()
        call.return_value(None)

    def on_get(self, _bus, _sender, _path, _interface, name):
        s = self.state
        icon = (ICON, ICON, argb(s))
        return GLib.Variant(*{
            "Category": ("s", "SystemServices"),
            "Id": ("s", "portcullis"),
            "Title": ("s", s.title()),
            "Status": ("s", "Active"),
            "IconName": ("s", ""),
            "IconPixmap": ("a(iiay)", [icon]),
            "ToolTip": ("(sa(iiay)ss)", (
                "", [], s.title(), "\n".join(filter(None, (
                    s.why, s.advice, s.boot()))))),
            "ItemIsMenu": ("b", False),
        }[name])

    def show(self, state):
        self.state = state
        for signal in ("NewIcon", "NewToolTip", "NewTitle"):
            self.bus.emit_signal(None, "/StatusNotifierItem", ITEM, signal,
                                 None)


def session_bus():
    """The bus, and whether a tray is on it."""
    try:
        bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        return bus, bus.call_sync(
            "org.freedesktop.DBus", "/org/freedesktop/DBus",
            "org.freedesktop.DBus", "NameHasOwner",
            GLib.Variant("(s)", (WATCHER,)), None, Gio.DBusCallFlags.NONE,
            -1, None).unpack()[0]
    except GLib.Error:
        return None, False


class Indicator:
    def __init__(self, want_window):
        self.loop, self.window, self.state = GLib.MainLoop(), None, State()
        bus, has_tray = (None, False) if want_window else session_bus()
        self.tray = Tray(bus, self.open) if has_tray else None
        if self.tray is None:
            self.open()

    def open(self):
        if self.window is None:
            self.window = Window(None if self.tray else self.loop)
        self.window.show(self.state)
        self.window.present()

    def show(self, state):
        if vars(state) == vars(self.state):
            return
        self.state = state
        for where in filter(None, (self.tray, self.window)):
            where.show(state)

    def run(self):
        feed = Feed(self.show)
        try:
            self.loop.run()
        except KeyboardInterrupt:
            feed.sock.close()


if set(sys.argv[1:]) - {"--window"}:
    sys.exit(__doc__)
Indicator("--window" in sys.argv).run()
