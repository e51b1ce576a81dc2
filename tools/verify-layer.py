#!/usr/bin/env python3
"""Derives a layer's tar again from a listing and the files: layer format v1, by stock Python alone.

Usage: verify-layer.py < LISTING > TAR

LISTING is one JSON object a line, in any order:
  {"path": "etc/hello", "type": "file|directory|symlink|hardlink", "mode": 420, "uid": 0, "gid": 0,
   "mtime": 0, "source": "FILE on this machine", "link": "target", "xattrs": {"user.a": "text"}}
Paths and links are text whose bytes that are not UTF-8 are written as Python's surrogateescape.
"""
import json
import os
import sys

MAX_ID, MAX_SIZE = 0o777777, 0o77777777777
TYPES = {"file": b"0", "hardlink": b"1", "symlink": b"2", "directory": b"5"}


def order(path):
    """Rule E2: by component, whiteouts first, then unsigned bytes."""
    return [(not part.startswith(b".wh."), part) for part in path.split(b"/")]


def split(name):
    """The name and prefix fields of a ustar header, or None where the name does not fit."""
    if len(name) <= 100:
        return name, b""
    at = name.find(b"/", len(name) - 101)
    if at == 0:
        at = name.find(b"/", 1)
    if at < 0 or at == len(name) - 1 or at > 155:
        return None
    return name[at + 1:], name[:at]


def cut(text, limit):
    """The first bytes of a text, never half of a UTF-8 character."""
    if len(text) <= limit:
        return text
    end = limit
    while end > 0 and text[end] & 0xC0 == 0x80:
        end -= 1
    return text[: end or limit]


def octal(value, digits):
    return b"%0*o" % (digits, value)


def header(name, prefix, kind, mode, uid, gid, size, mtime, link):
    block = bytearray(512)

    def put(offset, data):
        block[offset:offset + len(data)] = data

    put(0, name)
    put(100, octal(mode, 6) + b" ")
    put(108, octal(uid, 6) + b" ")
    put(116, octal(gid, 6) + b" ")
    put(124, octal(size, 11) + b" ")
    put(136, octal(mtime, 11) + b" ")
    put(148, b" " * 8)
    put(156, kind)
    put(157, link)
    put(257, b"ustar\x0000")
    put(329, octal(0, 6) + b" ")
    put(337, octal(0, 6) + b" ")
    put(345, prefix)
    put(148, octal(sum(block), 6) + b"\0 ")
    return bytes(block)


def pad(length):
    return b"\0" * (-length % 512)


def extended(records):
    body = b""
    for key, value in sorted(records.items()):
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest)
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        body += str(length).encode() + rest
    return header(b"././@PaxHeader", b"", b"x", 0, 0, 0, len(body), 0, b"") + body + pad(len(body))


def write(entry, out):
    kind = entry["type"]
    path = os.fsencode(entry["path"])
    name = path + (b"/" if kind == "directory" else b"")
    link = os.fsencode(entry.get("link", ""))
    uid, gid, mtime = entry.get("uid", 0), entry.get("gid", 0), entry.get("mtime", 0)
    size = os.path.getsize(entry["source"]) if kind == "file" else 0
    records = {
        b"SCHILY.xattr." + os.fsencode(key): os.fsencode(value)
        for key, value in entry.get("xattrs", {}).items()
    }
    parts = split(name)
    if parts is None:
        records[b"path"] = name
        short = cut(path, 99) + b"/" if kind == "directory" else cut(path, 100)
        parts = short, b""
    if len(link) > 100:
        records[b"linkpath"] = link
    if uid > MAX_ID:
        records[b"uid"] = b"%d" % uid
    if gid > MAX_ID:
        records[b"gid"] = b"%d" % gid
    if size > MAX_SIZE:
        records[b"size"] = b"%d" % size
    if records:
        out.write(extended(records))
    out.write(header(
        *parts, TYPES[kind], entry["mode"], min(uid, MAX_ID), min(gid, MAX_ID),
        size if size <= MAX_SIZE else 0, mtime, cut(link, 100)))
    if kind == "file":
        written = 0
        with open(entry["source"], "rb") as source:
            while data := source.read(1 << 20):
                out.write(data)
                written += len(data)
        if written != size:
            sys.exit(f"{entry['source']}: changed while it was read")
        out.write(pad(size))


def main():
    entries = [json.loads(line) for line in sys.stdin if line.strip()]
    entries.sort(key=lambda entry: order(os.fsencode(entry["path"])))
    for entry in entries:
        write(entry, sys.stdout.buffer)
    sys.stdout.buffer.write(b"\0" * 1024)


if __name__ == "__main__":
    main()
