#!/usr/bin/python3
"""The streaming benchmark's arithmetic, on made-up scenes and results; nothing is measured here."""
import contextlib
import io
import math
import pathlib
import sys
import tempfile
import unittest
import xml.dom.minidom

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / 'netlab')]
import bench_lab as lab  # noqa: E402
import streaming_bound as bound  # noqa: E402
import streaming_report as report  # noqa: E402
import topology as topologies  # noqa: E402

MIB = 1 << 20
PLAYER = {'bitrate': 1048576.0, 'tail': 262144, 'buffer': 1.0, 'seeks': [0.5, 0.9]}
SCENE = '''# A made-up evening.
film piece_kib=512
tracker 1 delay_ms=20
client 2 delay_ms=5 down_kbit=100000
s1 11 delay_ms=15 up_kbit=8000
s2 12 delay_ms=45 up_kbit=4000  # a comment
s3 13 delay_ms=5 up_kbit=9000
s4 14 delay_ms=5 up_kbit=9000
s5 15 delay_ms=5 up_kbit=2000
seed s3 --corrupt 20
silent s4
join s5 10
leave s1 20
link s2 30 up_kbit=1000
must first_byte=1 start=2 seek=1.5
'''
WITHOUT_TARGETS = SCENE.rpartition('must')[0]


def topology(text=SCENE):
    with tempfile.NamedTemporaryFile('w', suffix='-scene') as file:
        file.write(text)
        file.flush()
        return topologies.read(file.name)


def run(**changed):
    return {'complete': True, 'first_byte': 1.0, 'start': 2.0, 'seeks': [0.5, 1.5], 'stalls': 0, 'stalled': 0.0, 'fetched': 30e6,
            'needed': 20e6, 'why': '', 'bounds': {'first_byte': 0.5, 'start': 1.0, 'seeks': [0.5, 1.0]}, **changed}


class Topology(unittest.TestCase):
    def test_a_scene_s_lines_are_read(self):
        made = topology()

        self.assertEqual(made.title, 'A made-up evening.')
        self.assertEqual(made.piece_bytes, 512 * 1024)
        self.assertEqual(made.links['s2'], {'delay_ms': 45, 'up_kbit': 4000})
        self.assertEqual((made.liars(), made.silent), ({'s3'}, {'s4'}))
        self.assertEqual([(e.kind, e.host, e.seconds) for e in made.events], [('join', 's5', 10), ('leave', 's1', 20), ('link', 's2', 30)])
        self.assertEqual(made.must['seek'], 1.5)

    def test_a_line_that_means_nothing_is_an_error(self):
        for line in ('bogus s1 4', 'silent s99', 'leave s99 4'):
            with self.assertRaises(ValueError, msg=line):
                topology(SCENE + line + '\n')

    def test_every_scene_of_the_repository_has_capacity_a_tracker_and_a_client(self):
        for path in (HERE / 'netlab' / 'scenes').iterdir():
            made = topologies.read(path)
            with self.subTest(path.name):
                self.assertGreaterEqual(bound.capacity(made), bound.STALL_FREE_RATIO * PLAYER['bitrate'])
                self.assertLessEqual({'tracker', 'client'}, set(made.numbers))
                self.assertTrue(made.title)


class Bound(unittest.TestCase):
    def test_a_step_needs_whole_pieces_each_once(self):
        self.assertEqual(bound.pieces_of([(0, 1), (99, 201), (150, 160), (7, 7)], 100), {0, 1, 2})
        self.assertEqual(bound.bytes_of({0, 2}, 100, 250), 150)

        need = bound.needs(PLAYER, MIB, 10 * MIB + 1000)

        self.assertEqual(need, {'first_byte': MIB, 'start': MIB + MIB + 1000, 'seeks': [2 * MIB, MIB + 1000]})

    def test_every_source_gives_its_rate_after_its_round_trips(self):
        self.assertAlmostEqual(bound.least_seconds(1000, [(0.1, 1000)], 1e9), 1.1)
        self.assertAlmostEqual(bound.least_seconds(1000, [(0.5, 3000), (0.1, 1000)], 1e9), 0.65)
        self.assertAlmostEqual(bound.least_seconds(100, [(0.5, 3000), (0.1, 1000)], 1e9), 0.2)
        self.assertAlmostEqual(bound.least_seconds(1000, [(0.1, 1e6)], 500), 2.1)
        self.assertEqual(bound.least_seconds(1, [], 1e9), math.inf)

    def test_only_honest_seeds_that_are_there_count(self):
        self.assertEqual([bound.present(topology(), t)[0] for t in (0, 14, 15, 20)], [['s1', 's2'], ['s1', 's2'], ['s1', 's2', 's5'], ['s2', 's5']])
        self.assertAlmostEqual(bound.capacity(topology(), 0), 12000 * 125 * bound.PAYLOAD)
        self.assertAlmostEqual(bound.capacity(topology()), 3000 * 125 * bound.PAYLOAD)

    def test_a_start_waits_for_tracker_and_handshakes_and_a_seek_for_the_request_alone(self):
        made, rate = topology(), 8000 * 125 * bound.PAYLOAD

        self.assertAlmostEqual(bound.start_bound(made, 1), 2 * 0.05 + 4 * 0.04 + 1 / rate)
        self.assertAlmostEqual(bound.seek_bound(made, 1, 0), 0.04 + 1 / rate)

    def test_losses_hold_tcp_down(self):
        made = topology('client 2 delay_ms=10\ns1 11 delay_ms=40 up_kbit=100000 loss=0.01\n')

        self.assertAlmostEqual(bound.capacity(made), 1.22 * 1448 / (0.1 * 0.1))


class Report(unittest.TestCase):
    RESULTS = {'home': {'rqfs': [run(start=4.0), run(), run(start=1.0)], 'btfs': [run(complete=False, seeks=[], stalls=3)]},
               'other': {'rqfs': [run()]}}

    def test_the_table_has_medians_the_bound_and_the_waste(self):
        made = report.rows(self.RESULTS)

        self.assertEqual([row[:2] for row in made], [['home', 'bound'], ['', 'rqfs'], ['', 'btfs'], ['other', 'bound'], ['', 'rqfs']])
        self.assertEqual(made[0][2:5], ['0.50', '1.00', '1.00'])
        self.assertEqual(made[1][2:], ['1.00', '2.00', '1.50', '0', '0.0', '30', '20', '50 %'])
        self.assertEqual(made[2][4], 'never')
        self.assertEqual({len(row) for row in made}, {len(report.HEAD)})

    def test_markdown_has_a_line_for_each_row(self):
        lines = report.markdown(self.RESULTS).splitlines()

        self.assertEqual(len(lines), 2 + 5)
        self.assertEqual({line.count('|') for line in lines}, {len(report.HEAD) + 1})

    def test_a_scene_with_targets_is_held_to_them_and_another_to_the_bound(self):
        made = report.held(self.RESULTS, {'home': topology(), 'other': topology(WITHOUT_TARGETS)}, 100.0)

        self.assertEqual([(what, good) for what, _, _, good in made], [
            ('home: first byte', True), ('home: start', True), ('home: seek', True), ('home: most stalls of a run', True),
            ('other: start / bound', True), ('other: seek / bound', True), ('other: most stalls of a run', True)])

    def test_what_is_missed_is_said(self):
        slow = {'home': {'rqfs': [run(start=2.1), run(start=2.1, stalls=1)]}, 'other': {'rqfs': [run(start=2.1, seeks=[1.1, 0.1])]}}
        broken = {'other': {'rqfs': [run(complete=False, seeks=[])]}}
        other = topology(WITHOUT_TARGETS)

        missed = [what for what, _, _, good in report.held(slow, {'home': topology(), 'other': other}, 100.0) if not good]

        self.assertEqual(missed, ['home: start', 'home: most stalls of a run', 'other: start / bound', 'other: seek / bound'])
        self.assertEqual([good for *_, good in report.held(broken, {'other': other}, 100.0)], [True, False, False])

    def test_stalls_are_no_fault_where_the_links_are_too_slow(self):
        other = topology(WITHOUT_TARGETS)

        made = report.held({'other': {'rqfs': [run(stalls=4)]}}, {'other': other}, 1e7)

        self.assertEqual([what for what, *_ in made], ['other: start / bound', 'other: seek / bound'])

    def test_the_plot_is_a_document_with_a_bar_for_each_figure(self):
        made = xml.dom.minidom.parseString(report.plot(self.RESULTS, 'a <title>'))

        bars = [rect for rect in made.getElementsByTagName('rect') if rect.getAttribute('height') == str(report.BAR - 2)]
        self.assertEqual(len(bars), len(report.PANELS) * 3)
        self.assertTrue(all(0 <= float(bar.getAttribute('width')) <= report.WIDTH for bar in bars))

    def test_a_scale_is_a_round_figure_above_nearly_all(self):
        self.assertEqual([report.full_scale(v) for v in ([0.9], [3.0, 1.0], [12], [math.inf], [])], [1, 5, 20, 1, 1])

    def test_tables_print(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            lab.table(report.HEAD, report.rows(self.RESULTS))
            report.held_table([('a', '1', 'at most 2', True), ('b', '3', '0', False)])

        self.assertIn('MISSED', out.getvalue())


if __name__ == '__main__':
    unittest.main()
