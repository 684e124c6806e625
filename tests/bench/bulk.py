#!/usr/bin/python3
"""Downloads the same torrent from the same seed over loopback with rqfs, aria2 and libtorrent in turn, and compares them.

Each round starts every client anew with nothing stored. A download is timed from its being asked for (rqfs: `rqfsctl add`; aria2: its
start; libtorrent: add_torrent) to all pieces verified, and to all of it synced to the disk. Processor seconds are those of the client
until it has ended, with the syncing. The order of the clients changes from round to round, and the disk is let rest before each. A first
round is not counted: it warms up, and what each client has stored is compared with what the seed has.

Held to: at least 0.95 of the rate of the faster of the others, no more processor time than aria2, under 256 MiB of memory.
Needs Debian's aria2 and python3-libtorrent.
"""
import argparse
import filecmp
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench_lab as lab  # noqa: E402

CLIENTS = ['rqfs', 'aria2', 'libtorrent']
MIN_RATE_RATIO, MAX_CPU_RATIO, MAX_MEMORY = 0.95, 1.0, 256 * lab.MIB
WARM_UP = -1
SECONDS = 600  # more than any client may take


def fsync(path):
    """Of another program's file; its processor time is that program's."""
    before = time.thread_time()
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return time.thread_time() - before


class Result:
    def __init__(self, verified, synced, cpu, peak):
        self.verified, self.synced, self.cpu, self.peak = verified, synced, cpu, peak  # seconds, seconds, seconds, bytes
        self.seed_cpu = 0.0


def run_rqfs(place, setup, options):
    daemon = lab.Daemon(options.bin, place)
    try:
        begin = time.monotonic()
        daemon.control('add', '--download', setup.torrent)
        daemon.wait_seeding(setup.info_hash, SECONDS)
        verified = time.monotonic() - begin
        daemon.stop()
        synced = time.monotonic() - begin
    finally:
        daemon.end()
    stored = max((p for p in daemon.store.rglob('*') if p.is_file()), key=lambda p: p.stat().st_size)
    return Result(verified, synced, daemon.process.cpu, daemon.process.peak), stored


def run_aria2(place, setup, options):
    done = place / 'done'
    hook = place / 'hook'
    hook.write_text(f'#!/bin/sh\n: > {done}\n')
    hook.chmod(0o755)
    begin = time.monotonic()
    process = lab.Watched(
        ['aria2c', '--no-conf', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false', '--enable-peer-exchange=false',
         '--seed-time=0', '--file-allocation=none', '--summary-interval=0', '--show-console-readout=false', '--quiet=true',
         f'--listen-port={lab.free_port()}', f'--on-bt-download-complete={hook}', '-d', place, setup.torrent], place / 'aria2.log')
    try:
        lab.wait_for(lambda: done.exists() or not process.running(), SECONDS, 'aria2 is complete', 0.005)
        verified = time.monotonic() - begin
        if process.wait(30) != 0 or not done.exists():
            lab.fail(f'aria2c ended with {process.status}: {process.tail()}')
        extra = fsync(place / setup.data.name)
        synced = time.monotonic() - begin
    finally:
        process.end()
    return Result(verified, synced, process.cpu + extra, process.peak), place / setup.data.name


def run_libtorrent(place, setup, options):
    process = lab.Watched(['/usr/bin/python3', __file__, '--leech', setup.torrent, '--work', place], place / 'libtorrent.log')
    try:
        if process.wait(SECONDS) != 0:
            lab.fail(f'libtorrent ended with {process.status}: {process.tail()}')
    finally:
        process.end()
    figures = json.loads(process.log.read_text())
    return Result(figures['verified'], figures['synced'], figures['cpu'], process.peak), place / setup.data.name


def leech(torrent, directory):
    """What the libtorrent client is: a session with plain defaults, in a process of its own. The interpreter's start is not counted."""
    import libtorrent as lt
    usage = resource.getrusage(resource.RUSAGE_SELF)
    before = usage.ru_utime + usage.ru_stime
    session = lt.session({
        'listen_interfaces': '127.0.0.1:0', 'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
        'enable_outgoing_utp': False, 'enable_incoming_utp': False, 'out_enc_policy': 2, 'ssrf_mitigation': False,
        'alert_mask': lt.alert.category_t.status_notification | lt.alert.category_t.storage_notification |
        lt.alert.category_t.error_notification})
    parameters = lt.add_torrent_params()
    parameters.ti, parameters.save_path = lt.torrent_info(torrent), directory
    parameters.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    begin = time.monotonic()
    handle = session.add_torrent(parameters)

    def wait_alert(kind):
        while time.monotonic() - begin < SECONDS:
            session.wait_for_alert(1000)
            if any(isinstance(alert, kind) for alert in session.pop_alerts()):
                return
        sys.exit(f'no {kind.__name__}')
    wait_alert(lt.torrent_finished_alert)
    verified = time.monotonic() - begin
    handle.flush_cache()
    wait_alert(lt.cache_flushed_alert)
    fsync(os.path.join(directory, parameters.ti.name()))
    synced = time.monotonic() - begin
    session.pause()
    del handle, session
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({'verified': verified, 'synced': synced, 'cpu': usage.ru_utime + usage.ru_stime - before}))


class Setup:
    """The data, its torrent, the seed and the tracker."""

    def __init__(self, work, options):
        print(f'making {options.gib:g} GiB of data', file=sys.stderr)
        self.data = lab.make_data(work / 'seed' / 'bulk.bin', int(options.gib * lab.GIB))
        port = lab.free_port()
        self.tracker = lab.Tracker(port)
        self.torrent, self.info_hash = lab.make_torrent(self.data, options.piece_kib * 1024, self.tracker.announce)
        self.seed = lab.Seed(port, self.torrent, self.data.parent, work / 'seed.log')

    def end(self):
        self.seed.end()
        self.tracker.end()


def measure(client, number, work, setup, options):
    place = work / f'{client}-{number}'
    place.mkdir()
    try:
        os.sync()
        time.sleep(options.rest)
        lab.touch_memory(place, setup.data.stat().st_size + lab.GIB // 2)
        seed_before = lab.cpu_so_far(setup.seed.process.pid)
        result, stored = globals()['run_' + client](place, setup, options)
        result.seed_cpu = lab.cpu_so_far(setup.seed.process.pid) - seed_before
        if number == WARM_UP and not filecmp.cmp(stored, setup.data, shallow=False):
            lab.fail(f'what {client} has stored is not what the seed has')
    finally:
        shutil.rmtree(place, ignore_errors=True)
    mib = setup.data.stat().st_size / lab.MIB
    when = 'warm-up' if number == WARM_UP else f'round {number + 1}'
    print(f'{when} {client:10} {mib / result.verified:6.0f} MiB/s verified  {mib / result.synced:6.0f} MiB/s synced  '
          f'{result.cpu * 1024 / mib:5.2f} CPU s/GiB  {result.peak / lab.MIB:4.0f} MiB peak  '
          f'seed {result.seed_cpu * 1024 / mib:5.2f} CPU s/GiB', file=sys.stderr, flush=True)
    return result


def report(results, options):
    def middle(client, of):
        return lab.median([of(r) for r in results[client]])
    mib = options.gib * 1024
    figures = {client: {'verified': mib / middle(client, lambda r: r.verified), 'synced': mib / middle(client, lambda r: r.synced),
                        'cpu': middle(client, lambda r: r.cpu) / options.gib,
                        'seed': middle(client, lambda r: r.seed_cpu) / options.gib, 'memory': max(r.peak for r in results[client])}
               for client in results}
    print(f'{options.gib:g} GiB, pieces of {options.piece_kib} KiB, median of {options.rounds} rounds; memory is the highest peak')
    lab.table(['', 'MiB/s verified', 'MiB/s synced', 'CPU s/GiB', 'memory MiB', 'seed CPU s/GiB'],
              [[client, f'{f["verified"]:.0f}', f'{f["synced"]:.0f}', f'{f["cpu"]:.2f}', f'{f["memory"] / lab.MIB:.0f}', f'{f["seed"]:.2f}']
               for client, f in figures.items()])
    others = [client for client in figures if client != 'rqfs']
    if 'rqfs' not in figures or not others:
        return True
    ours, held = figures['rqfs'], []
    for what in ['verified', 'synced']:
        best = max(others, key=lambda client: figures[client][what])
        ratio = ours[what] / figures[best][what]
        held.append((f'rate to all {what} against {best}', f'{ratio:.2f}', f'at least {MIN_RATE_RATIO}', ratio >= MIN_RATE_RATIO))
    if 'aria2' in figures:
        ratio = ours['cpu'] / figures['aria2']['cpu']
        held.append(('CPU against aria2', f'{ratio:.2f}', f'at most {MAX_CPU_RATIO}', ratio <= MAX_CPU_RATIO))
    held.append(('memory', f'{ours["memory"] / lab.MIB:.0f} MiB', f'under {MAX_MEMORY // lab.MIB} MiB', ours['memory'] < MAX_MEMORY))
    print()
    lab.table(['rqfs', 'is', 'must', ''], [[name, value, must, 'ok' if good else 'MISSED'] for name, value, must, good in held])
    return all(good for *_, good in held)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--bin', metavar='DIR', default=os.environ.get('RQFS_BIN', ''),
                         help='where rqfs and rqfsctl are; default $RQFS_BIN')
    options.add_argument('--rounds', type=int, default=5)
    options.add_argument('--gib', type=float, default=2)
    options.add_argument('--piece-kib', type=int, default=1024)
    options.add_argument('--rest', type=float, default=1, metavar='SECONDS', help='before each download; default 1')
    options.add_argument('--clients', default=','.join(CLIENTS), help='of ' + ','.join(CLIENTS))
    options.add_argument('--work', metavar='DIR', help='keep the data here; by default a directory below /tmp that is removed')
    options.add_argument('--leech', metavar='TORRENT', help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.leech:
        return leech(options.leech, options.work)
    clients = options.clients.split(',')
    if not set(clients) <= set(CLIENTS) or options.rounds < 1 or options.gib <= 0:
        lab.fail('clients are ' + ', '.join(CLIENTS) + '; rounds and GiB are positive')
    if 'rqfs' in clients and not os.access(os.path.join(options.bin, 'rqfs'), os.X_OK):
        lab.fail('give the directory of rqfs and rqfsctl with --bin')
    if 'aria2' in clients and shutil.which('aria2c') is None:
        lab.fail('aria2 is not installed')
    results = {client: [] for client in clients}
    with lab.working_directory(options.work) as work:
        setup = Setup(work, options)
        try:
            for number in range(WARM_UP, options.rounds):
                turn = number % len(clients)
                for client in clients[turn:] + clients[:turn]:
                    result = measure(client, number, work, setup, options)
                    if number != WARM_UP:
                        results[client].append(result)
        finally:
            setup.end()
    return 0 if report(results, options) else 1


if __name__ == '__main__':
    sys.exit(main())
