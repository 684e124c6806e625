#!/usr/bin/python3
"""The player of player.py on libtorrent's own streaming: set_piece_deadline for what is read and the film's next seconds.

  deadlines.py TORRENT --save DIR [--listen ADDRESS:PORT] [the player's options]

The session is up before the clock starts; then the torrent is added with nothing stored. A read sets a deadline on each piece
of [its place, + --ahead seconds of film): at once for what is read itself, and for the others when the picture will be
there; a read elsewhere clears all deadlines first. The film's index (the last piece) has its deadline from the beginning.
Everything else is fetched behind that, as libtorrent does by itself.
"""
import os
import sys
import time

import libtorrent as lt

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import player  # noqa: E402


class Torrent:
    """What the player reads from."""

    def __init__(self, session, options):
        self.session, self.options, self.have, self.asked, self.next = session, options, set(), set(), 0
        made = lt.add_torrent_params()
        made.ti, made.save_path = lt.torrent_info(options.torrent), options.save
        made.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
        self.pieces, self.piece_bytes, self.size = made.ti.num_pieces(), made.ti.piece_length(), made.ti.files().file_size(0)
        self.handle = session.add_torrent(made)
        self.ask(self.pieces - 1, 2000)

    def ask(self, piece, milliseconds):
        if piece not in self.asked and piece not in self.have:
            self.asked.add(piece)
            self.handle.set_piece_deadline(piece, int(milliseconds))

    def read(self, offset, length):
        if offset != self.next:
            self.handle.clear_piece_deadlines()
            self.asked.clear()
        self.next = offset + length
        first, last = offset // self.piece_bytes, (offset + length - 1) // self.piece_bytes
        until = min(self.pieces - 1, int((offset + self.options.ahead * self.options.bitrate) // self.piece_bytes))
        for piece in range(first, max(last, until) + 1):
            self.ask(piece, 0 if piece <= last else 1000 * (piece * self.piece_bytes - offset) / self.options.bitrate)
        while not self.have.issuperset(range(first, last + 1)):
            self.session.wait_for_alert(200)
            for alert in self.session.pop_alerts():
                if isinstance(alert, lt.piece_finished_alert):
                    self.have.add(alert.piece_index)
        return length


def main():
    options = player.options('torrent', '--save', '--listen')
    session = lt.session({
        'listen_interfaces': options.listen or '0.0.0.0:6881', 'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False,
        'enable_natpmp': False, 'ssrf_mitigation': False,
        'alert_mask': lt.alert.category_t.piece_progress_notification})
    time.sleep(0.3)  # it listens
    player.Viewer(options).run(lambda: Torrent(session, options))


if __name__ == '__main__':
    main()
