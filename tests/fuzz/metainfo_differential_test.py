#!/usr/bin/python3
"""Changed torrents read by rqfs and by libtorrent: the same info-hash and the same layout, or refused by rqfs.

And a torrent of half a million files must be read in bounded memory.

usage: metainfo_differential_test.py PARSE_TORRENT [SEED]
RQFS_SANITIZED=1 in the environment: do not look at memory, of which sanitizers need much of their own.
"""

import collections
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile

try:
    import libtorrent
except ImportError:
    print("skipped: python3-libtorrent is not installed")
    sys.exit(77)

MUTANTS = 10_000
PLAIN = re.compile(rb"[A-Za-z0-9_]{1,20}(\.[a-z]{3})?")
KNOWN_REFUSALS = {  # of libtorrent, for torrents that rqfs accepts on purpose
    "missing name in torrent file",  # a name of nothing but characters that are made safe elsewhere
    "the torrent contains v2 keys but does not specify meta version 2",  # read as version 1, which it is besides
}
MANY_FILES = 500_000
MOST_MEBIBYTES = 300  # for a torrent of so many files


def encode(value):
    """Bencode; a dictionary is a list of pairs inside `Pairs`, so that keys may be unsorted and equal."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, Pairs):
        return b"d" + b"".join(encode(k) + encode(v) for k, v in value.items) + b"e"
    return b"l" + b"".join(encode(v) for v in value) + b"e"


class Pairs:
    def __init__(self, *items):
        self.items = list(items)


def bases():
    """Torrents that are right, as trees to change."""
    def file(size, *path, **more):
        items = [(b"length", size), (b"path", [p.encode() for p in path])]
        items += [(k.replace("_", " ").encode(), v) for k, v in more.items()]
        return Pairs(*sorted(items))

    def whole(*info):
        return Pairs((b"announce", b"http://t.example/announce"), (b"creation date", 1700000000),
                     (b"info", Pairs(*sorted(info))))

    def pieces(count):
        return b"".join(hashlib.sha1(bytes([n])).digest() for n in range(count))

    yield whole((b"length", 100000), (b"name", b"film.mkv"), (b"piece length", 16384), (b"pieces", pieces(7)))
    yield whole((b"files", [file(20000, "a", "one"), file(0, "a", "two"), file(30000, "b")]), (b"name", b"season"),
                (b"piece length", 16384), (b"pieces", pieces(4)), (b"private", 1))
    yield whole((b"files", [file(20000, "one", attr=b"x"), file(12768, ".pad", "12768", attr=b"p"),
                            file(0, "link", attr=b"l", symlink_path=[b"one"]), file(7, "two", attr=b"h")]),
                (b"name", b"padded"), (b"name.utf-8", b"padded"), (b"piece length", 32768), (b"pieces", pieces(2)))


def containers(tree):
    found = [tree]
    for child in ([v for _, v in tree.items] if isinstance(tree, Pairs) else tree):
        if isinstance(child, (Pairs, list)):
            found += containers(child)
    return found


def clone(tree):
    if isinstance(tree, Pairs):
        return Pairs(*[(k, clone(v)) for k, v in tree.items])
    return [clone(v) for v in tree] if isinstance(tree, list) else tree


NUMBERS = [0, 1, -1, 2, 3, 7, 20, 16383, 16384, 16385, 32768, 65536, 100000, 2**31 - 1, 2**31, 2**32, 2**48 - 1, 2**48,
           2**63 - 1, -2**63, 2**63, 2**64, 536854528, 536854529]
STRINGS = [b"", b"a", b"b", b"p", b"l", b"x", b"h", b"..", b"/", b"\xff", b"\0", b"1", b"a/b", b"x" * 20, b"y" * 40, b"z" * 140]
KEYS = [b"attr", b"files", b"length", b"name", b"name.utf-8", b"path", b"path.utf-8", b"piece length", b"pieces", b"private",
        b"symlink path", b"meta version", b"file tree", b"info", b"announce-list", b"url-list", b"nodes", b"zzz"]


def random_value(chance):
    return chance.choice([lambda: chance.choice(NUMBERS), lambda: chance.choice(STRINGS), lambda: [], lambda: Pairs(),
                          lambda: [chance.choice(STRINGS)], lambda: [[chance.choice(STRINGS)]],
                          lambda: chance.randrange(200000)])()


def change_tree(tree, chance):
    target = chance.choice(containers(tree))
    items = target.items if isinstance(target, Pairs) else target
    kind = chance.randrange(6)
    if kind == 0 and items:
        items.pop(chance.randrange(len(items)))
    elif kind == 1 and items:
        items.insert(chance.randrange(len(items) + 1), chance.choice(items))
    elif kind == 2:
        chance.shuffle(items)
    elif kind == 3:
        value = random_value(chance)
        items.insert(chance.randrange(len(items) + 1), (chance.choice(KEYS), value) if isinstance(target, Pairs) else value)
    elif items:
        place = chance.randrange(len(items))
        value = random_value(chance)
        items[place] = (items[place][0], value) if isinstance(target, Pairs) else value


def change_bytes(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        data[chance.randrange(len(data))] = chance.choice(b"0123456789ilde:-\xff\0p") if chance.random() < 0.8 else chance.randrange(256)
    return bytes(data)


def mutants(seed):
    trees = list(bases())
    for tree in trees:
        yield encode(tree)
    for number in range(MUTANTS):
        chance = random.Random(f"{seed}/{number}")
        tree = clone(chance.choice(trees))
        if chance.random() < 0.6:
            for _ in range(chance.choice([1, 1, 2, 3])):
                change_tree(tree, chance)
            yield encode(tree)
        else:
            yield change_bytes(encode(tree), chance)


def theirs(data):
    info = libtorrent.torrent_info(data)
    layout = info.files()
    files = []
    for i in range(layout.num_files()):
        flags = layout.file_flags(i)
        files.append((layout.file_size(i), bool(flags & layout.flag_pad_file), bool(flags & layout.flag_executable),
                      bool(flags & layout.flag_hidden), layout.file_path(i)))
    return info, files


def plain_path(torrent, path):
    """Where libtorrent puts a file whose names it need not change, else nothing."""
    elements = [bytes.fromhex(e) for e in path]
    name = bytes.fromhex(torrent["name"])
    if not all(PLAIN.fullmatch(e) for e in elements + [name]):
        return None
    return b"/".join(elements).decode()


def comparable_paths(torrent):
    """The paths of all files, unless libtorrent would change some: odd names, equal names, files that are directories too."""
    paths = [plain_path(torrent, path) for _, _, path in torrent["files"]]
    if None in paths or len({p.lower() for p in paths}) < len(paths):
        return None
    directories = {"/".join(p.lower().split("/")[:n]) for p in paths for n in range(1, p.count("/") + 1)}
    return None if any(p.lower() in directories for p in paths) else paths


def read(program, inputs):
    """What rqfs says to every input, and the MiB it took at most."""
    with tempfile.TemporaryDirectory() as directory:
        names = []
        for number, data in enumerate(inputs):
            names.append(os.path.join(directory, str(number)))
            with open(names[-1], "wb") as file:
                file.write(data)
        run = subprocess.run([program], input="\n".join(names) + "\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, check=True)
    verdicts = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(verdicts) == len(inputs), f"{len(verdicts)} answers for {len(inputs)} torrents"
    return verdicts, int(re.search(r"^VmHWM:\s+(\d+) kB$", run.stderr, re.MULTILINE)[1]) // 1024


def memory_of_many_files(program):
    """MiB that reading a very large torrent takes."""
    files = [Pairs((b"attr", b"x"), (b"length", 1), (b"path", [b"directory", b"a file of many, number %d" % n]))
             for n in range(MANY_FILES)]
    info = Pairs((b"files", files), (b"name", b"many"), (b"piece length", 16384), (b"pieces", b"h" * 20 * 31))
    (answer,), mebibytes = read(program, [encode(Pairs((b"info", info)))])
    assert len(answer["files"]) == MANY_FILES
    return mebibytes


def differences(ours, data):
    """What rqfs and libtorrent see differently, and libtorrent's refusal."""
    try:
        info, files = theirs(data)
    except RuntimeError as refusal:
        return [], str(refusal)
    found = []

    def compare(what, mine, other):
        if mine != other:
            found.append(f"{what}: {mine} here, {other} there")

    compare("info-hash", ours["info_hash"], str(info.info_hashes().v1))
    compare("piece length", ours["piece_length"], info.piece_length())
    compare("total", ours["total"], info.total_size())
    compare("private", bool(ours["private"]), bool(info.priv()))
    compare("number of files", len(ours["files"]), len(files))
    compare("hashes", ours["hashes"], "".join(info.hash_for_piece(i).hex() for i in range(info.num_pieces())))
    paths = comparable_paths(ours)
    for number, ((size, attributes, path), other) in enumerate(zip(ours["files"], files)):
        compare(f"size of file {number}", size, other[0])
        compare(f"pad file {number}", "p" in attributes, other[1])
        compare(f"executable file {number}", "x" in attributes, other[2])
        compare(f"hidden file {number}", "h" in attributes, other[3])
        if paths:
            compare(f"path of file {number}", paths[number], other[4].split("/", 1)[-1])
    return found, None


def main():
    program = sys.argv[1]
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    inputs = list(mutants(seed))
    verdicts, _ = read(program, inputs)

    accepted = failures = 0
    refusals = collections.Counter()
    for number, (ours, data) in enumerate(zip(verdicts, inputs)):
        if "error" in ours:
            if number < 3:
                failures += 1
                print(f"a good torrent was refused: {bytes.fromhex(ours['error']).decode()}")
            continue
        accepted += 1
        found, refusal = differences(ours, data)
        if refusal:
            refusals[refusal] += 1
            if refusal not in KNOWN_REFUSALS:
                found.append(f"accepted here, refused there: {refusal}")
        if found:
            failures += 1
            if failures <= 10:
                print(f"torrent {number} of seed {seed}: {'; '.join(found)}\n  {data[:400]!r}")
    print(f"{len(inputs)} torrents, {accepted} accepted by rqfs, {failures} seen differently; refused by libtorrent alone: "
          f"{dict(refusals)}")
    mebibytes = memory_of_many_files(program)
    print(f"{MANY_FILES} files read in {mebibytes} MiB")
    if mebibytes > MOST_MEBIBYTES and not os.environ.get("RQFS_SANITIZED"):
        failures += 1
    return 1 if failures or accepted < len(inputs) // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
