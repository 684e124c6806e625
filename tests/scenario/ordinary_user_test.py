"""Everything works without privileges: the user nobody mounts through fusermount3 with directories of his own."""
import os
import stat
import subprocess

import lab
from lab import Daemon, Scenario, Session, needs, needs_root

NOBODY = 65534
# A mount namespace where /dev/fuse is for everybody, as udev makes it, whatever this machine has. Its mounts are seen by others through
# /proc/PID/root.
OPEN_DEVICE = 'mknod -m 666 "$1" c 10 229 && mount --bind "$1" /dev/fuse && shift && exec "$@"'


@needs_root()
@needs('setpriv', 'unshare', 'nsenter')
class OrdinaryUser(Scenario):
    def test_an_ordinary_user_mounts_reads_and_stops(self):
        torrent = self.film()
        seed = Session(self).seed(torrent)
        home = self.directory / 'home'
        home.mkdir()
        programs = self.directory / 'bin'
        programs.mkdir()
        for name in ('rqfs', 'rqfsctl'):  # the build's directory may be closed to others
            subprocess.run(['cp', str(lab.BIN / name), str(programs / name)], check=True)
        become = ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', '--reset-env']
        daemon = Daemon(self, within=['unshare', '--mount', '--propagation', 'private', 'sh', '-c', OPEN_DEVICE, 'sh',
                                      str(self.directory / 'fuse'), *become])
        os.chown(daemon.directory, NOBODY, NOBODY)
        os.chown(daemon.mountpoint, NOBODY, NOBODY)
        os.chown(daemon.config, NOBODY, NOBODY)
        daemon.program = programs / 'rqfs'

        daemon.start()
        path = daemon.add(torrent.magnet(seed.endpoint), '--wait')

        inside = ['nsenter', '-t', str(daemon.process.pid), '-m', *become]
        read = subprocess.run(inside + ['sha256sum', str(path / torrent.name)], capture_output=True, text=True, timeout=30)
        self.assertEqual(read.stdout[:64], lab.sha256(torrent.content), read.stderr)
        status = os.stat(daemon.socket)
        self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (NOBODY, 0o600))
        unmounted = subprocess.run(inside + ['fusermount3', '-u', str(daemon.mountpoint)], capture_output=True, text=True)
        self.assertEqual(unmounted.returncode, 0, unmounted.stderr)
        self.assertEqual(daemon.process.wait(lab.STOP_SECONDS), 0, daemon.tail())


if __name__ == '__main__':
    lab.main()
