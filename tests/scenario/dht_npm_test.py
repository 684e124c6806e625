"""Nodes of another implementation, npm's bittorrent-dht, find us and are found."""
import os
import unittest

import dht_test
import lab
from lab import Process, Session, needs, wait_for

# Nodes of npm's bittorrent-dht, all of whom know the first; one announces a peer, one looks for peers.
NODES = '''
const [modules, count, hash, announced] = process.argv.slice(1)
const { default: DHT } = await import(modules + '/bittorrent-dht/index.js')
const nodes = []
for (let i = 0; i < count; ++i) {
    const node = new DHT({ bootstrap: i === 0 ? false : ['127.0.0.1:' + nodes[0].address().port] })
    await new Promise(done => node.listen(0, '127.0.0.1', done))
    nodes.push(node)
}
console.log('router 127.0.0.1:' + nodes[0].address().port)
nodes[1].on('peer', peer => console.log('peer ' + peer.host + ':' + peer.port))
setInterval(() => announced === '0' ? nodes[1].lookup(hash) : nodes[2].announce(hash, Number(announced)), 1000)
'''


@unittest.skipUnless('RQFS_NODE_MODULES' in os.environ, 'npm has not installed bittorrent-dht: RQFS_NODE_MODULES names no directory that has it')
@needs('node')
class AmongNpm(dht_test.Dht):
    def nodes(self, torrent, announced=0):
        modules = os.environ['RQFS_NODE_MODULES']
        words = ['node', '--input-type=module', '-e', NODES, modules, '5', torrent.hash, str(announced)]
        self.npm = Process(self, words, 'npm')
        self.router = wait_for(lambda: self.said('router'), 10, self.npm.tail)

    def said(self, word):
        return next((line.split()[1] for line in self.npm.log.read_text().splitlines() if line.startswith(word + ' ')), None)

    def test_who_is_announced_by_npm_is_found(self):
        torrent = self.film()
        seed = Session(self).seed(torrent)
        self.nodes(torrent, announced=seed.session.listen_port())

        path = self.daemon().add(torrent.magnet(), '--wait')

        self.assert_mount_equals(path, torrent)

    def test_npm_finds_us(self):
        torrent = self.film()
        self.nodes(torrent)

        daemon = self.complete(torrent)

        self.assertEqual(wait_for(lambda: self.said('peer'), 30, self.npm.tail), daemon.endpoint())


if __name__ == '__main__':
    lab.main()
