#!/usr/bin/python3
"""Reads stored data through a mount of rqfs, through libfuse's example passthrough_ll, and directly, and compares them.

Of a file that rqfs has downloaded and that lies in its store:
  sequential  from end to end in reads of 1 MiB and of 128 KiB
  random      reads of 4 KiB and of 128 KiB at made-up places, the same for all
each with the page cache of the mount
  empty       every read reaches the filesystem, and the disk's own cache answers it ("fuse"), or the disk does ("disk")
  full        the kernel answers from what it has ("cache"); for rqfs and passthrough_ll only
The order of the ways changes from round to round. The processor time is that of the filesystem's process, for 1 GiB of reads.

Held to: sequential reads with an empty page cache at least 0.5 of passthrough_ll's rate.
Needs Debian's python3-libtorrent for the data, and libfuse3-dev, gcc and pkg-config for passthrough_ll.
"""
import argparse
import mmap
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench_lab as lab  # noqa: E402

MIN_SEQUENTIAL_RATIO = 0.5
SOURCE = '/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c'
# name, bytes of a read, number of random reads (0: sequential), where the data comes from
CASES = [('sequential 1 MiB', lab.MIB, 0, 'fuse'), ('sequential 128 KiB', 128 * 1024, 0, 'fuse'),
         ('sequential 1 MiB', lab.MIB, 0, 'disk'), ('sequential 1 MiB', lab.MIB, 0, 'cache'),
         ('random 4 KiB', 4096, 5000, 'fuse'), ('random 128 KiB', 128 * 1024, 2000, 'fuse'),
         ('random 4 KiB', 4096, 1000, 'disk'), ('random 128 KiB', 128 * 1024, 500, 'disk')]


class Way:
    """A path to the same bytes, and the process between (None: none)."""

    def __init__(self, path, pid=None):
        self.path, self.pid = path, pid
        self.handle = os.open(path, os.O_RDONLY)

    def cpu(self):
        return lab.cpu_so_far(self.pid) if self.pid else 0.0

    def drop_cache(self):
        os.posix_fadvise(self.handle, 0, 0, os.POSIX_FADV_DONTNEED)

    def end(self):
        os.close(self.handle)


def read_through(handle, offsets, size):
    """Seconds and bytes."""
    buffer = mmap.mmap(-1, size)
    buffer.write(bytes(size))
    total, begin = 0, time.monotonic()
    for offset in offsets:
        total += os.preadv(handle, [buffer], offset)
    return time.monotonic() - begin, total


def offsets_of(case, size, number):
    _, read_bytes, reads, _ = case
    if reads == 0:
        return range(0, size, read_bytes)
    rng = random.Random(number)
    return [rng.randrange(size // read_bytes) * read_bytes for _ in range(reads)]


def measure(case, way, stored, number):
    """MiB/s, reads a second, CPU seconds for a GiB."""
    size, source = os.fstat(way.handle).st_size, case[3]
    way.drop_cache()
    if source == 'disk':
        stored.drop_cache()
    else:
        read_through(stored.handle, range(0, size, lab.MIB), lab.MIB)
    if source == 'cache':
        read_through(way.handle, range(0, size, lab.MIB), lab.MIB)
    lab.touch_memory(pathlib.Path(stored.path).parent, 2 * size)
    offsets, before = offsets_of(case, size, number), way.cpu()
    seconds, total = read_through(way.handle, offsets, case[1])
    return total / lab.MIB / seconds, len(offsets) / seconds, (way.cpu() - before) * lab.GIB / total


def build_passthrough(work):
    """The program, or why there is none."""
    if not os.path.exists(SOURCE):
        return None, f'passthrough_ll is left out: {SOURCE} is missing (package libfuse3-dev)'
    for program in ['gcc', 'pkg-config']:
        if shutil.which(program) is None:
            return None, f'passthrough_ll is left out: {program} is missing'
    flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'fuse3'], capture_output=True, text=True).stdout.split()
    built = subprocess.run(['gcc', '-O2', SOURCE, *flags, '-o', str(work / 'passthrough_ll')], capture_output=True, text=True)
    return (work / 'passthrough_ll', '') if built.returncode == 0 else (None, f'passthrough_ll is left out: {built.stderr.strip()}')


class Passthrough:
    def __init__(self, program, directory, source):
        self.mountpoint = directory / 'passthrough'
        self.mountpoint.mkdir(exist_ok=True)
        self.process = lab.Watched([program, '-f', '-o', f'source={source}', self.mountpoint], directory / 'passthrough.log')
        lab.wait_for(lambda: not self.process.running() or os.path.ismount(self.mountpoint), 10, 'passthrough_ll is mounted')
        if not self.process.running():
            lab.fail(f'passthrough_ll ended: {self.process.tail()}')

    def end(self):
        subprocess.run(['fusermount3', '-uz', str(self.mountpoint)], capture_output=True)
        self.process.watching.join(5)
        self.process.end()


def fill_store(work, options):
    """A daemon whose store has the file, started anew since; the file's place in the mount and in the store."""
    data = lab.make_data(work / 'seed' / 'mount.bin', int(options.gib * lab.GIB))
    port = lab.free_port()
    tracker = lab.Tracker(port)
    torrent, info_hash = lab.make_torrent(data, options.piece_kib * 1024, tracker.announce)
    place = work / 'mounted'
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    seed = lab.Seed(port, torrent, data.parent, work / 'seed.log')
    daemon = lab.Daemon(options.bin, place)
    try:
        daemon.control('add', '--download', torrent)
        daemon.wait_seeding(info_hash, 300)
        daemon.stop()
    finally:
        daemon.end()
        seed.end()
        tracker.end()
    stored = max((p for p in daemon.store.rglob('*') if p.is_file()), key=lambda p: p.stat().st_size)
    daemon = lab.Daemon(options.bin, place)
    daemon.wait_seeding(info_hash, 30)
    return daemon, daemon.mountpoint / data.name / data.name, stored


def report(results, options, ways):
    def middle(case, way, column):
        values = results.get((case, way))
        return lab.median([v[column] for v in values]) if values else None

    def cell(value, form):
        return '-' if value is None else format(value, form)
    print(f'{options.gib:g} GiB, median of {options.rounds} rounds: MiB/s (random reads: reads/s), and CPU s/GiB of the filesystem')
    rows, held = [], True
    for case in CASES:
        column = 1 if case[2] else 0
        rates = {way: middle(case, way, column) for way in ways}
        ratio = rates['rqfs'] / rates['passthrough_ll'] if 'passthrough_ll' in ways else None
        must = case[2] == 0 and case[3] != 'cache' and ratio is not None
        good = not must or ratio >= MIN_SEQUENTIAL_RATIO
        held = held and good
        rows.append([f'{case[0]}, {case[3]}', *(cell(rates[way], '.0f') for way in ways), cell(middle(case, 'rqfs', 2), '.2f'),
                     cell(middle(case, 'passthrough_ll', 2), '.2f'), cell(ratio, '.2f'), ('ok' if good else 'MISSED') if must else ''])
    lab.table(['', *ways, 'CPU rqfs', 'CPU passthrough_ll', 'rqfs/passthrough_ll', f'at least {MIN_SEQUENTIAL_RATIO}'], rows)
    return held


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--bin', metavar='DIR', default=os.environ.get('RQFS_BIN', ''),
                         help='where rqfs and rqfsctl are; default $RQFS_BIN')
    options.add_argument('--rounds', type=int, default=5)
    options.add_argument('--gib', type=float, default=1)
    options.add_argument('--piece-kib', type=int, default=1024)
    options.add_argument('--work', metavar='DIR', help='keep the data here; by default a directory below /tmp that is removed')
    options = options.parse_args()
    if not os.access(os.path.join(options.bin, 'rqfs'), os.X_OK):
        lab.fail('give the directory of rqfs and rqfsctl with --bin')
    if options.rounds < 1 or options.gib <= 0:
        lab.fail('rounds and GiB are positive')
    with lab.working_directory(options.work) as work:
        program, why_not = build_passthrough(work)
        if why_not:
            print(why_not)
        daemon, path, stored_path = fill_store(work, options)
        passthrough, ways, stored = None, {}, Way(stored_path)
        try:
            ways = {'direct': Way(stored_path), 'rqfs': Way(path, daemon.process.pid)}
            if program:
                passthrough = Passthrough(program, work, stored_path.parent)
                ways['passthrough_ll'] = Way(passthrough.mountpoint / stored_path.name, passthrough.process.pid)
            names, results = list(ways), {}
            for number in range(options.rounds):
                for case in CASES:
                    turn = number % len(names)
                    for name in names[turn:] + names[:turn]:
                        if name == 'direct' and case[3] == 'cache':
                            continue
                        results.setdefault((case, name), []).append(measure(case, ways[name], stored, number))
        finally:
            for way in [stored, *ways.values()]:
                way.end()
            if passthrough:
                passthrough.end()
            daemon.end()
        held = report(results, options, names)
        print(f'rqfs took at most {daemon.process.peak / lab.MIB:.0f} MiB of memory')
    return 0 if held else 1


if __name__ == '__main__':
    sys.exit(main())
