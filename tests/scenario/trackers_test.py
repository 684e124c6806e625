"""Peers are learnt from trackers: opentracker, small ones of our own over IPv6, ones that are away for a while."""
import socket
import socketserver
import struct
import urllib.parse

import lab
from lab import MIB, Daemon, Host, OpenTracker, Scenario, Session, Transmission, needs, needs_root, sha256, wait_for
from tracker import Tracker, compact, serve


class FakeUdpTracker:
    """BEP 15 over IPv6, where addresses have 18 bytes."""

    def __init__(self, scenario, peers):
        announces = self.announces = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                request, server = self.request
                action, transaction = struct.unpack('>II', request[8:16])
                if action == 0:
                    answer = struct.pack('>IIQ', 0, transaction, 0x1234)
                else:
                    announces.append(request[16:36].hex())
                    answer = struct.pack('>IIIII', 1, transaction, 600, 0, 1) + compact(peers, 18)
                server.sendto(answer, self.client_address)

        class Server(socketserver.ThreadingUDPServer):
            address_family = socket.AF_INET6

        self.server = Server(('::1', 0), Handler)
        self.url = f'udp://[::1]:{self.server.server_address[1]}/announce'
        serve(scenario, self.server)


class Trackers(Scenario):
    def announced_seed(self, torrent, tracker):
        seed = Session(self, announce_to_all_trackers=True)
        seed.seed(torrent)
        seed.torrent.replace_trackers([{'url': tracker, 'tier': 0}])
        seed.torrent.force_reannounce()
        return seed

    @needs('opentracker')
    def test_opentracker_tells_of_a_seed_over_http(self):
        torrent = self.film()
        tracker = OpenTracker(self, torrent.hash)
        self.announced_seed(torrent, tracker.http)
        daemon = Daemon(self).start()

        path = daemon.add(torrent.magnet(trackers=[tracker.http]), '--wait')

        self.assert_mount_equals(path, torrent)

    @needs('opentracker')
    def test_opentracker_tells_of_a_seed_over_udp(self):
        torrent = self.film()
        tracker = OpenTracker(self, torrent.hash)
        self.announced_seed(torrent, tracker.http)
        daemon = Daemon(self).start()

        path = daemon.add(torrent.magnet(trackers=[tracker.udp]), '--wait')

        self.assert_mount_equals(path, torrent)

    def assert_serves_over_ipv6(self, tracker_of):
        torrent = self.film()
        seed = Session(self, listen='[::1]:0').seed(torrent)
        tracker = tracker_of([('::1', seed.endpoint.rpartition(':')[2])])
        daemon = Daemon(self, listen=('127.0.0.1:0', '[::1]:0')).start()

        path = daemon.add(torrent.magnet(trackers=[tracker.url]), '--wait')

        self.assert_mount_equals(path, torrent)
        self.assertTrue(tracker.announces)

    def test_an_ipv6_http_tracker_tells_of_an_ipv6_seed(self):
        self.assert_serves_over_ipv6(lambda peers: Tracker(self, '::1', peers=peers))

    def test_an_ipv6_udp_tracker_tells_of_an_ipv6_seed(self):
        self.assert_serves_over_ipv6(lambda peers: FakeUdpTracker(self, peers))

    @needs('opentracker')
    def test_a_tracker_that_was_down_is_asked_again(self):
        torrent = self.film()
        port = lab.free_port()
        daemon = Daemon(self).start()
        path = daemon.add(torrent.magnet(trackers=[f'http://127.0.0.1:{port}/announce']))
        state = wait_for(lambda: daemon.ctl('trackers', torrent.hash)['trackers'][0]['message'], 10, 'an error of the tracker')
        self.assertTrue(state)

        tracker = OpenTracker(self, torrent.hash, port=port)
        self.announced_seed(torrent, tracker.http)

        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 40, lambda: daemon.ctl('trackers', torrent.hash))
        self.assert_mount_equals(path, torrent)

    @needs('opentracker')
    def test_of_two_trackers_the_dead_one_does_not_matter(self):
        torrent = self.film()
        tracker = OpenTracker(self, torrent.hash)
        self.announced_seed(torrent, tracker.http)
        daemon = Daemon(self).start()

        path = daemon.add(torrent.magnet(trackers=[f'http://127.0.0.1:{lab.free_port()}/announce', tracker.udp]), '--wait')

        self.assert_mount_equals(path, torrent)

    def test_stopping_tells_the_tracker(self):
        torrent = self.film()
        tracker = Tracker(self, '::1')
        daemon = Daemon(self, listen=('127.0.0.1:0', '[::1]:0')).start()
        daemon.add(torrent.magnet(trackers=[tracker.url]))
        wait_for(lambda: tracker.announces, 10, 'an announce')

        seconds = daemon.stop()

        self.assertLess(seconds, lab.STOP_SECONDS)
        self.assertEqual([a.said['event'] for a in tracker.announces if 'event' in a.said], ['started', 'stopped'])


class Hands(Scenario):
    """The user's hand on the trackers of a torrent."""

    def rows(self, daemon, torrent):
        """By their URLs; the DHT is none of them."""
        return {t['url']: t for t in daemon.ctl('trackers', torrent.hash)['trackers'] if t['url'] != 'DHT'}

    def assert_refused(self, part, daemon, *words):
        with self.assertRaises(lab.ControlError) as refusal:
            daemon.ctl(*words)
        self.assertIn(part, str(refusal.exception))

    @needs('opentracker')
    def test_trackers_are_changed_at_once_and_for_good(self):
        torrent = self.film()
        away = Tracker(self, '::1')
        tracker = OpenTracker(self, torrent.hash)
        seed = Session(self, announce_to_all_trackers=True)
        seed.seed(torrent)
        seed.torrent.replace_trackers([{'url': tracker.http, 'tier': 0}])
        seed.torrent.force_reannounce()
        wait_for(lambda: any(t.get('verified') for t in seed.torrent.trackers()), 10, 'the seed announced')
        daemon = Daemon(self, listen=('127.0.0.1:0', '[::1]:0')).start()
        path = daemon.add(torrent.magnet(trackers=[away.url]))
        wait_for(lambda: away.announces, 10, 'an announce')

        daemon.ctl('trackers', torrent.hash, '--add', tracker.http)
        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 30, lambda: daemon.ctl('trackers', torrent.hash))
        self.assert_mount_equals(path, torrent)
        daemon.ctl('trackers', torrent.hash, '--remove', away.url)

        wait_for(lambda: away.announces[-1].said.get('event') == 'stopped', 10, lambda: away.announces)
        daemon.stop()
        daemon.start()
        self.assertEqual(list(self.rows(daemon, torrent)), [tracker.http])
        link = daemon.ctl('magnet', torrent.hash)['magnet']
        self.assertEqual(urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)['tr'], [tracker.http])

    @needs('opentracker')
    def test_figures_are_counted_and_announces_wait_for_the_tracker(self):
        torrent = self.film()
        tracker = OpenTracker(self, torrent.hash)
        seed = Session(self, announce_to_all_trackers=True)
        seed.seed(torrent)
        seed.torrent.replace_trackers([{'url': tracker.http, 'tier': 0}])
        seed.torrent.force_reannounce()
        wait_for(lambda: any(t.get('verified') for t in seed.torrent.trackers()), 10, 'the seed announced')
        for url in (tracker.http, tracker.udp):
            with self.subTest(url):
                daemon = Daemon(self, url[:4]).start()
                daemon.add(torrent.magnet(trackers=[url]), '--wait')

                def row():
                    return self.rows(daemon, torrent)[url]

                wait_for(lambda: row()['seeders'] == 1 and row()['downloads'] is not None, 20, row)
                self.assertEqual(row()['scrape_message'], '')
                self.assert_refused('may be asked again in', daemon, 'announce', torrent.hash, url)
                daemon.stop()

    def test_one_tracker_with_a_wrong_name_does_not_stop_another(self):
        torrent = self.film()
        good, bad = Tracker(self, '::1'), 'http://b\u00fccher.example/announce'
        daemon = Daemon(self, listen=('127.0.0.1:0', '[::1]:0')).start()

        daemon.add(torrent.magnet(trackers=[bad, good.url]))

        wait_for(lambda: good.announces, 10, 'an announce')
        self.assertIn('xn--', self.rows(daemon, torrent)[bad]['message'])
        self.assert_refused('write it in its xn-- form', daemon, 'trackers', torrent.hash, '--add', bad)
        self.assert_refused('has no tracker udp://x:1', daemon, 'trackers', torrent.hash, '--remove', 'udp://x:1')
        daemon.ctl('trackers', torrent.hash, '--remove', bad, '--add', 'http://xn--bcher-kva.example/announce')
        self.assertEqual(set(self.rows(daemon, torrent)), {good.url, 'http://xn--bcher-kva.example/announce'})

    @needs_root()
    def test_a_tracker_is_told_over_both_families_with_one_key(self):
        torrent = self.film()
        tracker = Tracker(self, '::', name='both.test')
        hosts = self.directory / 'hosts'
        hosts.write_text('127.0.0.1 both.test\n::1 both.test\n')
        within = ['unshare', '--mount', 'sh', '-c', f'mount --bind {hosts} /etc/hosts && exec "$@"', 'sh']
        daemon = Daemon(self, listen=('127.0.0.1:0', '[::1]:0'), within=within).start()
        ports = {6 if at.startswith('[') else 4: int(at.rpartition(':')[2]) for at in daemon.ctl('status')['listening']}

        daemon.add(torrent.magnet(trackers=[tracker.url]))
        wait_for(lambda: len(daemon.ctl('trackers', torrent.hash)['trackers'][0]['families']) == 2, 10, lambda: tracker.announces)
        daemon.stop()

        self.assertEqual(sorted((a.family, a.said['event']) for a in tracker.announces),
                         [(4, 'started'), (4, 'stopped'), (6, 'started'), (6, 'stopped')])
        self.assertEqual(len({a.said['key'] for a in tracker.announces}), 1)
        self.assertEqual({a.family: int(a.said['port']) for a in tracker.announces}, ports)


class Private(Scenario):
    @needs('opentracker')
    def test_a_private_torrent_comes_from_its_tracker(self):
        port = lab.free_port()
        torrent = self.film(trackers=[f'http://127.0.0.1:{port}/announce'], private=True)
        OpenTracker(self, torrent.hash, port=port)
        seed = Session(self).seed(torrent)
        seed.torrent.force_reannounce()
        daemon = Daemon(self).start()

        path = daemon.add(torrent.path)

        self.assert_mount_equals(path, torrent)
        self.assertTrue(daemon.torrent(torrent)['is_private'])
        self.assertIn('private', daemon.ctl('trackers', torrent.hash, '--add', 'udp://127.0.0.1:1')['warning'])


@needs_root()
class Hosts(Scenario):
    """Where every client is a computer of its own, with an address that it can be told by."""

    @needs('opentracker', 'transmission-daemon', 'transmission-remote')
    def test_a_swarm_of_strangers_meets_at_the_tracker(self):
        places = [Host(self, n) for n in (2, 3, 4)]
        port = lab.free_port('10.77.0.1')
        torrent = self.film(16 * MIB, trackers=[f'http://10.77.0.1:{port}/announce'])
        tracker = OpenTracker(self, torrent.hash, host='10.77.0.1', port=port)
        seed = Session(self, listen='10.77.0.1:0')
        seed.seed(torrent)
        wait_for(lambda: 'error' not in seed.torrent.trackers()[0] or seed.torrent.trackers()[0]['verified'], 5, 'the seed announced')
        first = Daemon(self, 'first', listen=('0.0.0.0:6881',), within=places[0].within).start()
        second = Daemon(self, 'second', listen=('0.0.0.0:6881',), within=places[1].within).start()

        path = first.add(torrent.magnet(trackers=[tracker.http]), '--wait', '--download')
        self.assert_mount_equals(path, torrent)
        first.wait_state(torrent, 'seeding')
        seed.end()
        path = second.add(torrent.path)

        self.assert_mount_equals(path, torrent)
        second.wait_state(torrent, 'seeding')
        other = Transmission(self, host=places[2].address, within=places[2].within)
        other.leech(torrent.path)
        other.wait_complete()
        self.assertEqual(sha256(other.downloads / torrent.name), sha256(torrent.content))


if __name__ == '__main__':
    lab.main()
