"""A scene's file: the hosts and links that netlab reads, and the lines that it leaves to others, whose second word is no number:

  film piece_kib=1024                          how the torrent is made (default 1024)
  seed HOST OPTION...                          more options for its seed.py: `--corrupt 30` makes a liar, `--up 40` a slow uploader
  silent HOST                                  silent.py instead of seed.py: has everything, unchokes, sends nothing
  leave HOST SECONDS / join HOST SECONDS       its seed ends / starts so long after the client's start; who joins first is not there before
  link HOST SECONDS up_kbit=1 ...              its link's new figures from then on
  must first_byte=0.9 start=1.8 seek=1.0       what the streaming benchmark holds rqfs to, in seconds, instead of twice the bound
"""
import dataclasses
import pathlib
import re


@dataclasses.dataclass
class Event:
    seconds: float
    kind: str  # leave, join or link
    host: str
    words: list


@dataclasses.dataclass
class Topology:
    name: str
    title: str  # the first comment
    numbers: dict  # host: number
    links: dict  # host: {figure: value}
    seed_options: dict  # host: [word]
    silent: set
    events: list  # in time's order
    must: dict
    piece_bytes: int = 1 << 20

    def seeds(self):
        return [host for host in self.numbers if re.fullmatch(r's\d+', host)]

    def liars(self):
        return {host for host, words in self.seed_options.items() if '--corrupt' in words}

    def address(self, host):
        return f'10.99.{self.numbers[host] // 250}.{self.numbers[host] % 250 + 1}'

    def joins_late(self, host):
        return next((event.kind == 'join' for event in self.events if event.host == host and event.kind != 'link'), False)

    def text(self, links):
        """For netlab, with these links."""
        return ''.join(f'{host} {number} ' + ' '.join(f'{k}={v:g}' for k, v in links[host].items()) + '\n'
                       for host, number in self.numbers.items())


def figures(words):
    return {key: float(value) for key, value in (word.split('=', 1) for word in words)}


def read(path):
    path = pathlib.Path(path)
    text = path.read_text()
    title = next((line[1:].strip() for line in text.splitlines() if line.startswith('#')), '')
    made = Topology(path.name, title, {}, {}, {}, set(), [], {})
    for line in text.splitlines():
        words = line.partition('#')[0].split()
        if len(words) < 2:
            continue
        first, second, more = words[0], words[1], words[2:]
        if second.isdigit():
            made.numbers[first], made.links[first] = int(second), figures(more)
        elif first == 'film':
            made.piece_bytes = int(figures(words[1:])['piece_kib'] * 1024)
        elif first == 'seed':
            made.seed_options[second] = more
        elif first == 'silent':
            made.silent.add(second)
        elif first == 'must':
            made.must = figures(words[1:])
        elif first in ('leave', 'join', 'link'):
            made.events.append(Event(float(more[0]), first, second, more[1:]))
        else:
            raise ValueError(f'{path}: what is "{line.strip()}"?')
    made.events.sort(key=lambda event: event.seconds)
    named = [*(event.host for event in made.events), *made.seed_options, *made.silent]
    unknown = [host for host in named if host not in made.numbers]
    if unknown:
        raise ValueError(f'{path}: there is no host {unknown[0]}')
    return made
