"""Whom the streaming benchmark compares: each plays one film in a scene that is up, and tells what its viewer felt.

The clock starts when the user asks: rqfs at the start of `rqfsctl add FILE.torrent`, with the daemon up; btfs at its own start, for it has
no daemon; libtorrent when the torrent is added to a session that is up. Nothing is stored before.
"""
import json
import os
import pathlib
import shutil
import subprocess
import time

import bench_lab as lab
import streaming_bound as bound

NETLAB = lab.HERE / 'netlab'
ANNOUNCE = 'http://10.99.0.2:6969/announce'  # of every scene's host called tracker
PLAYER = {'bitrate': 1048576.0, 'tail': 262144, 'buffer': 1.0, 'seeks': [0.6, 0.9, 0.35]}  # player.py's defaults that the bound depends on
PATIENCE = 180  # seconds; a film that takes longer is given up


class Film:
    """A torrent of the film, as a scene wants its pieces."""

    def __init__(self, data, torrent, info_hash):
        self.data, self.torrent, self.info_hash = data, torrent, info_hash
        self.name, self.size = data.name, data.stat().st_size


def film_for(data, piece_bytes):
    """Its torrent with such pieces, beside it."""
    path = data.with_name(f'{data.name}-{piece_bytes // 1024}.torrent')
    made, info_hash = lab.make_torrent(data, piece_bytes, ANNOUNCE)
    return Film(data, made.rename(path), info_hash)


class Player:
    """player.py at a path that need not be there yet."""

    def __init__(self, path, log, *options):
        self.log = log
        with open(log, 'wb') as out:
            self.process = subprocess.Popen(
                ['/usr/bin/python3', str(NETLAB / 'player.py'), str(path), '--timeout', str(PATIENCE), *options], stdout=out, stderr=out)
        time.sleep(0.5)  # it looks for the path by now

    def result(self, begin=None):
        """What it printed, its times counted from `begin`."""
        try:
            self.process.wait(PATIENCE + 20)
        except subprocess.TimeoutExpired:
            self.end()
        return parse(self.log, begin)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def parse(log, begin=None):
    lines = [line for line in pathlib.Path(log).read_text(errors='replace').splitlines() if line.startswith('{')]
    if not lines:
        return {'error': pathlib.Path(log).read_text(errors='replace')[-500:] or 'it hangs', 'ranges': []}
    told = json.loads(lines[-1])
    shift = begin - told['begun'] if begin is not None else 0
    for key in ('open_s', 'first_byte_s', 'index_s', 'startup_s'):
        if key in told:
            told[key] -= shift
    told['seeks_at_s'] = [at - shift for at in told.get('seeks_at_s', [])]
    return told


def start_rqfs(scene, place, options):
    return lab.Daemon(options.bin, place, wrapper=scene.within(), listen=scene.topology.address(scene.client) + ':6881',
                      log_level=options.log_level)


def play_rqfs(scene, place, film, options):
    daemon, player = start_rqfs(scene, place, options), None
    try:
        player = Player(daemon.mountpoint / film.name / film.name, place / 'player.log')
        begin = time.monotonic()
        scene.begin()
        daemon.control('add', film.torrent)
        told = player.result(begin)
        told['received'] = scene.received()
    finally:
        if player:
            player.end()
        daemon.end()
    return told


def play_btfs(scene, place, film, options):
    mountpoint = place / 'mnt'
    mountpoint.mkdir()
    player, process = Player(mountpoint / film.name, place / 'player.log'), None
    try:
        begin = time.monotonic()
        scene.begin()
        process = lab.Watched([*scene.within(), 'btfs', '-f', f'--data-directory={place / "data"}', film.torrent, mountpoint],
                              place / 'btfs.log', env=dict(os.environ, HOME=str(place)))
        told = player.result(begin)
        told['received'] = scene.received()
    finally:
        player.end()
        subprocess.run(['umount', '-l', str(mountpoint)], capture_output=True)
        if process:
            process.end()
    return told


def play_libtorrent(scene, place, film, options):
    scene.begin()
    process = lab.Watched([*scene.within(), '/usr/bin/python3', NETLAB / 'deadlines.py', film.torrent, '--save', place,
                           '--listen', scene.topology.address(scene.client) + ':6881', '--timeout', PATIENCE], place / 'player.log')
    try:
        process.watching.join(PATIENCE + 20)
        told = parse(place / 'player.log')
        told['received'] = scene.received()
    finally:
        process.end()
    return told


PLAY = {'rqfs': play_rqfs, 'btfs': play_btfs, 'libtorrent': play_libtorrent}


def why_not(client, options):
    """Why it cannot take part; empty when it can."""
    if client == 'rqfs' and not os.access(os.path.join(options.bin, 'rqfsctl'), os.X_OK):
        return 'rqfs is left out: --bin is not the directory of rqfs and rqfsctl'
    if client == 'btfs' and shutil.which('btfs') is None and options.install:
        subprocess.run(['apt-get', 'install', '-y', '--no-install-recommends', 'btfs'], stdout=subprocess.DEVNULL)
    if client == 'btfs' and shutil.which('btfs') is None:
        return 'btfs is left out: it is not installed (--install does that)'
    return ''


def figures(told, topology, film):
    """A run as streaming_report wants it."""
    need = bound.bytes_of(bound.pieces_of(told['ranges'], topology.piece_bytes), topology.piece_bytes, film.size)
    run = {'complete': 'total_s' in told, 'seeks': told.get('seeks_s', []),
           'stalls': told.get('stalls', 0), 'stalled': told.get('stalled_s', 0.0),
           'fetched': told.get('received', 0) * bound.PAYLOAD, 'needed': need, 'why': told.get('error', ''),
           'bounds': bound.bounds(topology, PLAYER, film.size, told.get('seeks_at_s', []))}
    for key, of in (('first_byte', 'first_byte_s'), ('start', 'startup_s')):
        if of in told:
            run[key] = told[of]
    return run
