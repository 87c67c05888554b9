#!/usr/bin/env python3
"""A tray without a screen: a StatusNotifierWatcher that prints its items.

At each new icon: the title, the icon's size and its most frequent colour that
is to be seen, "TITLE|WIDTHxHEIGHT|RRGGBB".
On SIGUSR1 the last item is clicked.
"""
import collections
import signal

from gi.repository import Gio, GLib

NAME = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
XML = """<node><interface name="org.kde.StatusNotifierWatcher">
<method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/>
</method></interface></node>"""
items = []


def show(bus, item):
    """All of it, as trays read it."""
    said = bus.call_sync(item, "/StatusNotifierItem",
                         "org.freedesktop.DBus.Properties", "GetAll",
                         GLib.Variant("(s)", (ITEM,)), None,
                         Gio.DBusCallFlags.NONE, 2000, None).unpack()[0]
    width, height, pixels = said["IconPixmap"][0]
    count = collections.Counter(
        bytes(pixels[i + 1:i + 4]) for i in range(0, len(pixels), 4)
        if pixels[i] > 127)
    print("%s|%dx%d|%s" % (said["Title"], width, height,
                           count.most_common(1)[0][0].hex().upper()),
          flush=True)


def on_call(bus, sender, _path, _interface, _method, args, call):
    call.return_value(None)
    items.append(sender)
    bus.signal_subscribe(sender, ITEM, "NewIcon", "/StatusNotifierItem", None,
                         Gio.DBusSignalFlags.NONE,
                         lambda *_: show(bus, sender))
    show(bus, sender)


def click(bus):
    bus.call_sync(items[-1], "/StatusNotifierItem", ITEM, "Activate",
                  GLib.Variant("(ii)", (1, 1)), None,
                  Gio.DBusCallFlags.NONE, 5000, None)
    return GLib.SOURCE_CONTINUE


bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object("/StatusNotifierWatcher",
                    Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0],
                    on_call, None, None)
Gio.bus_own_name_on_connection(
    bus, NAME, Gio.BusNameOwnerFlags.NONE,
    lambda *_: print("ready", flush=True), None)
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, click, bus)
GLib.MainLoop().run()
