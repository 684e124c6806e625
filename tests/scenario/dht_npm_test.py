"""Nodes of another implementation, npm's bittorrent-dht, and we are one DHT, and find each other's peers by a bare info-hash, with nothing else.

npm's are no clients: libtorrent, which has no way of its own to find anybody, has the film that they announce, and fetches ours where they
say that it is. Each is in a network of its own, because our routing table takes one node of a network into a bucket.
"""
import os
import unittest

import lab
from found_test import Found
from lab import Process, needs, needs_root, wait_for
from networks import Internet

PORT = 6882  # libtorrent on the same computer has 6881, for UDP too
COUNT = 6
MODULES = os.environ.get('RQFS_NODE_MODULES', '')
MISSING = not os.path.isfile(os.path.join(MODULES, 'bittorrent-dht', 'index.js'))

# Again and again: whom it knows, who it hears has the torrent and of whom, and how many have taken its announcement. A lookup begins with
# what others have announced to the node itself, which is of nobody then.
NODE = '''
const [modules, host, port, entry, hash, announced] = process.argv.slice(1)
const { default: DHT } = await import(modules + '/bittorrent-dht/index.js')
const node = new DHT({ bootstrap: entry ? [entry] : false })
const at = ({ address, host, port }) => (host || address) + ':' + port
const announce = () => node.announce(hash, Number(announced), (error, count) => console.log('told', count))
node.on('peer', (peer, hash, from) => from && console.log('peer', at(peer), at(from)))
node.listen(Number(port), host)
setInterval(() => {
    console.log('knows', ...node.toJSON().nodes.map(at))
    node.lookup(hash, () => announced && announce())
}, 1000)
'''


class Node(Process):
    def __init__(self, scenario, computer, entry='', announced=''):
        self.endpoint = computer.endpoint(PORT)
        super().__init__(scenario, computer.within + [
            'node', '--input-type=module', '-e', NODE, MODULES, computer.address, PORT, entry, scenario.torrent.hash, announced],
            'npm-' + computer.address)

    def said(self, word):
        lines = self.log.read_text().split('\n')[:-1]  # the last is not yet whole
        return [line.split()[1:] for line in lines if line.split()[:1] == [word]]

    def knows(self):
        """Everybody in its routing table."""
        return set((self.said('knows') or [[]])[-1])

    def heard(self):
        """{(a peer, the node that named it)}"""
        return {(peer, source) for peer, source in self.said('peer')}

    def told(self):
        """How many nodes have taken its last announcement."""
        return int((self.said('told') or [[0]])[-1][0])


@needs_root()
@needs('node', 'ip', 'nsenter')
@unittest.skipIf(MISSING, 'npm has not installed bittorrent-dht: RQFS_NODE_MODULES names no directory that has it')
class AmongNpm(Found):
    def setUp(self):
        super().setUp()
        internet = Internet(self)
        self.ours, self.third = internet.computer(), internet.computer()
        self.theirs = [internet.computer() for _ in range(COUNT)]
        self.entry = self.theirs[0].endpoint(PORT)
        self.ways = {'dht': True, 'more': f'  dht_routers: ["{self.entry}"]\n'}

    def npm(self, announced=''):
        """Nodes who all know each other; the last may announce a port of its computer."""
        nodes = [Node(self, self.theirs[0])]
        nodes += [Node(self, computer, self.entry) for computer in self.theirs[1:-1]]
        nodes += [Node(self, self.theirs[-1], self.entry, announced)]
        self.endpoints = {node.endpoint for node in nodes}
        self.wait_known(nodes, self.endpoints)
        return nodes

    def wait_known(self, nodes, endpoints):
        wait_for(lambda: all(node.knows() >= endpoints - {node.endpoint} for node in nodes), 60,
                 lambda: f'they know {endpoints}: {[(node.endpoint, node.knows(), node.tail()) for node in nodes]}')

    def test_each_is_in_the_others_routing_table_and_answers(self):
        nodes = self.npm(announced=6881)
        daemon, us, peer = self.daemon(self.ours, **self.ways), self.ours.endpoint(), self.theirs[-1].endpoint()

        # All but the entry: a router is asked and not kept. Only who has answered us is good.
        wait_for(lambda: daemon.ctl('dht')['nodes'][0]['good'] == COUNT - 1, 60, lambda: f'all are good: {daemon.ctl("dht")}')
        self.wait_known(nodes, self.endpoints | {us})
        # We gave tokens, took an announcement, and name who was announced.
        wait_for(lambda: all((peer, us) in node.heard() for node in nodes), 60,
                 lambda: f'we name {peer}: {[(node.endpoint, node.heard()) for node in nodes]} {daemon.ctl("dht")}')

    def test_who_is_announced_by_npm_is_found_and_plays(self):
        self.quiet_seed(self.theirs[-1])
        announcer = self.npm(announced=6881)[-1]
        wait_for(lambda: announcer.told() == COUNT - 1, 60, announcer.tail)
        daemon = self.daemon(self.ours, **self.ways)

        path = daemon.add(self.bare)

        self.assert_plays(daemon, path, 'dht')
        self.assert_mount_equals(path, self.torrent)

    def test_npm_finds_us(self):
        nodes = self.npm()
        daemon = self.complete(self.ours, self.third, **self.ways).start()

        newcomer = Node(self, self.third, self.entry)
        named = wait_for(lambda: {peer for peer, source in newcomer.heard() if source in self.endpoints}, 60,
                         lambda: f'it hears of us: {newcomer.heard()} {[node.tail() for node in nodes]} {daemon.ctl("dht")}')

        self.assertEqual(named, {self.ours.endpoint()})
        leech = self.session(self.third).leech_magnet(self.bare, self.directory / 'got').connect(*named)
        leech.wait_complete()
        self.assertEqual(lab.sha256(self.directory / 'got' / self.torrent.name), lab.sha256(self.torrent.content))


if __name__ == '__main__':
    lab.main()
