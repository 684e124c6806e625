"""What the scenarios share: a real daemon on a real mount, other people's clients, trackers, and networks to meet in.

Every scenario is a `Scenario`: it has a directory of its own, and what it starts through the lab is ended by its process id and unmounted
when it is over, however it ends. As root everything runs in a network namespace of its own, which no packet leaves.
"""
import ctypes
import errno
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
import time
import unittest
import urllib.parse

try:
    import libtorrent as lt
except ImportError:
    lt = None

BIN = pathlib.Path(os.environ.get('RQFS_BIN', ''))
MIB = 1 << 20
CLONE_NEWNET = 0x40000000
STOP_SECONDS = 3  # promised
EIO, EAGAIN = errno.EIO, errno.EAGAIN


def why_not():
    """Why no scenario can run here; empty when they can."""
    if lt is None:
        return 'python3-libtorrent is not installed for this Python'
    if not os.access(BIN / 'rqfs', os.X_OK) or not os.access(BIN / 'rqfsctl', os.X_OK):
        return 'RQFS_BIN is not the directory of rqfs and rqfsctl'
    if shutil.which('fusermount3') is None:
        return 'fusermount3 is not installed'
    if not os.path.exists('/dev/fuse') or (os.geteuid() == 0 and not os.access('/dev/fuse', os.R_OK | os.W_OK)):
        return 'there is no /dev/fuse'
    return ''


def needs_root():
    return unittest.skipIf(os.geteuid() != 0, 'only root may do this')


def needs(*programs):
    missing = [p for p in programs if shutil.which(p) is None]
    return unittest.skipIf(missing, 'not installed: ' + ', '.join(missing))


def isolate():
    """As root: a network namespace of our own with loopback alone. Others stay where they are, on free loopback ports."""
    if os.geteuid() == 0 and LIBC.unshare(CLONE_NEWNET) == 0:
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


LIBC, PR_SET_PDEATHSIG = ctypes.CDLL(None, use_errno=True), 1


def end_with_us():
    """In a child before it becomes its program: it is told to end when this process does, also when that is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_for(condition, seconds, what):
    """The first true value of `condition`, asked for again and again."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f'not within {seconds} s: {what() if callable(what) else what}')
        time.sleep(0.02)


def free_port(host='127.0.0.1'):
    with socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def answers(host, port):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def sha256(path, seconds=60):
    """Of a file's content, read by another program, so that a read that never ends can be given up."""
    done = subprocess.run(['sha256sum', '-z', '--', path], capture_output=True, timeout=seconds)
    if done.returncode != 0:
        raise OSError(done.stderr.decode(errors='replace'))
    return done.stdout.lstrip(b'\\')[:64].decode()


def tree(directory, seconds=60):
    """{path below directory: sha256} of all files, as bytes: names need not be UTF-8."""
    top = os.fsencode(directory)
    found = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
    return {os.path.relpath(path, top): sha256(path, seconds) for path in found}


def write_random(path, size, seed=1):
    """A file of made-up bytes that are always the same for one seed."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    with open(path, 'wb') as out:
        while size > 0:
            out.write(rng.randbytes(min(size, MIB)))
            size -= min(size, MIB)
    return path


class Torrent:
    """A torrent file and its content: `data`/`name` is what a seed has."""

    def __init__(self, path, data):
        self.path, self.data = str(path), str(data)
        self.info = lt.torrent_info(self.path)
        self.hash, self.name = str(self.info.info_hashes().v1), self.info.name()
        self.content = os.path.join(self.data, self.name)

    def magnet(self, *peers, trackers=()):
        return f'magnet:?xt=urn:btih:{self.hash}&dn=' + urllib.parse.quote(self.name) + \
            ''.join('&x.pe=' + p for p in peers) + ''.join('&tr=' + urllib.parse.quote(t, safe='') for t in trackers)


def make_torrent(content, piece_bytes=256 * 1024, trackers=(), private=False, pad=False):
    """Of one file or a directory; written beside it."""
    content = pathlib.Path(content)
    files = lt.file_storage()
    lt.add_files(files, str(content))
    made = lt.create_torrent(files, piece_bytes, lt.create_torrent.v1_only | (lt.create_torrent.canonical_files if pad else 0))
    for tracker in trackers:
        made.add_tracker(tracker)
    made.set_priv(private)
    lt.set_piece_hashes(made, str(content.parent))
    path = content.parent / (content.name[:100] + '.torrent')
    path.write_bytes(lt.bencode(made.generate()))
    return Torrent(path, content.parent)


def sanitized():
    """Whether rqfs was built with a sanitizer, whose books make its memory say nothing."""
    program = (BIN / 'rqfs').read_bytes()
    return b'__asan_init' in program or b'__tsan_init' in program


class ControlError(AssertionError):
    def __init__(self, command, done):
        super().__init__(f'{command}: status {done.returncode}: {done.stderr.strip()}')
        self.status, self.sentence = done.returncode, done.stderr


class Daemon:
    """rqfs in the foreground with its own store, socket and mount point below `directory`; its log is in `log`."""

    def __init__(self, scenario, name='rqfs', config='', listen=('127.0.0.1:0',), store=None, within=(), options=()):
        self.scenario, self.directory = scenario, scenario.directory / name
        self.directory.mkdir(exist_ok=True)
        self.mountpoint, self.store = self.directory / 'mnt', pathlib.Path(store or self.directory / 'store')
        self.mountpoint.mkdir(exist_ok=True)
        self.socket, self.log, self.config = self.directory / 'sock', self.directory / 'log', self.directory / 'rqfs.yaml'
        self.configure(config)
        self.listen, self.within, self.options, self.process = listen, list(within), list(options), None
        self.program = BIN / 'rqfs'
        scenario.addCleanup(self.clean)

    def configure(self, config):
        if 'network:' not in config:
            config = 'network:\n  test_network: true\n' + config
        self.config.write_text(config)

    def command(self):
        listens = [word for address in self.listen for word in ('--listen', address)]
        return self.within + [str(self.program), '-f', '-c', str(self.config), '--store', str(self.store), '--socket', str(self.socket),
                              '--log-level', os.environ.get('RQFS_LOG', 'debug')] + listens + self.options + [str(self.mountpoint)]

    def spawn(self):
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            preexec_fn=end_with_us)

    def start(self, seconds=10):
        self.spawn()
        wait_for(lambda: self.process.poll() is not None or self.is_up(), seconds, lambda: 'the daemon answers; ' + self.tail())
        if self.process.poll() is not None:
            raise AssertionError(f'the daemon ended with {self.process.returncode}: {self.tail()}')
        return self

    def is_up(self):
        return self.run('status').returncode == 0

    def is_mounted(self):
        return f' {self.mountpoint} ' in pathlib.Path('/proc/self/mountinfo').read_text()

    def run(self, *words, seconds=30, json=False):
        return subprocess.run([str(BIN / 'rqfsctl'), '--socket', str(self.socket)] + (['--json'] if json else []) + [str(w) for w in words],
                              capture_output=True, text=True, timeout=seconds)

    def ctl(self, *words, seconds=30):
        """What the command prints as JSON; a ControlError unless its exit status is 0."""
        done = self.run(*words, seconds=seconds, json=True)
        if done.returncode != 0:
            raise ControlError(words, done)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def add(self, source, *words):
        """Where the torrent is in the mount."""
        return pathlib.Path(self.ctl('add', source, *words)['added'][0]['path'])

    def torrent(self, torrent):
        return self.ctl('status', torrent.hash)

    def wait_state(self, torrent, state, seconds=30):
        return wait_for(lambda: (lambda s: s if s['state'] == state else None)(self.torrent(torrent)), seconds,
                        lambda: f'{state}: {self.torrent(torrent)}')

    def port(self):
        return int(self.ctl('status')['listening'][0].rpartition(':')[2])

    def endpoint(self):
        return f'127.0.0.1:{self.port()}'

    def stop(self):
        """Seconds it took in order."""
        begin = time.monotonic()
        self.ctl('stop')
        status = self.process.wait(20)
        if status != 0:
            raise AssertionError(f'the daemon ended with {status}: {self.tail()}')
        return time.monotonic() - begin

    def kill9(self):
        self.process.kill()
        self.process.wait(10)

    def tail(self, characters=1500):
        return self.log.read_text(errors='replace')[-characters:] if self.log.exists() else ''

    def clean(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill9()
        for _ in range(3):
            if self.is_mounted():
                subprocess.run(['fusermount3', '-uz', str(self.mountpoint)], capture_output=True)


class Session:
    """libtorrent in this process; `torrent` is what it was last given."""

    def __init__(self, scenario, listen='127.0.0.1:0', **settings):
        self.session = lt.session({
            'listen_interfaces': listen, 'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
            'allow_multiple_connections_per_ip': True, 'ssrf_mitigation': False, 'alert_mask': 0, 'unchoke_slots_limit': 64,
            'dht_bootstrap_nodes': '', 'validate_https_trackers': False, **settings})
        everybody = lt.ip_filter()  # otherwise loopback is "local" and no rate limit touches it
        everybody.add_rule('0.0.0.0', '255.255.255.255', 1)
        self.session.set_peer_class_filter(everybody)
        self.host = listen.split(',')[0].rpartition(':')[0]
        wait_for(self.session.listen_port, 10, 'libtorrent listens')
        self.torrent = None
        scenario.addCleanup(self.end)

    def end(self):
        self.torrent = None
        if self.session:
            self.session.pause()
            self.session = None

    @property
    def endpoint(self):
        return f'{self.host}:{self.session.listen_port()}'

    def seed(self, torrent, data=None, flags=None):
        """Trusts the files: what is in them is sent, right or wrong."""
        p = lt.add_torrent_params()
        p.ti, p.save_path = torrent.info, str(data or torrent.data)
        p.flags |= lt.torrent_flags.seed_mode
        self.add(p)
        wait_for(lambda: self.status().is_seeding, 10, 'libtorrent seeds')  # until then it turns away whoever comes
        return self

    def leech(self, torrent, directory):
        p = lt.add_torrent_params()
        p.ti, p.save_path = torrent.info, str(directory)
        return self.add(p)

    def leech_magnet(self, magnet, directory):
        p = lt.parse_magnet_uri(magnet)
        p.save_path = str(directory)
        return self.add(p)

    def add(self, parameters):
        parameters.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
        self.torrent = self.session.add_torrent(parameters)
        return self

    def connect(self, endpoint):
        host, _, port = endpoint.rpartition(':')
        self.torrent.connect_peer((host.strip('[]'), int(port)))
        return self

    def status(self):
        return self.torrent.status()

    def uploaded(self):
        return self.status().total_payload_upload

    def wait_complete(self, seconds=30):
        return wait_for(lambda: self.status().is_seeding, seconds,
                        lambda: f'libtorrent has everything: {self.status().progress}, {self.status().num_peers} peers')


class Process:
    """A program that is ended with the scenario; its output is in `log`."""

    def __init__(self, scenario, words, name, **more):
        self.log = scenario.directory / f'{name}.log'
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen([str(w) for w in words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            preexec_fn=end_with_us, **more)
        scenario.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def tail(self):
        return self.log.read_text(errors='replace')[-1500:]


class Transmission:
    """transmission-daemon with its own directories and ports. Peers on loopback it takes only when they dial it. Its DHT is on when it has
    nodes (their addresses) of a last run, which it pings one every two seconds; a router that it is told of gets it no others for minutes."""

    def __init__(self, scenario, host='127.0.0.1', within=(), name='transmission', dht_nodes=(), **settings):
        self.host, self.within = host, list(within)
        self.port, self.rpc = free_port(), free_port()
        home, self.downloads = scenario.directory / name, scenario.directory / (name + '-downloads')
        home.mkdir()
        self.downloads.mkdir()
        if dht_nodes:
            nodes = b''.join(socket.inet_aton(address) + (6881).to_bytes(2, 'big') for address in dht_nodes)
            (home / 'dht.dat').write_bytes(lt.bencode({'id': os.urandom(20), 'nodes': nodes}))
        (home / 'settings.json').write_text(json.dumps({
            'dht-enabled': bool(dht_nodes), 'lpd-enabled': False, 'pex-enabled': False, 'utp-enabled': False, 'port-forwarding-enabled': False,
            'peer-port': self.port, 'bind-address-ipv4': host, 'rpc-bind-address': '127.0.0.1', 'rpc-port': self.rpc,
            'rpc-whitelist-enabled': False, 'download-dir': str(self.downloads), 'incomplete-dir-enabled': False,
            'ratio-limit-enabled': False, 'cache-size-mb': 4, 'speed-limit-up-enabled': False, 'upload-slots-per-torrent': 14, **settings}))
        self.process = Process(scenario, self.within + ['transmission-daemon', '-f', '-g', home, '--log-error'], name)
        wait_for(lambda: self.remote('-si', check=False).returncode == 0, 15, lambda: 'transmission answers: ' + self.process.tail())

    @property
    def endpoint(self):
        return f'{self.host}:{self.port}'

    def remote(self, *words, check=True):
        done = subprocess.run(self.within + ['transmission-remote', f'127.0.0.1:{self.rpc}'] + [str(w) for w in words],
                              capture_output=True, text=True, timeout=20)
        if check and done.returncode != 0:
            raise AssertionError(f'transmission-remote {words}: {done.stdout} {done.stderr}')
        return done

    def details(self):
        return self.remote('-t', '1', '-i').stdout

    def seed(self, torrent):
        self.remote('-w', torrent.data, '-a', torrent.path)
        self.remote('-t', '1', '-v')
        self.wait_complete()

    def leech(self, source):
        self.remote('-w', self.downloads, '-a', source)

    def wait_complete(self, seconds=30):
        wait_for(lambda: 'Percent Done: 100%' in self.details(), seconds, lambda: 'transmission has everything: ' + self.details())


class Aria2(Process):
    """aria2c with one torrent: seeds what is in `directory`, or downloads into it and goes on seeding."""

    def __init__(self, scenario, source, directory, *words, within=(), name='aria2'):
        self.port, self.directory = free_port(), pathlib.Path(directory)
        self.endpoint = f'127.0.0.1:{self.port}'
        super().__init__(scenario, list(within) + [
            'aria2c', '--no-conf', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false', '--enable-peer-exchange=false',
            '--seed-ratio=0', '--file-allocation=none', '--summary-interval=1', '--show-console-readout=false', '--console-log-level=notice',
            '--allow-overwrite=true', '--bt-tracker-interval=1', '--disk-cache=0', '--follow-torrent=mem',
            f'--listen-port={self.port}', '-d', directory, *words, source], name)

    def wait_listening(self):
        wait_for(lambda: answers('127.0.0.1', self.port), 15, lambda: 'aria2 listens: ' + self.tail())

    def wait_complete(self, path, torrent, seconds=30):
        original, size = sha256(torrent.content), os.path.getsize(torrent.content)
        wait_for(lambda: os.path.exists(path) and os.path.getsize(path) == size and sha256(path) == original, seconds,
                 lambda: 'aria2 has everything: ' + self.tail())


class OpenTracker(Process):
    """HTTP and UDP on one port of an IPv4 address; Debian's serves only the hashes on its list."""

    def __init__(self, scenario, *hashes, host='127.0.0.1', port=None):
        self.host, self.port = host, port or free_port()
        home = scenario.directory / 'opentracker'
        home.mkdir(exist_ok=True)
        (home / 'allowed').write_text(''.join(h + '\n' for h in hashes))
        super().__init__(scenario, ['opentracker', '-i', host, '-p', self.port, '-P', self.port, '-d', home, '-w', 'allowed'], 'opentracker')
        wait_for(lambda: answers(host, self.port), 10, lambda: 'opentracker listens: ' + self.tail())
        self.http, self.udp = f'http://{host}:{self.port}/announce', f'udp://{host}:{self.port}/announce'


class Host:
    """A computer of its own on a bridge to this one: a network namespace that lives as long as its process.

    This side is 10.77.0.1; hosts are 10.77.0.2 and so on. `within` before a command runs it there, in our own mount namespace."""

    def __init__(self, scenario, number):
        self.address, self.port = f'10.77.0.{number}', f'port{number}'
        if subprocess.run(['ip', 'link', 'show', 'bridge0'], capture_output=True).returncode != 0:
            self.ip('link', 'add', 'bridge0', 'type', 'bridge')
            self.ip('addr', 'add', '10.77.0.1/24', 'dev', 'bridge0')
            self.ip('link', 'set', 'bridge0', 'up')
        self.holder = subprocess.Popen(['unshare', '--net', 'sleep', 'infinity'], preexec_fn=end_with_us)
        scenario.addCleanup(self.end)
        ours = os.stat('/proc/self/ns/net').st_ino
        pid = self.holder.pid
        wait_for(lambda: os.stat(f'/proc/{pid}/ns/net').st_ino != ours, 5, 'a namespace')
        self.within = ['nsenter', f'--net=/proc/{pid}/ns/net']
        self.ip('link', 'add', self.port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', str(pid))
        self.ip('link', 'set', self.port, 'master', 'bridge0', 'up')
        for words in (('link', 'set', 'lo', 'up'), ('addr', 'add', self.address + '/24', 'dev', 'eth0'), ('link', 'set', 'eth0', 'up')):
            subprocess.run(self.within + ['ip', *words], check=True)

    def ip(self, *words):
        subprocess.run(['ip', *words], check=True)

    def end(self):
        # The kernel would take it away with the namespace, but at its leisure, when the next test wants the name again.
        subprocess.run(['ip', 'link', 'del', self.port], capture_output=True)
        self.holder.kill()
        self.holder.wait()


class Reader:
    """Reads a part of a file in another process; `result` waits for its end: bytes, or the errno that it got."""

    PROGRAM = ('import os,sys\n'
               'fd=os.open(sys.argv[1],os.O_RDONLY)\n'
               'sys.stderr.write("open\\n");sys.stderr.flush()\n'
               'try:\n sys.stdout.buffer.write(os.pread(fd,int(sys.argv[3]),int(sys.argv[2])))\n'
               'except OSError as e:\n sys.exit(e.errno)\n')

    def __init__(self, scenario, path, offset=0, length=65536):
        self.begin = time.monotonic()
        self.process = subprocess.Popen([sys.executable, '-c', self.PROGRAM, str(path), str(offset), str(length)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.process.stderr.readline()
        scenario.addCleanup(self.end)

    def result(self, seconds):
        out, _ = self.process.communicate(timeout=seconds)
        self.seconds = time.monotonic() - self.begin
        return self.process.returncode if self.process.returncode else out

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()


class Scenario(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='rqfs-scenario-')).resolve()
        os.chmod(self.directory, 0o755)
        if 'RQFS_KEEP' not in os.environ:
            self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def film(self, size=8 * MIB, name='film.bin', seed=1, **more):
        return make_torrent(write_random(self.directory / 'data' / name, size, seed), **more)

    def assert_mount_equals(self, path, torrent, seconds=60):
        """What is read through the mount, all of it, is the original."""
        original = {os.fsencode(torrent.name): sha256(torrent.content)} if os.path.isfile(torrent.content) else tree(torrent.content)
        self.assertEqual(tree(path, seconds), original)

    def wait_blocked(self, daemon, torrent, count=1):
        wait_for(lambda: daemon.torrent(torrent)['blocked_reads'] >= count, 10, lambda: f'a blocked read: {daemon.torrent(torrent)}')


def main():
    reason = why_not()
    if reason:
        print('skipped: ' + reason)
        sys.exit(77)
    isolate()
    result = unittest.main(verbosity=2, exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun <= len(result.skipped):
        print('skipped: ' + '; '.join(sorted({reason for _, reason in result.skipped})))
        sys.exit(77)
