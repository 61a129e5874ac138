"""Fill a folder with what lies in old file shares: many files, and names that break careless scripts.

Arguments: the folder, how many ordinary files, bytes of each. The same arguments make the same tree.
"""

import hashlib
import os
import sys

ODD = (
    b"with space.txt",
    b" leading and trailing ",
    b"-rf",
    b"quote'\"`$HOME.txt",
    b"back\\slash",
    b"new\nline",
    b"tab\there",
    b"star*?[a].txt",
    "扫描件 2019年(最终版)#1.pdf".encode(),
    "名字".encode("gb18030"),
    b".hidden",
    b"long-" + b"x" * 240,
    b"%41%2f",
    b"semi;colon|pipe&.txt",
)
STAMP = 1_262_304_000


def main(folder, count, size):
    """Make the tree."""
    root = os.fsencode(folder)
    os.makedirs(root, exist_ok=True)
    for number in range(count):
        place = os.path.join(root, b"%03d" % (number % 97), b"%02d" % (number % 7))
        os.makedirs(place, exist_ok=True)
        block = hashlib.sha256(b"%d" % number).digest()
        write(os.path.join(place, b"scan-%06d.tif" % number), (block * (size // 32 + 1))[:size], number)
    odd = os.path.join(root, "奇怪的名字".encode())
    os.makedirs(os.path.join(odd, b"empty folder"), exist_ok=True)
    for number, name in enumerate(ODD):
        write(os.path.join(odd, name), name, number)
    write(os.path.join(odd, b"nothing"), b"", 0)
    with open(os.path.join(odd, b"sparse"), "wb") as out:
        out.truncate(4 << 20)
    links(odd)
    os.chmod(os.path.join(odd, b".hidden"), 0o600)
    os.chmod(odd, 0o2775)


def write(path, data, number):
    """One file, with a time of its own."""
    with open(path, "wb") as out:
        out.write(data)
    os.utime(path, (STAMP + number, STAMP + number))


def links(folder):
    """A hard link, a link that leads somewhere, and one that does not."""
    for name, target in ((b"link", b".hidden"), (b"dangling", b"/nowhere")):
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            os.symlink(target, path)
    twin = os.path.join(folder, b"twin")
    if not os.path.exists(twin):
        os.link(os.path.join(folder, b".hidden"), twin)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
