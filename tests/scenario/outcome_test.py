"""What rqfsctl says of that which takes its time, and of torrents that nothing can come to."""
import os

import lab
from lab import Daemon, Scenario, Session, free_port

AWAY = 'nothing is sent, because there is no interface rqfs-nowhere: connect the VPN, or correct network.interface'


class Outcome(Scenario):
    def setUp(self):
        super().setUp()
        self.torrent = self.film()

    def test_that_no_tracker_takes_an_announce_is_said_of_each_and_is_a_failure(self):
        daemon = Daemon(self).start()
        urls = [f'http://127.0.0.1:{free_port()}/announce' for _ in range(2)]
        daemon.add(self.torrent.magnet(trackers=urls))

        done = daemon.run('announce', self.torrent.hash)

        self.assertEqual((done.returncode, done.stderr), (1, 'rqfsctl: no tracker has accepted the announce\n'), done.stdout)
        self.assertTrue(done.stdout.startswith('Announcing to 2 trackers, searching the DHT.\n'), done.stdout)
        for url in urls:
            self.assertRegex(done.stdout, f'(?m)^{url}: failed: .*127.0.0.1.*refused')

    def test_whether_a_peer_is_reached_is_said(self):
        seed = Session(self).seed(self.torrent)
        daemon = Daemon(self, config='limits:\n  down: 500K\n  lan: true\n').start()
        daemon.add(self.torrent.path, '--download')

        nobody = daemon.run('connect', self.torrent.hash, f'127.0.0.1:{free_port()}', '--timeout', '2')
        somebody = daemon.run('connect', self.torrent.hash, seed.endpoint)

        self.assertEqual(nobody.returncode, 1)
        self.assertRegex(nobody.stderr, 'is not among the peers after 2 s: cannot connect to 127.0.0.1:[0-9]+: Connection refused\n$')
        self.assertEqual((somebody.returncode, somebody.stdout), (0, f'Connecting to {seed.endpoint}.\nConnected.\n'))

    def test_that_the_interface_is_away_is_said_before_all_else(self):
        daemon = Daemon(self, config='network:\n  test_network: true\n  interface: rqfs-nowhere\n').start()
        path = daemon.add(self.torrent.path, '--download') / self.torrent.name

        status = daemon.run('status', self.torrent.hash).stdout

        self.assertIn(f'  state       downloading: {AWAY}\n', status)
        self.assertTrue(daemon.run('why', path).stdout.startswith(AWAY + '\n'))
        self.assertTrue(os.getxattr(path, 'user.rqfs.why').decode().startswith(AWAY + '\n'))

    def test_what_only_begins_says_too_that_the_interface_is_away(self):
        daemon = Daemon(self, config='network:\n  test_network: true\n  interface: rqfs-nowhere\n').start()
        daemon.add(self.torrent.magnet())

        announce = daemon.run('announce', self.torrent.hash)
        dht = daemon.run('dht')
        connect = daemon.run('connect', self.torrent.hash, '127.0.0.1:6881', '--timeout', '1')
        by_name = daemon.run('connect', self.torrent.hash, 'seed.example:6881', '--timeout', '1', seconds=60)

        self.assertEqual((announce.returncode, announce.stderr), (1, f'rqfsctl: {AWAY}\n'))
        self.assertEqual(dht.stdout.splitlines()[0], AWAY)
        self.assertEqual((connect.returncode, connect.stderr),
                         (1, f'rqfsctl: 127.0.0.1:6881 is not among the peers after 1 s: {AWAY}\n'))
        self.assertEqual((by_name.returncode, by_name.stderr), (1, f'rqfsctl: {AWAY}\n'))

    def test_that_the_proxy_is_away_is_said_of_the_session_and_once_in_the_log(self):
        proxy = f'socks5://127.0.0.1:{free_port()}'
        daemon = Daemon(self, config=f'network:\n  test_network: true\n  proxy: {proxy}\n').start()
        daemon.add(self.torrent.magnet(trackers=[f'http://127.0.0.1:{free_port()}/announce']))

        said = f'{proxy}: nothing is sent but to the proxy, and that is in trouble: '
        lab.wait_for(lambda: said in daemon.run('status').stdout, 30, lambda: daemon.run('status').stdout)
        for _ in range(3):
            daemon.run('announce', self.torrent.hash)

        self.assertEqual(daemon.log.read_text().count('and that is in trouble'), 1)


if __name__ == '__main__':
    lab.main()
