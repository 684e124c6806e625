"""A host with two ways to the internet, and the names that are asked for there."""
import re
import socket
import subprocess
import threading

from lab import Host

# On our side, reached by either way over either family.
INTERNET, NAMES, INTERNET6, NAMES6 = '203.0.113.1', '203.0.113.53', '2610::1', '2610::53'
TUNNEL6 = '2610:0:0:78::2'
# What the kernel has to say of itself before anybody sends anything: addresses of neighbours, and who listens to which multicast.
OF_THE_KERNEL = ('nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld-listener-done, '
                 'mld2-listener-report')


class NameServer:
    """Says that every name is at INTERNET and INTERNET6; `names` is what it was asked, `by_tcp` how often over TCP. It has no room for the
    whole answer in a datagram where the name begins with "long", and takes its time where it begins with "slow"."""

    SLOW_SECONDS = 2  # asked again meanwhile, so that one answer comes when there has been one

    def __init__(self, scenario):
        self.names, self.by_tcp, self.late = [], 0, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((NAMES, 53))
        self.listener = socket.create_server((NAMES, 53))
        self.threads = [threading.Thread(target=serve) for serve in (self.serve, self.serve_tcp)]
        for thread in self.threads:
            thread.start()
        scenario.addCleanup(self.end)

    def serve(self):
        while True:
            query, sender = self.socket.recvfrom(2048)
            if not query:
                return
            self.names.append(query[13:query.index(b'\0', 12)])
            answer = self.answer(query, self.names[-1].startswith(b'long'))
            if self.names[-1].startswith(b'slow'):
                self.late.append(threading.Timer(self.SLOW_SECONDS, self.socket.sendto, (answer, sender)))
                self.late[-1].start()
            else:
                self.socket.sendto(answer, sender)

    def serve_tcp(self):
        while True:
            connection, (host, _) = self.listener.accept()
            with connection:
                if host == NAMES:
                    return
                connection.settimeout(5)
                while (length := connection.recv(2, socket.MSG_WAITALL)):
                    answer = self.answer(connection.recv(int.from_bytes(length, 'big'), socket.MSG_WAITALL), False)
                    connection.sendall(len(answer).to_bytes(2, 'big') + answer)
                    self.by_tcp += 1

    @staticmethod
    def answer(query, truncated):
        end = query.index(b'\0', 12)
        question, kind, found = query[12:end + 5], query[end + 2], b''
        if kind == 1:
            found = b'\xc0\x0c\0\1\0\1\0\0\0\x05\0\4' + socket.inet_aton(INTERNET)
        elif kind == 28:
            found = b'\xc0\x0c\0\x1c\0\1\0\0\0\x05\0\x10' + socket.inet_pton(socket.AF_INET6, INTERNET6)
        if truncated:
            found = b''
        return query[:2] + (b'\x83' if truncated else b'\x81') + b'\x80\0\1' + (b'\0\1' if found else b'\0\0') + bytes(4) + question + found

    def end(self):
        for timer in self.late:
            timer.cancel()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b'', self.socket.getsockname())
        socket.create_connection((NAMES, 53), 5, (NAMES, 0)).close()
        for thread in self.threads:
            thread.join()
        self.socket.close()
        self.listener.close()


class TwoWays:
    """A host with two ways to the internet: eth0, which it prefers, and tun0. Counts what is sent by each."""

    def __init__(self, scenario):
        self.host = Host(scenario, 2)
        self.within = self.host.within
        # Both end at one bridge: libtorrent hears only on the device that has its address.
        for address in (INTERNET + '/32', NAMES + '/32', '10.78.0.1/24', INTERNET6 + '/128', NAMES6 + '/128', '2610:0:0:77::1/64',
                        '2610:0:0:78::1/64'):
            subprocess.run(['ip', 'addr', 'replace', address, 'dev', 'bridge0'] + ['nodad'] * (address.count(':') > 0), check=True)
        scenario.addCleanup(subprocess.run, ['ip', 'link', 'del', 'tunnel'], capture_output=True)
        self.run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0',
                 'net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2')
        self.run('ip', 'route', 'add', 'default', 'via', '10.77.0.1', 'dev', 'eth0', 'metric', '10')
        self.give_ipv6('eth0', 77, '10')
        self.count()

    def count(self):
        # Everything, also what the kernel answers for sockets that are no more: resets, and ICMP.
        rules = 'add table inet count\nadd chain inet count out { type filter hook output priority 0; }\n'
        rules += 'add set inet count left { type inet_proto . inet_service . inet_service; flags dynamic; }\n'
        rules += f'add rule inet count out icmpv6 type {{ {OF_THE_KERNEL} }} accept\n'
        for device in ('eth0', 'tun0'):
            rules += f'add rule inet count out oifname "{device}" counter comment "{device}"\n'
        for name, what in (('resets', 'tcp flags & rst == rst'), ('icmp', 'meta l4proto { icmp, ipv6-icmp }')):
            rules += f'add rule inet count out oifname "eth0" {what} counter comment "{name}"\n'
        rules += 'add rule inet count out oifname "eth0" meta l4proto { tcp, udp } add @left { meta l4proto . th sport . th dport }\n'
        rules += 'add rule inet count out oifname "tun0" udp dport { 1900, 5351 } counter comment "mapping"\n'
        for name, what in (('dns', 'udp dport 53'), ('dns-tcp', 'tcp dport 53'), ('tcp6', 'meta nfproto ipv6 meta l4proto tcp'),
                           ('udp6', 'meta nfproto ipv6 meta l4proto udp')):
            rules += f'add rule inet count out oifname "tun0" {what} counter comment "{name}"\n'
        subprocess.run(self.within + ['nft', '-f', '-'], input=rules, text=True, check=True)

    def run(self, *words):
        return subprocess.run(self.within + list(words), check=True, capture_output=True, text=True).stdout

    def connect(self, address='10.78.0.2', ipv6=True):
        pid = re.search(r'/proc/(\d+)/', self.within[-1])[1]
        subprocess.run(['ip', 'link', 'add', 'tunnel', 'type', 'veth', 'peer', 'name', 'tun0', 'netns', pid], check=True)
        subprocess.run(['ip', 'link', 'set', 'tunnel', 'master', 'bridge0', 'up'], check=True)
        self.run('ip', 'addr', 'add', address + '/24', 'dev', 'tun0')
        self.run('ip', 'link', 'set', 'tun0', 'up')
        self.run('ip', 'route', 'add', 'default', 'via', '10.78.0.1', 'dev', 'tun0', 'metric', '20')
        if ipv6:
            self.give_ipv6('tun0', 78, '20')

    def give_ipv6(self, device, network, metric):
        self.run('ip', 'addr', 'add', f'2610:0:0:{network}::2/64', 'dev', device, 'nodad')
        self.run('ip', 'route', 'add', 'default', 'via', f'2610:0:0:{network}::1', 'dev', device, 'metric', metric)

    def queue(self, rate='20mbit', latency='300ms'):
        """What comes by the tunnel waits in a queue: so much is always on its way."""
        subprocess.run(['tc', 'qdisc', 'add', 'dev', 'tunnel', 'root', 'tbf', 'rate', rate, 'burst', '32k', 'latency', latency], check=True)

    def disconnect(self):
        subprocess.run(['ip', 'link', 'del', 'tunnel'], check=True)

    def sent(self, name):
        """Packets, by one of the devices or of a kind."""
        return int(re.search(r'packets (\d+) .* comment "' + name + '"', self.seen())[1])

    def seen(self):
        return self.run('nft', 'list', 'table', 'inet', 'count')
