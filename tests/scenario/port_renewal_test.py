"""What routers open for us ends by itself: it is renewed in time, asked for again when the router has lost it, and taken back in the end.

By each way to ask at once, NAT-PMP, UPnP and pinholes, with leases of a few seconds, or of an hour with checks every two seconds; the
network is that of routed_home.
"""
import os
import signal
import time

import lab
from lab import Process, needs, needs_root, wait_for
from routed_home import HOME6, RoutedHome

LEASE = 8
HOUR, CHECK = 3600, 2
KEEPER = os.environ.get('KEEP_PORT_OPEN', '')
WAYS = {'nat-pmp': 7001, 'upnp': 7002, 'pinhole': 7003}
BOTH = {'nat-pmp': [7001, 7001], 'upnp': [7002, 7002], 'pinhole': ['tcp', 'udp']}
NONE = {way: [] for way in WAYS}


@needs_root()
@needs('ip', 'nsenter', 'nft', 'miniupnpd')
@lab.unittest.skipIf(not os.access(KEEPER, os.X_OK), 'KEEP_PORT_OPEN is not the program of that name')
class KeptOpen(RoutedHome):
    TIMES = ()

    def setUp(self):
        super().setUp()
        self.forwarder = self.forwarding(ipv6=True)
        self.keepers = [Process(self, self.home.within + [KEEPER, way, port, *self.TIMES], way) for way, port in WAYS.items()]
        wait_for(lambda: self.there() == BOTH, 30, self.tell)

    def there(self):
        """What the router's kernel lets through."""
        return {way: self.opened(port) if way == 'pinhole' else self.forwarded(port) for way, port in WAYS.items()}

    def tell(self):
        return f'{self.there()} {[keeper.tail() for keeper in self.keepers]} {self.forwarder.tail()}'

    def restart_empty(self):
        """The router begins anew and knows of nothing."""
        self.forwarder.end()
        for chain in ('miniupnpd', 'prerouting_miniupnpd', 'postrouting_miniupnpd'):
            self.router.run('nft', 'flush', 'chain', 'inet', 'miniupnpd', chain)
        self.assertEqual(self.there(), NONE)
        self.forwarder = self.forwarding(ipv6=True)


class Renewal(KeptOpen):
    TIMES = (LEASE,)

    def test_a_lease_is_renewed_before_it_ends(self):
        begun, before, missing = time.monotonic(), BOTH, []

        while time.monotonic() - begun < 2.5 * LEASE:
            now = self.there()
            if now != BOTH and before != BOTH:  # for a moment there is nothing: miniupnpd renews by replacing
                missing.append((time.monotonic() - begun, before, now))
            before = now
            time.sleep(0.2)

        self.assertEqual(missing, [])
        # miniupnpd 2.3.1 lets no pinhole end by itself where nftables keeps it: how often it was asked has to do.
        asked = self.forwarder.log.read_text(errors='replace').count(f'to [{HOME6}]:{WAYS["pinhole"]} with proto 6 during {LEASE} sec')
        self.assertGreaterEqual(asked, 3)
        for keeper in self.keepers:
            keeper.process.send_signal(signal.SIGKILL)
        wait_for(lambda: self.there() == dict(NONE, pinhole=BOTH['pinhole']), 3 * LEASE, lambda: f'without renewal they end: {self.tell()}')

    def test_a_router_that_has_lost_everything_is_asked_again(self):
        self.restart_empty()

        wait_for(lambda: self.there() == BOTH, 6 * LEASE, self.tell)

    def test_what_was_opened_is_closed_in_the_end(self):
        for keeper in self.keepers:
            keeper.process.terminate()

        for keeper in self.keepers:
            self.assertEqual(keeper.process.wait(lab.STOP_SECONDS), 0)

        self.assertEqual(self.there(), NONE)


class Checks(KeptOpen):
    TIMES = (HOUR, CHECK)

    def heard(self, what):
        return self.forwarder.log.read_text(errors='replace').count(what)

    def test_what_a_router_lost_is_back_after_the_next_check(self):
        # By then it has counted to more than the two seconds that count for nothing (RFC 6886, 3.6).
        wait_for(lambda: self.heard('NAT-PMP public address request') >= 4, 10 * CHECK, self.tell)
        for keeper in self.keepers:
            keeper.process.send_signal(signal.SIGSTOP)  # or it might notice that the router is gone, and not what that has lost
        starts = self.heard('HTTP listening on port')
        self.restart_empty()
        wait_for(lambda: self.heard('HTTP listening on port') > starts, 10, self.tell)

        for keeper in self.keepers:
            keeper.process.send_signal(signal.SIGCONT)

        wait_for(lambda: self.there() == BOTH, 5 * CHECK, self.tell)

    def test_what_is_there_is_not_mapped_again(self):
        questions = ('NAT-PMP public address request', '#GetSpecificPortMappingEntry', '#GetPinholePackets')
        orders = ('NAT-PMP port mapping request', '#AddPortMapping', '#AddPinhole')
        asked, ordered = [self.heard(what) for what in questions], [self.heard(what) for what in orders]

        wait_for(lambda: all(self.heard(what) >= before + 3 for what, before in zip(questions, asked)), 10 * CHECK, self.tell)

        self.assertNotIn(0, ordered)
        self.assertEqual([self.heard(what) for what in orders], ordered)


if __name__ == '__main__':
    lab.main()
