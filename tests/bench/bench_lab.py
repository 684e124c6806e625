"""What the benchmarks share: made-up data and its torrent, a seed, a tracker that names it, the daemon, and what a process cost."""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
MIB, GIB = 1 << 20, 1 << 30
V1_ONLY = 1 << 6  # libtorrent's create_torrent flag, which its Python does not name


def fail(sentence):
    sys.exit(f'{pathlib.Path(sys.argv[0]).name}: {sentence}')


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def wait_for(condition, seconds, what, pause=0.02):
    until = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > until:
            fail(f'not within {seconds} s: {what}')
        time.sleep(pause)
    return value


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def working_directory(given):
    """The directory that was asked for, which stays, or one below /tmp that is removed."""
    if given:
        path = pathlib.Path(given).resolve()
        path.mkdir(parents=True, exist_ok=True)
        yield path
    else:
        path = pathlib.Path(tempfile.mkdtemp(prefix='rqfs-bench-', dir='/tmp'))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def make_data(path, size):
    """Made-up bytes, always the same; a file that is there in full size is taken as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.stat().st_size != size:
        rng = random.Random(size)
        with open(path, 'wb') as out:
            for at in range(0, size, 16 * MIB):
                out.write(rng.randbytes(min(16 * MIB, size - at)))
            out.flush()
            os.fsync(out.fileno())
    return path


def make_torrent(data, piece_bytes, announce):
    """Beside the data; returns its path and the info-hash."""
    import libtorrent as lt
    files = lt.file_storage()
    lt.add_files(files, str(data))
    made = lt.create_torrent(files, piece_bytes, V1_ONLY)
    made.add_tracker(announce)
    lt.set_piece_hashes(made, str(data.parent))
    path = data.parent / (data.name + '.torrent')
    path.write_bytes(lt.bencode(made.generate()))
    return path, str(lt.torrent_info(str(path)).info_hashes().v1)


def touch_memory(directory, size):
    """Makes the kernel use that much memory and free it again. In a virtual machine a page's first use after a while costs ten times
    the copying of it, and whoever comes first would pay for all."""
    path = directory / 'touch'
    zeros = bytes(MIB)
    with open(path, 'wb', buffering=0) as out:
        for _ in range(0, size, MIB):
            out.write(zeros)
    path.unlink()


class Tracker:
    """Tells everybody of one peer."""

    def __init__(self, peer_port):
        peer = socket.inet_aton('127.0.0.1') + peer_port.to_bytes(2, 'big')
        reply = b'd8:completei1e10:incompletei1e8:intervali1800e5:peers6:' + peer + b'e'

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Type', 'text/plain')
                self.send_header('Content-Length', str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.announce = f'http://127.0.0.1:{self.server.server_address[1]}/announce'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()


class Seed:
    """libtorrent, serving all of it over plain TCP; at most `up_kib` KiB a second unless that is 0."""

    def __init__(self, port, torrent, directory, log, up_kib=0):
        with open(log, 'wb') as out:
            self.process = subprocess.Popen(
                ['/usr/bin/python3', str(HERE / 'netlab' / 'seed.py'), '--torrent', str(torrent), '--data', str(directory),
                 '--listen', f'127.0.0.1:{port}', '--no-utp', '--encrypt', 'disabled', '--every', '5',
                 '--up', str(up_kib)], stdout=out, stderr=out)

        def answers():
            if self.process.poll() is not None:
                fail(f'the seed ended: {pathlib.Path(log).read_text()}')
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                return True
            except OSError:
                return False
        wait_for(answers, 20, 'the seed listens')

    def end(self):
        end_process(self.process)


def end_process(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def peak_memory(pid):
    """Bytes, of a process that still runs."""
    try:
        for line in open(f'/proc/{pid}/status'):
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def cpu_so_far(pid):
    """User and system seconds of a process that still runs, all its threads."""
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class Watched:
    """A child whose processor time and peak memory are known when it has ended."""

    def __init__(self, words, log, **more):
        self.log = pathlib.Path(log)
        with open(log, 'wb') as out:
            self.process = subprocess.Popen([str(w) for w in words], stdout=out, stderr=out, stdin=subprocess.DEVNULL, **more)
        self.pid, self.peak, self.cpu, self.status = self.process.pid, 0, 0.0, None
        self.watching = threading.Thread(target=self._watch, daemon=True)
        self.watching.start()

    def _watch(self):
        while True:
            self.peak = max(self.peak, peak_memory(self.pid))
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.cpu = usage.ru_utime + usage.ru_stime  # children it has waited for included
                self.status = self.process.returncode = os.waitstatus_to_exitcode(status)
                return
            time.sleep(0.02)

    def running(self):
        return self.watching.is_alive()

    def wait(self, seconds):
        self.watching.join(seconds)
        if self.running():
            os.kill(self.pid, signal.SIGKILL)
            self.watching.join()
            fail(f'{self.log.stem} did not end within {seconds} s: {self.tail()}')
        return self.status

    def end(self):
        if self.running():
            os.kill(self.pid, signal.SIGTERM)
            self.watching.join(10)
        if self.running():
            os.kill(self.pid, signal.SIGKILL)
            self.watching.join()

    def tail(self):
        return self.log.read_text(errors='replace')[-1500:]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost')
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Daemon:
    """rqfs in the foreground with a store and a mount point of its own below `directory`."""

    def __init__(self, programs, directory, config='', wrapper=(), listen='127.0.0.1:0', log_level='warn'):
        self.programs, self.directory = pathlib.Path(programs), directory
        self.mountpoint, self.store, self.socket = directory / 'mnt', directory / 'store', directory / 'sock'
        self.mountpoint.mkdir(parents=True, exist_ok=True)
        (directory / 'rqfs.yaml').write_text('network:\n  test_network: true\n' + config)
        self.process = Watched([*wrapper, self.programs / 'rqfs', '-f', '-c', directory / 'rqfs.yaml', '--store', self.store,
                                '--socket', self.socket, '--listen', listen, '--log-level', log_level, self.mountpoint],
                               directory / 'rqfs.log')
        self.connection = None
        wait_for(self.answers, 10, 'the daemon answers')

    def answers(self):
        if not self.process.running():
            fail(f'the daemon ended: {self.process.tail()}')
        try:
            return self.get('/v1/status')
        except OSError:
            self.connection = None
            return None

    def get(self, target):
        if self.connection is None:
            self.connection = UnixConnection(self.socket)
        self.connection.request('GET', target)
        reply = self.connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            fail(f'{target}: {reply.status} {body.decode(errors="replace")}')
        return json.loads(body)

    def control(self, *words):
        done = subprocess.run([str(self.programs / 'rqfsctl'), '--socket', str(self.socket), '--json', *(str(w) for w in words)],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            fail(f'rqfsctl {words[0]}: {done.stderr.strip()}')
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def wait_seeding(self, info_hash, seconds):
        def complete():
            if not self.process.running():
                fail(f'the daemon ended: {self.process.tail()}')
            return self.get('/v1/torrents/' + info_hash)['state'] == 'seeding'
        wait_for(complete, seconds, 'the torrent is complete')

    def stop(self):
        self.control('stop')
        if self.process.wait(20) != 0:
            fail(f'the daemon ended with {self.process.status}: {self.process.tail()}')

    def end(self):
        self.process.end()
        with open('/proc/self/mountinfo') as table:
            if f' {self.mountpoint} ' in table.read():
                subprocess.run(['fusermount3', '-uz', str(self.mountpoint)], capture_output=True)


def table(head, rows):
    """Columns as wide as they need; the first is left-aligned."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        print('  '.join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip())
