"""The streaming benchmark's way to begin with nothing but an info-hash, on scene `home` whose seeds are found in the DHT alone.

A round is one daemon with an empty store: `cold` is its first magnet, as soon as the daemon is up. The torrent is then removed with its
data, the daemon stopped and started again, and `warm` is the same magnet with the nodes of the run before. Counted are the seconds from
the start of `rqfsctl add` to the film's first byte. Held to, for the medians: 2.0 s cold and 1.5 s warm.
"""
import statistics
import subprocess
import sys
import time

import bench_lab as lab
import streaming_clients as clients
import streaming_modes as modes
import streaming_report as report
import scene as scenes

MOST = {'cold': 2.0, 'warm': 1.5}
ROUTER = '10.99.0.2:6881'  # the scene's, on the host of its tracker
PATIENCE = 60  # seconds
FIRST_BYTE = '''
import os, sys, time
print('looking', flush=True)
while True:
    try:
        with open(sys.argv[1], 'rb', buffering=0) as film:
            if film.read(1):
                break
    except OSError:
        time.sleep(0.005)
print(time.monotonic())
'''


def start_rqfs(scene, place, options):
    return lab.Daemon(options.bin, place, f'  dht_routers: ["{ROUTER}"]\n', wrapper=scene.within(),
                      listen=scene.topology.address(scene.client) + ':6881', log_level=options.log_level)


def first_byte(daemon, film):
    """Seconds from the magnet to the film's first byte."""
    path = daemon.mountpoint / film.info_hash / film.name  # the name of the directory until the metadata is there, and after
    reader = subprocess.Popen([sys.executable, '-c', FIRST_BYTE, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        reader.stdout.readline()  # it looks for the path by now
        begin = time.monotonic()
        daemon.control('add', 'magnet:?xt=urn:btih:' + film.info_hash)
        out, _ = reader.communicate(timeout=PATIENCE)
        return float(out) - begin
    except subprocess.TimeoutExpired:
        print(daemon.control('status', film.info_hash).get('reason'), file=sys.stderr)
        return report.NEVER
    finally:
        if reader.poll() is None:
            reader.kill()
            reader.wait()


def once(film, options, place):
    """(cold, warm)"""
    with scenes.Scene(clients.NETLAB / 'scenes' / 'home', [(film.torrent, film.data.parent)], options.prefix, dht=True) as scene:
        scene.begin()
        daemon = start_rqfs(scene, place, options)
        try:
            cold = first_byte(daemon, film)
            time.sleep(5)  # its node gets to know others
            daemon.control('remove', film.info_hash)
            daemon.stop()
            daemon = start_rqfs(scene, place, options)
            warm = first_byte(daemon, film)
        finally:
            daemon.end()
    return cold, warm


def magnet(work, data, options):
    """Whether both medians are what they are held to."""
    film, taken = clients.film_for(data, lab.MIB), {'cold': [], 'warm': []}
    for number in range(options.rounds):
        place = modes.fresh(work / f'magnet-{number + 1}')
        for name, each in zip(taken, once(film, options, place)):
            taken[name].append(each)
        print(f'round {number + 1} magnet in the DHT: first byte cold {report.seconds(taken["cold"][-1])}  '
              f'warm {report.seconds(taken["warm"][-1])}', flush=True)
        modes.discard(place, options)
    medians = {name: statistics.median(each) for name, each in taken.items()}
    print('  '.join(f'{name} {report.seconds(medians[name])} s (at most {MOST[name]})' for name in medians), flush=True)
    return all(medians[name] <= MOST[name] for name in medians)
