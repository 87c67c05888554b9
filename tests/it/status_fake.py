#!/usr/bin/env python3
"""A stand-in for portcullis-status, for what only looks at its sockets.

    status_fake.py DIR LINES

Serves status.sock and control.sock in DIR.  A word on standard input is the
name of a line, in the file LINES/WORD.json, that everybody is told from then
on; "mute" ends heartbeats, "full" turns everybody away, "exit" ends all.  What is asked of control.sock is
printed, and "hold" and "release" show the lines "held" and "open".
"""
import json
import os
import selectors
import socket
import sys
import time

HEARTBEAT = 5


class Fake:
    def __init__(self, folder, lines):
        self.folder, self.lines = folder, lines
        self.sel = selectors.DefaultSelector()
        self.clients, self.seq = [], 0
        self.line, self.mute = self.load("open"), False
        self.full = False
        self.beat = time.monotonic() + HEARTBEAT

    def load(self, name):
        with open(os.path.join(self.lines, name + ".json")) as f:
            return json.load(f)

    def listen(self, name, act):
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.unlink(path)
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        sock.listen(64)
        self.sel.register(sock, selectors.EVENT_READ,
                          lambda: act(sock.accept()[0]))

    def send(self, client, kind):
        line = dict(self.line, type=kind, seq=self.seq)
        line["time"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        if kind != "snapshot":
            line["history"] = None
        if kind == "change":
            line["circuits"] = dict(line["circuits"], built_age_ms=None)
        if kind in ("heartbeat", "refused"):
            line["listeners"] = {k: v for k, v in line["listeners"].items()
                                 if k != "table"}
        try:
            client.sendall(json.dumps(line).encode() + b"\n")
        except OSError:
            self.clients.remove(client)
            client.close()

    def publish(self, kind):
        for client in list(self.clients):
            self.send(client, kind)
        self.beat = time.monotonic() + HEARTBEAT

    def on_status(self, client):
        self.clients.append(client)
        self.send(client, "refused" if self.full else "snapshot")
        if self.full:
            self.turn_away()

    def turn_away(self):
        self.full = True
        while self.clients:
            self.clients.pop().close()

    def on_control(self, client):
        def read():
            data = client.recv(4096)
            if data:
                self.answer(client, json.loads(data)["cmd"])
            else:
                self.sel.unregister(client)
                client.close()
        self.sel.register(client, selectors.EVENT_READ, read)

    def answer(self, client, verb):
        print(verb, flush=True)
        said = {"ok": True, "text": "The fake did: %s." % verb}
        if verb == "newnym":
            said = {"ok": False, "error": "The fake refuses.",
                    "refused": True}
        client.sendall(json.dumps(said).encode() + b"\n")
        if verb in ("hold", "release"):
            self.show("held" if verb == "hold" else "open")

    def show(self, name):
        self.line = self.load(name)
        self.seq += 1
        self.publish("change")

    def on_word(self):
        data = os.read(0, 4096).decode()
        if not data:
            sys.exit(0)
        for word in data.split():
            if word == "exit":
                sys.exit(0)
            elif word == "mute":
                self.mute = True
            elif word == "full":
                self.turn_away()
            else:
                self.show(word)

    def run(self):
        self.listen("status.sock", self.on_status)
        self.listen("control.sock", self.on_control)
        self.sel.register(0, selectors.EVENT_READ, self.on_word)
        print("ready", flush=True)
        while True:
            left = self.beat - time.monotonic()
            for key, _ in self.sel.select(max(left, 0)):
                key.data()
            if time.monotonic() >= self.beat:
                self.beat = time.monotonic() + HEARTBEAT
                if not self.mute:
                    self.publish("heartbeat")


Fake(*sys.argv[1:]).run()
