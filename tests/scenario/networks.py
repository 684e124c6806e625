"""Networks that scenarios meet in: computers are network namespaces, local networks are bridges, houses have a router that masquerades."""
import contextlib
import ipaddress
import json
import os
import subprocess

import lab

# Nobody's here, but not private: strangers may tell of these.
PUBLIC4, PUBLIC6 = '11.0.{}.0/24', '2610:0:{:x}::/64'
PRIVATE4, PRIVATE6 = '192.168.{}.0/24', 'fd77:{:x}::/64'


class Computer:
    """A network namespace that lives as long as its process. `within` before a command runs it there, in our own mount namespace."""

    def __init__(self, scenario, router=False):
        self.address = None  # the one others dial, without a port
        self.holder = subprocess.Popen(['unshare', '--net', 'sleep', 'infinity'], preexec_fn=lab.end_with_us)
        scenario.addCleanup(self.end)
        ours, pid = os.stat('/proc/self/ns/net').st_ino, self.holder.pid
        lab.wait_for(lambda: os.stat(f'/proc/{pid}/ns/net').st_ino != ours, 5, 'a namespace')
        self.namespace = f'/proc/{pid}/ns/net'
        self.within = ['nsenter', '--net=' + self.namespace]
        switches = ['ipv6/conf/all/accept_dad=0', 'ipv6/conf/default/accept_dad=0']  # an address is good at once
        if router:
            switches += ['ipv4/ip_forward=1', 'ipv6/conf/all/forwarding=1']
        self.run('sh', '-c', ''.join(f'echo {s.split("=")[1]} >/proc/sys/net/{s.split("=")[0]};' for s in switches) + 'ip link set lo up')

    def run(self, *words, **more):
        return subprocess.run(self.within + list(words), check=True, **more)

    @contextlib.contextmanager
    def inside(self):
        """Sockets opened and threads begun meanwhile stay there, as those of libtorrent."""
        with open('/proc/self/ns/net') as here, open(self.namespace) as there:
            enter(there)
            try:
                yield
            finally:
                enter(here)

    def take(self, *addresses, interface='eth0'):
        for address in addresses:
            self.run('ip', 'addr', 'add', address, 'dev', interface, *['nodad'] * (':' in address))

    def forget_ipv6(self):
        self.run('sh', '-c', 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 >$f; done')

    def endpoint(self, port=6881):
        return f'[{self.address}]:{port}' if ':' in self.address else f'{self.address}:{port}'

    def listen(self, port=6881):
        """What a daemon there listens at: all addresses of its family."""
        return f'[::]:{port}' if ':' in self.address else f'0.0.0.0:{port}'

    def received_bytes(self, interface='eth0'):
        shown = self.run('ip', '-json', '-stats', 'link', 'show', interface, capture_output=True, text=True).stdout
        return json.loads(shown)[0]['stats64']['rx']['bytes']

    def end(self):
        self.holder.kill()
        self.holder.wait()


def enter(namespace):
    if lab.LIBC.setns(namespace.fileno(), lab.CLONE_NEWNET) != 0:
        raise OSError(lab.ctypes.get_errno(), 'setns')


class Lan:
    """A switch that computers of one address family are plugged into; nothing is reached beyond it but through a gateway."""

    def __init__(self, scenario, network, switch=None, gateway=None):
        self.scenario, self.switch, self.ports = scenario, switch or Computer(scenario), 0
        self.network, self.gateway = ipaddress.ip_network(network), gateway
        self.v6 = self.network.version == 6
        self.switch.run('ip', 'link', 'add', 'lan', 'type', 'bridge')
        self.switch.run('ip', 'link', 'set', 'lan', 'up')

    def host(self, number):
        return str(self.network.network_address + number)

    def computer(self, number, *more):
        """One that has the address of this number, and of `more`."""
        computer, self.ports = Computer(self.scenario), self.ports + 1
        port = f'port{self.ports}'
        computer.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', port, 'netns', str(self.switch.holder.pid))
        self.switch.run('ip', 'link', 'set', port, 'master', 'lan', 'up')
        if not self.v6:
            computer.forget_ipv6()
        computer.run('ip', 'link', 'set', 'eth0', 'up')
        computer.take(*(f'{self.host(n)}/{self.network.prefixlen}' for n in (number, *more)))
        # As most have it; without, nothing is multicast by programs that ask the routes where to.
        computer.run('ip', 'route', 'add', 'default', *(['via', self.gateway] if self.gateway else ['dev', 'eth0']))
        computer.address = self.host(number)
        return computer


class Internet:
    """A router between networks of one computer each: nobody there is anybody's neighbour. `v6` alone or IPv4 alone."""

    def __init__(self, scenario, v6=False):
        self.scenario, self.v6, self.links = scenario, v6, 0
        self.router = Computer(scenario, router=True)

    def connect(self, computer, interface='eth0'):
        """Gives it an address and the way to all others."""
        self.links += 1
        network, port = ipaddress.ip_network((PUBLIC6 if self.v6 else PUBLIC4).format(self.links)), f'port{self.links}'
        ours, theirs = network.network_address + 1, network.network_address + 2
        computer.run('ip', 'link', 'add', interface, 'type', 'veth', 'peer', 'name', port, 'netns', str(self.router.holder.pid))
        self.router.take(f'{ours}/{network.prefixlen}', interface=port)
        self.router.run('ip', 'link', 'set', port, 'up')
        if not self.v6:
            computer.forget_ipv6()
        computer.run('ip', 'link', 'set', interface, 'up')
        computer.take(f'{theirs}/{network.prefixlen}', interface=interface)
        computer.run('ip', 'route', 'add', 'default', 'via', str(ours))
        computer.address = str(theirs)
        return computer

    def computer(self):
        return self.connect(Computer(self.scenario))


class House:
    """A local network, 192.168.x.0/24, whose router has one address on the internet and lets in what was asked for from inside."""

    RULES = '''
        table ip nat {
            chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
            chain in { type nat hook prerouting priority dstnat; }
        }
        table ip guard {
            chain through {
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                iifname "lan" accept
                ct status dnat accept
            }
        }'''

    def __init__(self, scenario, internet, number=1):
        self.router = internet.connect(Computer(scenario, router=True))
        self.address = self.router.address  # what the internet sees of everybody inside
        self.lan = Lan(scenario, PRIVATE4.format(number), self.router, f'192.168.{number}.1')
        self.router.take(self.lan.gateway + '/24', interface='lan')
        self.router.run('nft', '-f', '-', input=self.RULES, text=True)

    def computer(self, number):
        return self.lan.computer(number)

    def map(self, computer, port=6881):
        """A static mapping of the router's port to the same one of a computer."""
        for protocol in ('tcp', 'udp'):
            self.router.run('nft', 'add', 'rule', 'ip', 'nat', 'in', 'iifname', 'eth0', protocol, 'dport', str(port), 'dnat', 'to',
                            f'{computer.address}:{port}')

    def endpoint(self, port=6881):
        return f'{self.address}:{port}'

    def downloaded_bytes(self):
        """What has come from the internet, with its headers."""
        return self.router.received_bytes()
