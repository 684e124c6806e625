"""A house whose router does what it is asked to by NAT-PMP and UPnP: real miniupnpd, in namespaces.

Outside is this namespace, 41.0.0.1. The router has 41.0.0.2 there and 192.168.9.1 inside, where the daemon's home is 192.168.9.2. All have
IPv6 addresses of the internet, too, and the router's firewall lets in nobody whom home did not speak to.
"""
import ipaddress
import os
import re
import subprocess

from lab import Process, Scenario, end_with_us, wait_for

OUTSIDE, ROUTER, PORT = '41.0.0.1', '41.0.0.2', 6881
OUTSIDE6, HOME6 = '2610:0:1::1', '2610:0:2::2'

RULES = '''
table inet miniupnpd {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        jump blocked
        iifname "inside" accept
        jump miniupnpd
    }
    chain blocked { }
    chain miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "wan" masquerade; }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
'''

CONFIGURATION = '''
ext_ifname=wan
listening_ip=inside
http_port=5000
enable_natpmp={natpmp}
enable_upnp={upnp}
secure_mode=yes
# or NAT-PMP's epoch is the machine's, which goes on when miniupnpd begins anew
system_uptime=no
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
uuid=00000000-0000-0000-0000-000000000001
allow 1024-65535 192.168.9.0/24 1024-65535
ipv6_disable={ipv6_disable}
deny 0-65535 0.0.0.0/0 0-65535
'''


class Place:
    """A network namespace that lives as long as its process."""

    def __init__(self, scenario):
        self.holder = subprocess.Popen(['unshare', '--net', 'sleep', 'infinity'], preexec_fn=end_with_us)
        scenario.addCleanup(self.end)
        self.pid, ours = str(self.holder.pid), os.stat('/proc/self/ns/net').st_ino
        wait_for(lambda: os.stat(f'/proc/{self.pid}/ns/net').st_ino != ours, 5, 'a namespace')
        self.within = ['nsenter', f'--net=/proc/{self.pid}/ns/net']
        self.run('ip', 'link', 'set', 'lo', 'up')

    def run(self, *words, **more):
        return subprocess.run(self.within + list(words), check=True, capture_output=True, text=True, **more).stdout

    def address(self, link, address):
        self.run('ip', 'addr', 'add', address, 'dev', link)
        self.run('ip', 'link', 'set', link, 'up')

    def end(self):
        self.holder.kill()
        self.holder.wait()


class RoutedHome(Scenario):
    def setUp(self):
        super().setUp()
        subprocess.run(['ip', 'link', 'del', 'outside'], capture_output=True)
        self.router, self.home = Place(self), Place(self)
        subprocess.run(['ip', 'link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'wan', 'netns', self.router.pid], check=True)
        self.addCleanup(subprocess.run, ['ip', 'link', 'del', 'outside'], capture_output=True)
        subprocess.run(['ip', 'addr', 'add', OUTSIDE + '/24', 'dev', 'outside'], check=True)
        subprocess.run(['ip', 'link', 'set', 'outside', 'up'], check=True)
        self.router.run('ip', 'link', 'add', 'inside', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.home.pid)
        self.router.address('wan', ROUTER + '/24')
        self.router.address('inside', '192.168.9.1/24')
        self.home.address('eth0', '192.168.9.2/24')
        self.home.run('ip', 'route', 'add', 'default', 'via', '192.168.9.1')
        self.router.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding')
        subprocess.run(['ip', 'addr', 'add', OUTSIDE6 + '/64', 'dev', 'outside', 'nodad'], check=True)
        subprocess.run(['ip', 'route', 'add', '2610:0:2::/64', 'via', '2610:0:1::2'], check=True)
        for place, link, addresses in ((self.router, 'wan', ['2610:0:1::2/64']), (self.router, 'inside', ['2610:0:2::1/64', 'fe80::1/64']),
                                       (self.home, 'eth0', [HOME6 + '/64'])):
            for address in addresses:
                place.run('ip', 'addr', 'add', address, 'dev', link, 'nodad')
        self.home.run('ip', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'eth0')
        self.router.run('nft', '-f', '-', input=RULES)

    def forwarding(self, natpmp=True, upnp=True, ipv6=False):
        """The router does what it is asked to."""
        file = self.directory / 'miniupnpd.conf'
        file.write_text(CONFIGURATION.format(natpmp='yes' if natpmp else 'no', upnp='yes' if upnp else 'no', ipv6_disable='no' if ipv6 else 'yes'))
        return Process(self, self.router.within + ['miniupnpd', '-d', '-f', file, '-P', self.directory / 'miniupnpd.pid'], 'miniupnpd')

    def forwarded(self, to=PORT):
        """The external ports that lead to this one at home, as the router's kernel has it."""
        rules = self.router.run('nft', 'list', 'chain', 'inet', 'miniupnpd', 'prerouting_miniupnpd')
        return sorted(int(port) for port in re.findall(rf'dport (\d+).* dnat ip to 192\.168\.9\.2:{to}\b', rules))

    def opened(self, port=PORT):
        """The protocols by which home's port is reached through the router's IPv6 firewall; nft shows the rules as bytes of the header."""
        rules = self.router.run('nft', 'list', 'chain', 'inet', 'miniupnpd', 'miniupnpd')
        home = ipaddress.IPv6Address(HOME6).packed.hex()
        found = re.findall(rf'th dport {port} @nh,192,128 0x{home} @nh,48,8 0x(6|11) accept', rules)
        return sorted({'6': 'tcp', '11': 'udp'}[number] for number in found)

    def mapping(self, daemon):
        return daemon.ctl('status')['port_mapping']

    def wait_mapping(self, daemon, state, seconds=60):
        return wait_for(lambda: (lambda m: m if m['state'] == state else None)(self.mapping(daemon)), seconds,
                        lambda: f'{state}: {self.mapping(daemon)} {daemon.tail()}')
