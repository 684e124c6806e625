"""Readers that no player is: they seek all the time, read byte by byte, open a file a thousand times, map it, die while they wait.

Nothing of theirs stays behind, and a player beside them does not stall."""
import os
import signal
import subprocess
import sys
import threading
import time

import lab
from lab import MIB, Daemon, Scenario, Session, wait_for

# What the hostile ones do, each in a process of its own: PATH of a file and seconds it may take.
SEEKS = '''
import os, random, sys, time
fd, end, size = os.open(sys.argv[1], os.O_RDONLY), time.monotonic() + float(sys.argv[2]), os.path.getsize(sys.argv[1])
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
while time.monotonic() < end:
    os.pread(fd, 4096, random.randrange(size - 4096))
'''
BYTES = '''
import os, sys, time
fd, end = os.open(sys.argv[1], os.O_RDONLY), time.monotonic() + float(sys.argv[2])
while time.monotonic() < end and os.read(fd, 1):
    pass
'''
OPENS = '''
import os, random, sys
size = os.path.getsize(sys.argv[1])
for n in range(1000):
    fd = os.open(sys.argv[1], os.O_RDONLY)
    if n % 50 == 0:
        os.pread(fd, 1, random.randrange(size))
    os.close(fd)
'''
HOLDS = '''
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = [os.open(sys.argv[1], os.O_RDONLY) for n in range(1000)]
print('held', flush=True)
sys.stdin.read()
'''
MAPS = '''
import mmap, os, random, sys, time
fd, end = os.open(sys.argv[1], os.O_RDONLY), time.monotonic() + float(sys.argv[2])
with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as pages:
    while time.monotonic() < end:
        pages[random.randrange(len(pages))]
'''


class Player(threading.Thread):
    """Reads a file in order at a film's rate and notes how late it was at worst."""

    def __init__(self, path, rate, expected):
        super().__init__(daemon=True)
        self.path, self.rate, self.expected, self.late, self.right = path, rate, expected, 0, True

    def run(self):
        with open(self.path, 'rb', buffering=0) as film, open(self.expected, 'rb') as original:
            first = film.read(MIB)
            self.right = first == original.read(MIB)
            begin, done = time.monotonic() + 1, 0  # a second of the film may be there before there is a picture
            while part := film.read(65536):
                self.right = self.right and part == original.read(len(part))
                done += len(part)
                ahead = begin + done / self.rate - time.monotonic()
                self.late = max(self.late, -ahead)
                if ahead > 5:
                    time.sleep(ahead - 5)


class HostileReaders(Scenario):
    def setUp(self):
        super().setUp()
        self.film, self.other = Scenario.film(self, 8 * MIB, 'film.bin'), Scenario.film(self, 24 * MIB, 'other.bin', 2)
        self.seeds = [Session(self, upload_rate_limit=4 * MIB).seed(torrent) for torrent in (self.film, self.other)]
        self.daemon = Daemon(self, config='log:\n  level: info\n').start()
        self.paths = []
        for torrent, seed in zip((self.film, self.other), self.seeds):
            self.paths.append(self.daemon.add(torrent.magnet(seed.endpoint), '--wait') / torrent.name)

    def start(self, program, path, *words, **more):
        process = subprocess.Popen([sys.executable, '-c', program, str(path), *map(str, words)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdin.close()
        process.stdout.close()

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.daemon.process.pid}/fd'))

    def resident(self):
        with open(f'/proc/{self.daemon.process.pid}/status') as status:
            return next(int(line.split()[1]) for line in status if line.startswith('VmRSS')) * 1024

    def assert_nothing_left(self, torrent, descriptors):
        wait_for(lambda: self.daemon.torrent(torrent)['readers'] == 0, 10, lambda: self.daemon.torrent(torrent))
        self.assertEqual(self.daemon.torrent(torrent)['blocked_reads'], 0)
        # The store keeps the file of each torrent open, and a peer may have come back on another connection.
        wait_for(lambda: self.descriptors() <= descriptors + 4, 10, lambda: f'{self.descriptors()} descriptors, {descriptors} before')
        wait_for(lambda: all(peer['requests_in_flight'] == 0 for peer in self.daemon.ctl('peers', torrent.hash)['peers']), 10,
                 lambda: self.daemon.ctl('peers', torrent.hash))

    def test_a_player_does_not_stall_beside_those_who_seek_map_open_and_read_bytes(self):
        descriptors = self.descriptors()
        player = Player(self.paths[0], 1.5 * MIB, self.film.content)
        player.start()
        others = [self.start(program, self.paths[1], 4) for program in (SEEKS, SEEKS, BYTES, MAPS, OPENS)]

        for other in others:
            self.assertEqual(other.wait(60), 0)
        player.join(60)

        self.assertFalse(player.is_alive())
        self.assertTrue(player.right)
        self.assertLess(player.late, 1)
        for torrent in (self.film, self.other):
            self.assert_nothing_left(torrent, descriptors)
        self.assertEqual(lab.sha256(self.paths[1]), lab.sha256(self.other.content))

    def test_a_thousand_handles_held_open_cost_little_and_leave_nothing(self):
        descriptors = self.descriptors()
        for round in range(2):
            holder = self.start(HOLDS, self.paths[1])
            self.assertEqual(holder.stdout.readline().strip(), 'held')
            self.assertEqual(self.daemon.torrent(self.other)['readers'], 1000)
            self.assertLessEqual(self.descriptors(), descriptors + 4)
            if round == 0:
                first = self.resident()
            holder.stdin.close()
            self.assertEqual(holder.wait(10), 0)
            holder.stdin = open(os.devnull, 'w')
            self.assert_nothing_left(self.other, descriptors)

        if lab.sanitized():
            self.skipTest('all but the memory was looked at: a sanitizer keeps what was freed')
        self.assertLess(self.resident(), first + 8 * MIB, 'the second thousand uses what the first one left behind')

    def test_readers_killed_while_they_wait_leave_nothing(self):
        for seed in self.seeds:
            seed.torrent.set_upload_limit(1)
        descriptors = self.descriptors()
        for round in range(2):
            blocked = [lab.Reader(self, self.paths[1], n * 2 * MIB) for n in range(12)]
            self.wait_blocked(self.daemon, self.other, 8)
            for reader in blocked:
                reader.process.send_signal(signal.SIGKILL)
            for reader in blocked:
                reader.process.wait(5)
            self.assert_nothing_left(self.other, descriptors)


if __name__ == '__main__':
    lab.main()
