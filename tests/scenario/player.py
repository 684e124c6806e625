"""A film is played from the mount: read in order as fast as it is shown, with one seek."""
import os
import subprocess
import sys

import lab

PROGRAM = '''
import os, sys, time
path, rate, seek_from, seek_to = sys.argv[1], *map(int, sys.argv[2:])
film = os.open(path, os.O_RDONLY)
place, shown, begin = 0, 0, time.monotonic()
while data := os.pread(film, min(65536, seek_from - place if place < seek_from else 65536), place):
    os.write(1, data)
    shown, place = shown + len(data), place + len(data)
    if place == seek_from:
        place = seek_to
    time.sleep(max(0, begin + shown / rate - time.monotonic()))
'''


class Player:
    """Shows the first three eighths of a film and the last three, `rate` bytes a second."""

    def __init__(self, scenario, path, torrent, rate=2 * lab.MIB):
        size = os.path.getsize(torrent.content)
        self.torrent, self.parts = torrent, (size * 3 // 8, size * 5 // 8)
        self.shown = scenario.directory / f'shown{id(self)}'
        with open(self.shown, 'wb') as out:
            self.process = subprocess.Popen([sys.executable, '-c', PROGRAM, str(path), str(rate), *map(str, self.parts)], stdout=out,
                                            stderr=subprocess.PIPE, preexec_fn=lab.end_with_us)
        scenario.addCleanup(self.end)

    def shown_bytes(self):
        return self.shown.stat().st_size

    def has_ended(self):
        return self.process.poll() is not None

    def wait_shown(self, seconds=90):
        self.process.wait(seconds)
        self.assert_shown()

    def assert_shown(self):
        """Of a player that has ended: what it showed is the film."""
        with open(self.torrent.content, 'rb') as original:
            film = original.read()
        if self.process.returncode != 0 or self.shown.read_bytes() != film[:self.parts[0]] + film[self.parts[1]:]:
            raise AssertionError(f'the film is not what it was: status {self.process.returncode} {self.process.stderr.read()}')

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.process.stderr.close()
