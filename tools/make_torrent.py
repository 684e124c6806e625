#!/usr/bin/env python3
"""Makes a torrent file of one file, for demonstrations and tests: make_torrent.py FILE TORRENT [TRACKER] [--piece-bytes N].
Prints the info-hash."""
import argparse
import hashlib
import os


def bencode(value):
    if isinstance(value, int):
        return b'i%de' % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b'%d:%s' % (len(value), value)
    if isinstance(value, list):
        return b'l' + b''.join(map(bencode, value)) + b'e'
    return b'd' + b''.join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b'e'


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('file')
    arguments.add_argument('torrent')
    arguments.add_argument('tracker', nargs='?')
    arguments.add_argument('--piece-bytes', type=int, default=1 << 20)
    options = arguments.parse_args()
    pieces = b''
    with open(options.file, 'rb') as film:
        while part := film.read(options.piece_bytes):
            pieces += hashlib.sha1(part).digest()
    info = {'name': os.path.basename(options.file), 'length': os.path.getsize(options.file),
            'piece length': options.piece_bytes, 'pieces': pieces}
    document = {'info': info, 'created by': 'rqfs'}
    if options.tracker:
        document['announce'] = options.tracker
    with open(options.torrent, 'wb') as out:
        out.write(bencode(document))
    print(hashlib.sha1(bencode(info)).hexdigest())


if __name__ == '__main__':
    main()
