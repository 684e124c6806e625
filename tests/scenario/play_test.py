"""What people do: a film is looked at, decoded from end to end and copied through the mount while a swarm feeds it."""
import subprocess

import lab
from lab import Daemon, Scenario, Session, needs, wait_for

SEEDS, SEED_RATE = 4, 1 << 20  # bytes a second: the film comes while it is read
# What ffprobe may have fetched: of the .mkv it reads the first 1.33 MB, of the .mp4 0.26 MB and the index; the kernel reads up to 256 KiB ahead of
# it. That touches 7 pieces of 256 KiB; one more for the index at the end. A player's window would be the whole film.
PROBED = 8 << 18


@needs('ffmpeg', 'ffprobe')
class Play(Scenario):
    def film(self, name):
        """Ten seconds, about 6 MiB; an .mp4 has its index at the end."""
        path = self.directory / 'made' / name
        path.parent.mkdir(exist_ok=True)
        subprocess.run(['ffmpeg', '-nostdin', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25,noise=alls=40:allf=t',
                        '-f', 'lavfi', '-i', 'sine', '-t', '10', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '5M', '-c:a', 'aac',
                        str(path)], check=True, timeout=120)
        return lab.make_torrent(path)

    def play(self, name):
        torrent = self.film(name)
        seeds = [Session(self, upload_rate_limit=SEED_RATE).seed(torrent) for _ in range(SEEDS)]
        daemon = Daemon(self).start()
        path = daemon.add(torrent.magnet(*[seed.endpoint for seed in seeds])) / torrent.name
        wait_for(path.exists, 10, 'the metadata has come')

        probed = subprocess.run(['ffprobe', '-loglevel', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', str(path)],
                                capture_output=True, text=True, timeout=60)
        fetched = daemon.torrent(torrent)['have_bytes']
        decoded = subprocess.run(['ffmpeg', '-nostdin', '-loglevel', 'error', '-i', str(path), '-f', 'null', '-'],
                                 capture_output=True, text=True, timeout=120)

        self.assertAlmostEqual(float(probed.stdout or 0), 10, delta=0.5, msg=probed.stderr)
        self.assertLessEqual(fetched, PROBED)
        self.assertEqual((decoded.returncode, decoded.stderr), (0, ''))
        self.assertEqual(lab.sha256(path), lab.sha256(torrent.content))

    def test_an_mp4_with_its_index_at_the_end(self):
        self.play('film.mp4')

    def test_an_mkv(self):
        self.play('film.mkv')


if __name__ == '__main__':
    lab.main()
