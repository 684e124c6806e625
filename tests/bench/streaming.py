#!/usr/bin/python3
"""Plays a film in swarms with real round trips, rates and losses, with rqfs and others in turn, and compares what the viewer feels.

Each run is a small internet of its own on this machine (netlab), with a tracker and real seeds (libtorrent), the client that is tried,
and a player that reads as media players do (netlab/player.py: head, index at the end, 12 s of film at 8.4 Mbit/s, three seeks with 5 s of
film each). The clients take turns, in an order that changes from round to round. Printed are medians over the rounds: seconds to the
first byte, to the picture's start, and of the longest of the seeks; how often and how long the picture froze; and how much was fetched,
which is what all packets that have reached the client carried, against the whole pieces that were read. The line `bound` is what the
scene's links allow (streaming_bound.py explains the arithmetic).

Held to, for rqfs: in the scenes with a line `must`, that; in all others a start and seeks of at most twice the bound; and in every run no
stall where the links carry 1.4 times the film's rate.

--mpv plays the film with the real mpv instead, --crowd with two players and a copy at once; see streaming_modes.py. --magnet begins with
a magnet without a tracker, in a DHT; see streaming_magnet.py.
Needs root, /dev/net/tun, and Debian's g++ iproute2 opentracker python3-libtorrent; ffmpeg for the film unless --film names one.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench_lab as lab  # noqa: E402
import streaming_clients as clients  # noqa: E402
import streaming_report as report  # noqa: E402
sys.path.insert(0, str(clients.NETLAB))
import streaming_magnet as magnets  # noqa: E402
import streaming_modes as modes  # noqa: E402
import scene as scenes  # noqa: E402
import topology as topologies  # noqa: E402


def make_film(work, given):
    """150 MB of 8 Mbit/s with the index at the end; made once for a working directory."""
    path = work / 'film' / 'film.mp4'
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (not given or path.stat().st_size == os.stat(given).st_size):
        return path
    if given:
        return pathlib.Path(shutil.copyfile(given, path))
    if shutil.which('ffmpeg') is None:
        lab.fail('ffmpeg is not installed, and --film names no film')
    part = path.with_name('part.mp4')
    subprocess.run(['ffmpeg', '-y', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25,noise=alls=40:allf=t',
                    '-f', 'lavfi', '-i', 'sine=frequency=440', '-t', '150', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '8M',
                    '-minrate', '8M', '-maxrate', '8M', '-bufsize', '4M', '-c:a', 'aac', part], check=True)
    return part.rename(path)


def play(scene_name, client, number, work, data, options):
    topology = topologies.read(clients.NETLAB / 'scenes' / scene_name)
    film = clients.film_for(data, topology.piece_bytes)
    place = work / f'{scene_name}-{client}-{number + 1}'
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    with scenes.Scene(clients.NETLAB / 'scenes' / scene_name, [(film.torrent, data.parent)], options.prefix) as scene:
        told = clients.PLAY[client](scene, place, film, options)
    run = clients.figures(told, topology, film)
    if not options.keep_logs:
        shutil.rmtree(place, ignore_errors=True)
    seeks = ' '.join(report.seconds(s) for s in run['seeks'])
    print(f'round {number + 1} {scene_name:9} {client:10} first byte {report.seconds(report.first_byte(run))}  '
          f'start {report.seconds(report.start(run))}  seeks {seeks}  stalls {run["stalls"]} ({run["stalled"]:.1f} s)  '
          f'fetched {run["fetched"] / 1e6:.0f} of {run["needed"] / 1e6:.0f} MB  {run["why"]}'.rstrip(), file=sys.stderr, flush=True)
    return run


def write_out(out, results, rounds):
    out.mkdir(parents=True, exist_ok=True)
    (out / 'streaming.json').write_text(json.dumps(results, indent=1))
    (out / 'streaming.md').write_text(report.markdown(results))
    (out / 'streaming.svg').write_text(report.plot(results, f'A film of 8 Mbit/s; median of {rounds} rounds'))
    print(f'\n{out}/streaming.json, streaming.md, streaming.svg')


def parse_options():
    everything = sorted(path.name for path in (clients.NETLAB / 'scenes').iterdir())
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--bin', metavar='DIR', default=os.environ.get('RQFS_BIN', ''),
                         help='where rqfs and rqfsctl are; default $RQFS_BIN')
    options.add_argument('--rounds', type=int, default=5)
    options.add_argument('--scenes', default='home,tight', help='all, or of ' + ','.join(everything) + '; default home,tight')
    options.add_argument('--clients', default=','.join(clients.PLAY), help='of ' + ','.join(clients.PLAY))
    options.add_argument('--install', action='store_true', help='install btfs (or mpv) with apt when it is missing')
    options.add_argument('--film', metavar='FILE', help='instead of making one')
    options.add_argument('--mpv', action='store_true', help='mpv plays and seeks through the mount, on scene tight')
    options.add_argument('--crowd', action='store_true', help='two players and a copy at once, on scene home')
    options.add_argument('--magnet', action='store_true', help='from a bare info-hash to the first byte, on scene home with a DHT')
    options.add_argument('--prefix', default='lab', help='of the network namespaces; a second benchmark at once needs another')
    options.add_argument('--log-level', default='warn', help="rqfs's")
    options.add_argument('--keep-logs', action='store_true', help='and stores, below --work')
    options.add_argument('--out', metavar='DIR', help='table and plot; default --work, or here')
    options.add_argument('--work', metavar='DIR', help='keep the film here; by default a directory below /tmp that is removed')
    options = options.parse_args()
    options.scenes = everything if options.scenes == 'all' else options.scenes.split(',')
    options.clients = options.clients.split(',')
    if not set(options.scenes) <= set(everything) or not set(options.clients) <= set(clients.PLAY) or options.rounds < 1:
        lab.fail('scenes are ' + ', '.join(everything) + '; clients are ' + ', '.join(clients.PLAY) + '; rounds are positive')
    if os.geteuid() != 0:
        lab.fail('only root can make networks')
    return options


def main():
    options = parse_options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    with lab.working_directory(options.work) as work:
        data = make_film(work, options.film)
        if options.mpv or options.crowd or options.magnet:
            if why_not := clients.why_not('rqfs', options):
                lab.fail(why_not)
            done = [mode(work, data, options) for wanted, mode in ((options.mpv, modes.mpv), (options.crowd, modes.crowd), (options.magnet, magnets.magnet))
                    if wanted]
            return 0 if all(done) else 1
        sentences = {client: clients.why_not(client, options) for client in options.clients}
        print('\n'.join(filter(None, sentences.values())), flush=True)
        if sentences.get('rqfs'):
            return 1
        there = [client for client in options.clients if not sentences[client]]
        results = {scene: {client: [] for client in there} for scene in options.scenes}
        for number in range(options.rounds):
            for scene in options.scenes:
                turn = number % len(there)
                for client in there[turn:] + there[:turn]:
                    results[scene][client].append(play(scene, client, number, work, data, options))
        print(f'medians of {options.rounds} rounds; seconds')
        lab.table(report.HEAD, report.rows(results))
        write_out(pathlib.Path(options.out or options.work or '.'), results, options.rounds)
        lines = report.held(results, {s: topologies.read(clients.NETLAB / 'scenes' / s) for s in options.scenes}, clients.PLAYER['bitrate'])
        if lines:
            print()
            report.held_table(lines)
    return 0 if all(good for *_, good in lines) else 1


if __name__ == '__main__':
    sys.exit(main())
