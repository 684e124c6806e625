"""The streaming benchmark's results: medians, tables in plain text and Markdown, what rqfs must reach, and a plot."""
import html
import math

import bench_lab as lab
import streaming_bound as bound

NEVER = math.inf  # of what did not come about
MAX_BOUND_RATIO = 2.0
HEAD = ['scene', 'client', 'first byte', 'start', 'worst seek', 'stalls', 'stalled s', 'MB fetched', 'MB needed', 'waste']
COLOURS = {'rqfs': '#2a6fb0', 'btfs': '#c77b30', 'libtorrent': '#7a9a4a'}


def first_byte(run):
    return run.get('first_byte', NEVER)


def start(run):
    return run.get('start', NEVER)


def worst_seek(run):
    """The longest; never when one of them did not end."""
    return max(run['seeks'], default=NEVER) if run['complete'] else NEVER


def worst_seek_ratio(run):
    """Of the seeks to their bounds."""
    return max((took / least for took, least in zip(run['seeks'], run['bounds']['seeks'])), default=NEVER) if run['complete'] else NEVER


def waste(run):
    """Fetched in vain, as a part of what was needed."""
    return run['fetched'] / run['needed'] - 1 if run['needed'] else NEVER


def middle(runs, of):
    return lab.median([of(run) for run in runs])


def bound_row(runs):
    """Medians of what the links allowed in these runs; a seek's is the longest of one run."""
    return {'first_byte': middle(runs, lambda r: r['bounds']['first_byte']), 'start': middle(runs, lambda r: r['bounds']['start']),
            'seek': middle(runs, lambda r: max(r['bounds']['seeks'], default=NEVER))}


def seconds(value):
    return 'never' if value == NEVER else f'{value:.2f}' if value < 10 else f'{value:.0f}'


def percent(value):
    return '-' if value == NEVER else f'{100 * value:.0f} %'


def rows(results):
    """Of all runs, as HEAD says; `results` is {scene: {client: [run]}}."""
    made = []
    for scene, clients in results.items():
        least = bound_row(clients.get('rqfs') or next(iter(clients.values())))
        made.append([scene, 'bound', seconds(least['first_byte']), seconds(least['start']), seconds(least['seek']), '0', '0', '', '', ''])
        for client, runs in clients.items():
            made.append(['', client, seconds(middle(runs, first_byte)), seconds(middle(runs, start)), seconds(middle(runs, worst_seek)),
                         f'{middle(runs, lambda r: r["stalls"]):g}', f'{middle(runs, lambda r: r["stalled"]):.1f}',
                         f'{middle(runs, lambda r: r["fetched"]) / 1e6:.0f}', f'{middle(runs, lambda r: r["needed"]) / 1e6:.0f}',
                         percent(middle(runs, waste))])
    return made


def markdown(results):
    lines = ['| ' + ' | '.join(HEAD) + ' |', '|---|---|' + '---:|' * (len(HEAD) - 2)]
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows(results)]) + '\n'


def held(results, topologies, bitrate):
    """What rqfs must reach: [(what, value, must, whether it does)]."""
    made = []

    def at_most(what, value, limit, unit):
        made.append((what, seconds(value) + unit, f'at most {limit:g}{unit}', value <= limit))
    for scene, clients in results.items():
        runs, must = clients.get('rqfs'), topologies[scene].must
        if not runs:
            continue
        if must:
            for what, of in (('first_byte', first_byte), ('start', start), ('seek', worst_seek)):
                at_most(f'{scene}: {what.replace("_", " ")}', middle(runs, of), must[what], ' s')
        else:
            at_most(f'{scene}: start / bound', middle(runs, lambda r: start(r) / r['bounds']['start']), MAX_BOUND_RATIO, '')
            at_most(f'{scene}: seek / bound', middle(runs, worst_seek_ratio), MAX_BOUND_RATIO, '')
        if must or bound.capacity(topologies[scene]) >= bound.STALL_FREE_RATIO * bitrate:
            most = max(r['stalls'] if r['complete'] else NEVER for r in runs)
            made.append((f'{scene}: most stalls of a run', 'not played' if most == NEVER else f'{most:g}', '0', most == 0))
    return made


def held_table(lines):
    lab.table(['rqfs', 'is', 'must', ''], [[name, value, must, 'ok' if good else 'MISSED'] for name, value, must, good in lines])


# The plot: a panel for each figure, in it a group for each scene, in it a bar for each client.
PANELS = [('start, s', start, 'start'), ('worst seek, s', worst_seek, 'seek'), ('stalled, s', lambda r: r['stalled'], None),
          ('fetched in vain, MB', lambda r: max(0.0, r['fetched'] - r['needed']) / 1e6, None)]
BAR, GAP, LEFT, WIDTH, SPACE, TOP = 13, 14, 90, 200, 58, 54


def text(x, y, words, more=''):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{html.escape(words)}</text>'


def full_scale(values):
    """Just above the largest, so that it is 1, 2 or 5 times a power of ten; a single outlier may run over."""
    ordered = sorted(value for value in values if value != NEVER) or [1.0]
    typical = max(ordered[math.ceil(0.9 * (len(ordered) - 1))], 1e-3)
    power = 10 ** math.floor(math.log10(typical))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= typical)


def panel(results, clients, index, height):
    title, of, bounded = PANELS[index]
    x = LEFT + index * (WIDTH + SPACE)
    scale = WIDTH / full_scale([middle(runs, of) for of_scene in results.values() for runs in of_scene.values()])
    made = [text(x, TOP - 14, title, 'font-weight="bold"'),
            f'<line x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{height - 12}" stroke="#999"/>']
    y = TOP
    for of_scene in results.values():
        for client in clients:
            value = middle(of_scene[client], of) if client in of_scene else None
            if value is not None:
                length = WIDTH if value == NEVER else min(WIDTH, value * scale)
                made.append(f'<rect x="{x}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS.get(client, "#888")}"/>')
                made.append(text(x + length + 4, y + BAR - 4, 'never' if value == NEVER else f'{value:.1f}'))
            y += BAR
        least = bound_row(of_scene.get('rqfs') or next(iter(of_scene.values())))[bounded] if bounded else NEVER
        if least != NEVER:
            at = x + min(WIDTH, least * scale)
            made.append(f'<line x1="{at:.1f}" y1="{y - BAR * len(clients) - 2}" x2="{at:.1f}" y2="{y}" stroke="#c00" stroke-width="2"/>')
        y += GAP
    return made


def plot(results, title):
    """An SVG document."""
    clients = list(dict.fromkeys(client for of_scene in results.values() for client in of_scene))
    height = TOP + len(results) * (BAR * len(clients) + GAP) + 12
    width = LEFT + len(PANELS) * (WIDTH + SPACE)
    made = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
            f'<rect width="{width}" height="{height}" fill="#fff"/>', text(8, 18, title, 'font-size="13" font-weight="bold"')]
    x = width - 110 * (len(clients) + 1)
    for client in clients:
        made += [f'<rect x="{x}" y="9" width="10" height="10" fill="{COLOURS.get(client, "#888")}"/>', text(x + 14, 18, client)]
        x += 110
    made += [f'<line x1="{x + 4}" y1="7" x2="{x + 4}" y2="21" stroke="#c00" stroke-width="2"/>', text(x + 14, 18, 'bound')]
    for k, scene in enumerate(results):
        made.append(text(8, TOP + k * (BAR * len(clients) + GAP) + BAR * len(clients) / 2 + 4, scene))
    for index in range(len(PANELS)):
        made += panel(results, clients, index, height)
    return '\n'.join([*made, '</svg>']) + '\n'
