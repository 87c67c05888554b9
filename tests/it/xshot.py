#!/usr/bin/env python3
"""What Xvfb shows: reads the file of its -fbdir.

    xshot.py FRAMEBUFFER [PNG]

Prints each colour that fills at least one of a thousand pixels, "RRGGBB
PIXELS", the most frequent first; writes the picture.
"""
import collections
import struct
import sys
import zlib

HEADER = struct.Struct(">25I")


def read(path):
    """Rows of pixels, each four octets: blue, green, red, nothing."""
    with open(path, "rb") as f:
        data = memoryview(f.read())
    h = HEADER.unpack_from(data)
    size, width, height, order = h[0], h[4], h[5], h[7]
    if h[1] != 7 or h[11] != 32 or order != 0:
        sys.exit("not a picture of 32 bits a pixel, low octet first")
    line, start = h[12], size + h[19] * 12
    return [data[start + y * line:start + y * line + 4 * width]
            for y in range(height)]


def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def write(path, rows):
    raw = b""
    for row in rows:
        rgb = bytearray(len(row) // 4 * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        raw += b"\0" + rgb
    head = struct.pack(">IIBBBBB", len(rows[0]) // 4, len(rows), 8, 2, 0, 0, 0)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
                chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


picture = read(sys.argv[1])
if len(sys.argv) > 2:
    write(sys.argv[2], picture)
count = collections.Counter()
for row in picture:
    count.update(row.cast("I"))
for colour, n in count.most_common():
    if n * 1000 >= sum(count.values()):
        print("%06X %d" % (colour & 0xFFFFFF, n))
