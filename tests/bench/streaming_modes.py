"""The streaming benchmark's two other ways to use a mount: the real mpv, and several readers at once.

mpv     on scene `tight`: 20 s from the beginning, then 15 s from a place that nobody has read. mpv's own log and its properties tell
        whether it had to wait: its cache running empty ("buffering"), its sound running dry, or a picture that stands for longer
        than half a second.
crowd   on scene `home`: two films are played, each from a torrent of its own, while cp copies a file out of a third. The films
        must not stall, and the copy must get at least a twentieth of what the links carry.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import bench_lab as lab
import streaming_bound as bound
import streaming_clients as clients
import streaming_report as report
import scene as scenes

PARTS = [(0, 20), (60, 15)]  # seconds: start, length
STANDS = 0.5  # seconds
MIN_COPY_SHARE = 0.05
COPIED_BYTES = 384 * lab.MIB


class Mpv:
    """One mpv, playing in real time without a screen; `moments` are when its picture moved, on the monotonic clock."""

    def __init__(self, path, begin, length, place):
        self.log, self.ipc, self.moments, self.waited = place / f'mpv-{begin}.log', place / f'mpv-{begin}.sock', [], False
        self.asked = time.monotonic()
        self.process = subprocess.Popen(
            ['mpv', '--no-config', '--no-terminal', '--vo=null', '--ao=null', '--untimed=no', f'--start={begin}', f'--length={length}',
             f'--log-file={self.log}', f'--input-ipc-server={self.ipc}', str(path)], stdin=subprocess.DEVNULL)
        self.listening = threading.Thread(target=self._listen, daemon=True)
        self.listening.start()

    def _listen(self):
        connection = socket.socket(socket.AF_UNIX)
        while connection.connect_ex(str(self.ipc)) != 0:
            if self.process.poll() is not None:
                return
            time.sleep(0.01)
        for number, name in enumerate(['time-pos', 'paused-for-cache'], 1):
            connection.sendall(json.dumps({'command': ['observe_property', number, name]}).encode() + b'\n')
        with connection.makefile() as lines:
            try:
                for line in lines:
                    self._told(json.loads(line))
            except OSError:
                pass

    def _told(self, event):
        if event.get('name') == 'time-pos' and event.get('data') is not None:
            self.moments.append((time.monotonic(), event['data']))
        elif event.get('name') == 'paused-for-cache':
            self.waited = self.waited or bool(event.get('data'))

    def result(self, patience):
        """(seconds until the picture moves, what was wrong)."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.end()
            return report.NEVER, ['it did not come to its end']
        self.listening.join(2)
        moving = [at for (at, shown), (_, before) in zip(self.moments[1:], self.moments) if shown > before]
        if not moving:
            return report.NEVER, ['no picture moved: ' + self.log.read_text(errors='replace')[-300:]]
        stood = [later - at for at, later in zip(moving, moving[1:]) if later - at > STANDS]
        wrong = [f'the picture stood for {s:.1f} s' for s in stood] + (['paused for its cache'] if self.waited else [])
        return moving[0] - self.asked, wrong + complaints(self.log.read_text(errors='replace'))

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def complaints(log):
    """Of mpv's log: its cache running empty, or the sound running dry before the end."""
    timed = [(float(m[1]), m[2]) for m in re.finditer(r'^\[\s*([\d.]+)\]\[\w\](.*)$', log, re.M)]
    last = next((at for at, words in reversed(timed) if 'EOF reached' in words or 'EOF code' in words or 'finished playback' in words),
                timed[-1][0] if timed else 0)
    return [f'{at:.1f} s: {words.strip()}' for at, words in timed
            if re.search(r'Enter buffering|device underrun', words) or ('end or underrun' in words and at < last - 1)]


def mpv(work, data, options):
    """Whether it played without a wait."""
    if shutil.which('mpv') is None and options.install:
        subprocess.run(['apt-get', 'install', '-y', '--no-install-recommends', 'mpv'], stdout=subprocess.DEVNULL)
    if shutil.which('mpv') is None:
        lab.fail('mpv is not installed (--install does that)')
    good = True
    for number in range(options.rounds):
        place = fresh(work / f'mpv-{number + 1}')
        film = clients.film_for(data, lab.MIB)
        with scenes.Scene(clients.NETLAB / 'scenes' / 'tight', [(film.torrent, data.parent)], options.prefix) as scene:
            daemon = clients.start_rqfs(scene, place, options)
            try:
                scene.begin()
                daemon.control('add', film.torrent)
                for begin, length in PARTS:
                    player = Mpv(daemon.mountpoint / film.name / film.name, begin, length, place)
                    try:
                        start, wrong = player.result(clients.PATIENCE)
                    finally:
                        player.end()
                    good = good and not wrong
                    print(f'round {number + 1} mpv {length} s from {begin} s: picture after {report.seconds(start)} s; '
                          + ('; '.join(wrong) or 'no wait'), flush=True)
            finally:
                daemon.end()
        discard(place, options)
    return good


def fresh(place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return place


def discard(place, options):
    if not options.keep_logs:
        shutil.rmtree(place, ignore_errors=True)


class Copy:
    """cp out of the mount, and how far it came."""

    def __init__(self, source, to):
        self.to, self.begin, self.begun = to, time.monotonic(), time.time()
        self.process = subprocess.Popen(['cp', str(source), str(to)], stderr=subprocess.DEVNULL)

    def rate(self):
        """Bytes a second so far, or until it was complete."""
        if not self.to.exists():
            return 0.0
        done = os.stat(self.to)
        since = time.monotonic() - self.begin if self.process.poll() is None else done.st_mtime - self.begun
        return done.st_size / max(since, 0.1)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def crowd_once(number, films, options, place):
    """(the players' results, the copy's share of what the links carry)."""
    torrents = [(film.torrent, film.data.parent) for film in films]
    with scenes.Scene(clients.NETLAB / 'scenes' / 'home', torrents, options.prefix, wait=5) as scene:
        daemon, started = clients.start_rqfs(scene, place, options), []
        try:
            paths = [daemon.mountpoint / film.name / film.name for film in films]
            players = [clients.Player(path, place / f'player-{k}.log') for k, path in enumerate(paths[:2])]
            started += players
            begin = time.monotonic()
            scene.begin()
            for film in films:
                daemon.control('add', film.torrent)
            copy = Copy(paths[2], place / 'copy')
            started.append(copy)
            told = [player.result(begin) for player in players]
            share = copy.rate() / bound.capacity(scene.topology)
        finally:
            for each in started:
                each.end()
            daemon.end()
    return told, share


def crowd(work, data, options):
    """Whether no film stalled and the copy went on."""
    second = data.with_name('film-2' + data.suffix)
    if not second.exists():
        os.link(data, second)
    archive = lab.make_data(data.with_name('archive.bin'), COPIED_BYTES)
    films, good = [clients.film_for(each, lab.MIB) for each in (data, second, archive)], True
    for number in range(options.rounds):
        place = fresh(work / f'crowd-{number + 1}')
        told, share = crowd_once(number, films, options, place)
        for each in told:
            good = good and 'total_s' in each and each['stalls'] == 0
            seeks = ' '.join(report.seconds(s) for s in each.get('seeks_s', []))
            print(f'round {number + 1} film: first byte {report.seconds(each.get("first_byte_s", report.NEVER))}  '
                  f'start {report.seconds(each.get("startup_s", report.NEVER))}  seeks {seeks}  '
                  f'stalls {each.get("stalls", "?")} ({each.get("stalled_s", 0):.1f} s) {each.get("error", "")}', flush=True)
        good = good and share >= MIN_COPY_SHARE
        print(f'round {number + 1} copy: {100 * share:.0f} % of what the links carry', flush=True)
        discard(place, options)
    return good
