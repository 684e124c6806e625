"""What a scene's links allow: the least time in which anybody can start or seek, in whole pieces.

Nothing can be given to a reader before all of its piece has come and its hash is right, so a step of the player needs whole pieces:

  first byte   the piece of the film's first 64 KiB
  start        that, the pieces of the index at the end, and those of the first `buffer` seconds of film
  seek         the pieces of `buffer` seconds of film from the new place

reads being of 128 KiB each. A seed gives up_kbit x 0.964: of each packet of 1500 bytes 1448 are payload, of each block's 16397 bytes
13 are its header. With losses TCP gets no more than 1.22 x 1448 / (round trip x sqrt(loss)) from it (Mathis et al. 1997), loss
being that of both links on the way. Nothing comes before the round trips that have to be waited for, one after the other:

  start        two with the tracker (TCP, the announce), four with the seed (TCP, the handshake, interested and unchoke, the request)
  seek         one with the seed (the request)

so after t seconds there can be the sum over all seeds of rate x (t - its round trips), where positive, and never more than the
client's own link gives. The bound is the t at which that is what the step needs. Silent peers give nothing; liars are not counted
either, though their right pieces may put a run ahead of the bound; of seeds that come and go, those count that are there when the
step begins, and one that comes is there from when it has made itself known: a libtorrent seed announces itself and dials those that
the tracker names 4.5 s after its process has started (seen each time), and nobody can know of it before. Nothing is allowed for finding out which seed is fast, for TCP's slow start, for queues in the links, or for what was
asked for before a seek.
"""
import math

CHUNK = 128 * 1024  # player.py's
PAYLOAD = 1448 / 1500 * 16384 / 16397
MATHIS_BYTES = 1.22 * 1448
TRACKER_TRIPS, CONNECT_TRIPS, SEEK_TRIPS = 2, 4, 1
JOINING = 4.5  # seconds from a seed's start until it has announced itself
UNLIMITED = 1e12  # bytes a second, of a link without a rate
STALL_FREE_RATIO = 1.4  # capacity to bitrate from which there must be no stall


def pieces_of(ranges, piece_bytes):
    return {piece for begin, end in ranges if end > begin for piece in range(begin // piece_bytes, (end - 1) // piece_bytes + 1)}


def bytes_of(pieces, piece_bytes, size):
    return sum(min(piece_bytes, size - piece * piece_bytes) for piece in pieces)


def needs(player, piece_bytes, size):
    """Bytes of whole pieces: {'first_byte', 'start', 'seeks': [...]}."""
    buffered = math.ceil(player['buffer'] * player['bitrate'] / CHUNK) * CHUNK

    def whole(*ranges):
        return bytes_of(pieces_of([(begin, min(end, size)) for begin, end in ranges], piece_bytes), piece_bytes, size)
    return {'first_byte': whole((0, 65536)), 'start': whole((0, max(65536, buffered)), (size - player['tail'], size)),
            'seeks': [whole((int(size * f), int(size * f) + buffered)) for f in player['seeks']]}


def round_trip(topology, host, links):
    return 2 * (links[host].get('delay_ms', 0) + links[topology_client(topology)].get('delay_ms', 0)) / 1000


def topology_client(topology):
    return 'client' if 'client' in topology.numbers else next(iter(topology.numbers))


def rate_of(topology, host, links):
    """Bytes of payload a second."""
    rate = links[host].get('up_kbit', 0) * 125 * PAYLOAD or UNLIMITED
    kept = (1 - links[host].get('loss', 0)) * (1 - links[topology_client(topology)].get('loss', 0))
    return min(rate * kept, MATHIS_BYTES / (round_trip(topology, host, links) * math.sqrt(1 - kept))) if kept < 1 else rate


def known_at(event):
    return event.seconds + (JOINING if event.kind == 'join' else 0)


def present(topology, seconds):
    """Honest seeds at that time after the client's start, and the links then."""
    there = {host for host in topology.seeds() if not topology.joins_late(host)}
    links = dict(topology.links)
    for event in sorted(topology.events, key=known_at):
        if known_at(event) > seconds:
            break
        if event.kind == 'join':
            there.add(event.host)
        elif event.kind == 'leave':
            there.discard(event.host)
        else:
            links[event.host] = {**links[event.host], **{k: float(v) for k, v in (w.split('=') for w in event.words)}}
    return sorted(there - topology.silent - topology.liars()), links


def client_rate(topology, links):
    return links[topology_client(topology)].get('down_kbit', 0) * 125 * PAYLOAD or UNLIMITED


def capacity(topology, seconds=None):
    """Bytes of payload a second; without a time, the least there ever is."""
    if seconds is None:
        return min(capacity(topology, at) for at in [0, *map(known_at, topology.events)])
    hosts, links = present(topology, seconds)
    return min(client_rate(topology, links), sum(rate_of(topology, host, links) for host in hosts))


def least_seconds(size, sources, limit):
    """The t at which sum of rate x (t - wait)+ over `sources` [(wait, rate)], no more than limit x (t - least wait), is `size`."""
    sources = sorted(sources)
    if not sources:
        return math.inf
    got, rate, now = 0.0, 0.0, sources[0][0]
    for k, (wait, more) in enumerate(sources):
        got, now = got + rate * (wait - now), wait
        rate += more
        until = sources[k + 1][0] if k + 1 < len(sources) else math.inf
        if got + rate * (until - now) >= size:
            return max(now + (size - got) / rate, sources[0][0] + size / limit)
    return math.inf


def start_bound(topology, size):
    hosts, links = present(topology, 0)
    tracker = TRACKER_TRIPS * round_trip(topology, 'tracker', links) if 'tracker' in topology.numbers else 0
    sources = [(tracker + CONNECT_TRIPS * round_trip(topology, h, links), rate_of(topology, h, links)) for h in hosts]
    return least_seconds(size, sources, client_rate(topology, links))


def seek_bound(topology, size, seconds):
    hosts, links = present(topology, seconds)
    sources = [(SEEK_TRIPS * round_trip(topology, h, links), rate_of(topology, h, links)) for h in hosts]
    return least_seconds(size, sources, client_rate(topology, links))


def bounds(topology, player, size, seeks_at):
    """Seconds: {'first_byte', 'start', 'seeks': [...]}; `seeks_at` is when each seek began, after the client's start."""
    need = needs(player, topology.piece_bytes, size)
    return {'first_byte': start_bound(topology, need['first_byte']), 'start': start_bound(topology, need['start']),
            'seeks': [seek_bound(topology, each, at) for each, at in zip(need['seeks'], seeks_at)]}
