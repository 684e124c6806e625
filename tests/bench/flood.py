#!/usr/bin/python3
"""Reads a file of a torrent through the mount, as it comes from a seed over loopback, with and without a flood of UDP datagrams at the
daemon's port.

Each way starts the daemon anew with nothing stored, once with a seed that gives 100 Mbit/s and once with one that gives all it can:
  quiet      no flood
  elsewhere  the same number of datagrams at a port where nobody reads: what the sender and the kernel cost everybody
  garbage    noise of the length of a query
  queries    get_peers queries of 60,000 addresses, each for a torrent of its own
The order of the ways changes from round to round, and a first round is not counted.

Held to: with a flood of 50,000 datagrams a second a shaped stream has at least 0.8 of its rate without, and so has the other of its rate
beside the flood elsewhere: on two processors the sender of the flood, the seed and the daemon share what there is. Each rate is compared
with the one of its own round, as the machine's speed drifts, and the median of the rounds counts; the lowest and the highest are shown.
What the daemon sends back to the flood is at most 0.1 of it.
Needs g++ and Debian's python3-libtorrent; the mount needs root or fusermount3.
"""
import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench_lab as lab  # noqa: E402

WAYS = ['quiet', 'elsewhere', 'garbage', 'queries']
ADDRESSES = 60_000
MIN_RATIO, MAX_ANSWERED = 0.8, 0.1
WARM_UP = -1


class Flood:
    def __init__(self, program, way, port, rate, log):
        self.sink = None
        if way == 'elsewhere':
            self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.sink.bind(('127.0.0.1', 0))
            port = self.sink.getsockname()[1]
        self.process = lab.Watched([program, '127.0.0.1', port, rate, 'queries' if way == 'queries' else 'garbage', ADDRESSES], log)

    def end(self):
        self.process.end()
        if self.sink:
            self.sink.close()
        return {**json.loads(self.process.log.read_text()), 'cpu': self.process.cpu}


def build_flooder(work):
    made = work / 'flooder'
    subprocess.run(['g++', '-O2', '-std=c++20', str(lab.HERE / 'flooder.cc'), '-o', str(made)], check=True)
    return made


def read_file(path, size):
    """Bytes a second, and the longest wait for a MiB."""
    done, longest, begin = 0, 0.0, time.monotonic()
    with open(path, 'rb', buffering=0) as file:
        while done < size:
            before = time.monotonic()
            part = file.read(min(lab.MIB, size - done))
            if not part:
                lab.fail(f'{path} ends after {done} bytes')
            longest = max(longest, time.monotonic() - before)
            done += len(part)
    return done / (time.monotonic() - begin), longest


def listening_port(daemon):
    return int(daemon.get('/v1/status')['listening'][0].rsplit(':', 1)[1])


def measure(way, number, work, setup, options, program):
    place = work / f'{way}-{number}'
    place.mkdir()
    os.sync()
    lab.touch_memory(place, setup.data.stat().st_size + lab.GIB // 2)
    daemon = lab.Daemon(options.bin, place)
    flood = None
    try:
        port = listening_port(daemon)
        if way != 'quiet':
            flood = Flood(program, way, port, options.rate, place / 'flood.log')
            time.sleep(0.5)
        daemon.control('add', setup.torrent)
        path = daemon.mountpoint / setup.data.name
        lab.wait_for(lambda: path.exists(), 20, 'the file is in the mount')
        path = path / setup.data.name if path.is_dir() else path
        rate, longest = read_file(path, setup.data.stat().st_size)
        figures = flood.end() if flood else {}
        flood = None
        daemon.stop()
        figures.update(rate=rate, longest=longest, daemon_cpu=daemon.process.cpu)
    finally:
        if flood:
            flood.process.end()
        daemon.end()
        shutil.rmtree(place, ignore_errors=True)
    when = 'warm-up' if number == WARM_UP else f'round {number + 1}'
    print(f'{setup.name:8} {when} {way:10} {rate / lab.MIB:6.1f} MiB/s, longest wait {longest:5.2f} s, '
          f'{figures["daemon_cpu"]:5.2f} CPU s' +
          (f', flood of {figures["sent"] / figures["seconds"]:,.0f}/s, answered {figures["bytes_in"]:,} of {figures["bytes_out"]:,} bytes'
           if 'sent' in figures else ''), file=sys.stderr, flush=True)
    return figures


class Setup:
    def __init__(self, name, work, mib, up_kib):
        self.name = name
        self.data = lab.make_data(work / name / f'{name}.bin', mib * lab.MIB)
        port = lab.free_port()
        self.tracker = lab.Tracker(port)
        self.torrent, _ = lab.make_torrent(self.data, 1024 * 1024, self.tracker.announce)
        self.seed = lab.Seed(port, self.torrent, self.data.parent, work / f'{name}.log', up_kib)

    def end(self):
        self.seed.end()
        self.tracker.end()


def report(results):
    def middle(setup, way, of):
        return lab.median([figures[of] for figures in results[setup][way]])

    def ratios(setup, way, base):
        return sorted(figures['rate'] / beside['rate'] for figures, beside in zip(results[setup][way], results[setup][base]))

    def spread(values):
        return f'{lab.median(values):.2f} ({values[0]:.2f}-{values[-1]:.2f})'
    held = []
    for setup, ways in results.items():
        base = {'shaped': 'quiet', 'unshaped': 'elsewhere'}[setup]
        lab.table([setup, 'MiB/s', 'of quiet', 'of elsewhere', 'longest wait s', 'CPU s', 'datagrams/s', 'answered bytes'],
                  [[way, f'{middle(setup, way, "rate") / lab.MIB:.1f}', spread(ratios(setup, way, 'quiet')),
                    spread(ratios(setup, way, 'elsewhere')), f'{middle(setup, way, "longest"):.2f}',
                    f'{middle(setup, way, "daemon_cpu"):.2f}'] +
                   (['', ''] if way == 'quiet' else
                    [f'{middle(setup, way, "sent") / middle(setup, way, "seconds"):,.0f}',
                     f'{middle(setup, way, "bytes_in") / middle(setup, way, "bytes_out"):.4f}'])
                   for way in ways])
        print()
        for way in ('garbage', 'queries'):
            ratio = lab.median(ratios(setup, way, base))
            held.append((f'{setup} rate with {way} against {base}', f'{ratio:.2f}', f'at least {MIN_RATIO}', ratio >= MIN_RATIO))
        answered = middle(setup, 'queries', 'bytes_in') / middle(setup, 'queries', 'bytes_out')
        held.append((f'{setup} bytes sent back', f'{answered:.4f}', f'at most {MAX_ANSWERED}', answered <= MAX_ANSWERED))
    lab.table(['rqfs', 'is', 'must', ''], [[name, value, must, 'ok' if good else 'MISSED'] for name, value, must, good in held])
    return all(good for *_, good in held)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--bin', metavar='DIR', default=os.environ.get('RQFS_BIN', ''), help='where rqfs and rqfsctl are; default $RQFS_BIN')
    options.add_argument('--rounds', type=int, default=3)
    options.add_argument('--rate', type=int, default=50_000, help='datagrams a second; default 50,000')
    options.add_argument('--shaped-mib', type=int, default=96, help='0: not at all; default 96')
    options.add_argument('--unshaped-mib', type=int, default=1024, help='0: not at all; default 1024')
    options.add_argument('--work', metavar='DIR', help='keep the data here; by default a directory below /tmp that is removed')
    options = options.parse_args()
    if not os.access(os.path.join(options.bin, 'rqfs'), os.X_OK):
        lab.fail('give the directory of rqfs and rqfsctl with --bin')
    results = {}
    with lab.working_directory(options.work) as work:
        program = build_flooder(work)
        for name, mib, up_kib in (('shaped', options.shaped_mib, 12_207), ('unshaped', options.unshaped_mib, 0)):
            if mib == 0:
                continue
            setup = Setup(name, work, mib, up_kib)
            results[name] = {way: [] for way in WAYS}
            try:
                for number in range(WARM_UP, options.rounds):
                    turn = number % len(WAYS)
                    for way in WAYS[turn:] + WAYS[:turn]:
                        figures = measure(way, number, work, setup, options, program)
                        if number != WARM_UP:
                            results[name][way].append(figures)
            finally:
                setup.end()
    return 0 if report(results) else 1


if __name__ == '__main__':
    sys.exit(main())
