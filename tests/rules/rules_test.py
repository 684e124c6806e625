#!/usr/bin/env python3
"""The house rules of CONTRIBUTING.md that a machine can check: layers, threads, coroutines, sizes."""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ('torrent', 'cache', 'fs', 'tools')


def sources(*folders, suffixes=('.h', '.cpp')):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob('*')):
            if path.suffix in suffixes:
                yield path


def name(path):
    return path.relative_to(ROOT).as_posix()


def includes(path):
    return re.findall(r'^\s*#include\s+[<"]([^>"]+)[>"]', path.read_text(), re.M)


# In the order in which they begin: a string may hold what looks like a comment, and the other way round.
NOT_CODE = re.compile('|'.join((r'//[^\n]*', r'/\*.*?\*/', r'R"(\w*)\(.*?\)\1"', r'"(?:\\.|[^"\\\n])*"', r"'(?:\\[^'\n]+|\\'|[^'\\\n])'")), re.S)


def without_literals(text):
    return NOT_CODE.sub(lambda match: ('' if match[0][0] == '/' else '""') + '\n' * match[0].count('\n'), text)


def code(path):
    """The text without comments and string literals, lines kept."""
    return without_literals(path.read_text())


class Layers(unittest.TestCase):
    # What each folder may include of ours; inside torrent/ the parts know each other one way.
    MAY = {
        'torrent/metainfo': ('torrent/metainfo/', 'VOCABULARY'),
        'torrent/swarm': ('torrent/swarm/', 'torrent/metainfo/', 'VOCABULARY'),
        'torrent/net': ('torrent/net/', 'VOCABULARY'),
        'torrent/peer': ('torrent/peer/', 'torrent/net/', 'torrent/metainfo/', 'torrent/swarm/rate_', 'VOCABULARY'),
        'torrent/tracker': ('torrent/tracker/', 'torrent/net/', 'torrent/metainfo/', 'VOCABULARY'),
        'torrent/dht': ('torrent/dht/', 'torrent/net/', 'torrent/metainfo/', 'VOCABULARY'),
        'torrent': ('torrent/',),
        'cache': ('cache/', 'torrent/metainfo/piece_layout.h', 'VOCABULARY'),
        'fs': ('fs/', 'torrent/metainfo/', 'VOCABULARY'),
        'tools': ('tools/', 'fs/', 'cache/', 'torrent/'),
    }
    # Headers of torrent/ that join its parts: not vocabulary.
    ENGINE = {'session', 'session_state', 'session_context', 'torrent', 'connections', 'connections_owner', 'address_filter', 'download', 'readers', 'metadata_fetch',
              'add_source', 'connection_budget'}

    def allowed(self, included, folder):
        for rule in self.MAY[folder]:
            if rule == 'VOCABULARY':
                parts = pathlib.PurePosixPath(included)
                if parts.parent.as_posix() == 'torrent' and parts.stem not in self.ENGINE:
                    return True
            elif included.startswith(rule):
                return True
        return False

    def test_includes_point_one_way(self):
        wrong = []
        for path in sources(*LAYERS):
            folder = max((f for f in self.MAY if name(path).startswith(f + '/')), key=len)
            for included in includes(path):
                if included.split('/')[0] in LAYERS + ('tests',) and not self.allowed(included, folder):
                    wrong.append(f'{name(path)} includes {included}')
        self.assertEqual(wrong, [])

    # Third-party headers, and the only files that may include them.
    THIRD_PARTY = {
        r'openssl/|boost/asio/ssl': r'torrent/hash\.|torrent/net/tls\.|torrent/net/boost_sources|torrent/net/http_',
        r'boost/beast': r'torrent/net/http_|torrent/net/boost_sources|tools/rqfs/control_|tools/rqfsctl/|tools/control/',
        r'boost/json': r'tools/',
        r'zlib\.h': r'torrent/net/http_|torrent/net/ip_filter_files',
        r'sqlite3\.h': r'cache/state_db',
        r'yaml-cpp': r'tools/rqfs/config',
        r'CLI/': r'tools/rqfs/command_line|tools/rqfsctl/',
        r'fuse': r'fs/fuse_',
    }

    def test_third_party_libraries_stay_behind_their_files(self):
        wrong = []
        for path in sources(*LAYERS):
            for included in includes(path):
                for library, files in self.THIRD_PARTY.items():
                    if re.match(library, included) and not re.match(files, name(path)):
                        wrong.append(f'{name(path)} includes {included}')
        self.assertEqual(wrong, [])

    def test_pure_folders_know_no_io_clock_or_log(self):
        wrong = []
        # Of the DHT what decides; the node and what joins its two families do.
        dht = [path for path in sources('torrent/dht') if not re.match(r'dht(_node|_node_\w+|_random)?\.', path.name)]
        for path in [*sources('torrent/metainfo', 'torrent/swarm'), *dht]:
            text = code(path)
            for included in includes(path):
                if re.match(r'boost/asio|spdlog|thread|mutex|future|sys/|torrent/(clock|log|workers|task_group|event|timeout)', included):
                    wrong.append(f'{name(path)} includes {included}')
            if re.search(r'steady_clock::now|system_clock::now|\bfill_random\b|random_device', text):
                wrong.append(f'{name(path)} asks for the time or for chance')
        self.assertEqual(wrong, [])


class Time(unittest.TestCase):
    # The clock itself, and the event, whose timer never expires.
    HAS_TIME = r'torrent/(clock|event|precompiled)\.'

    def test_the_engine_takes_its_time_from_the_clock(self):
        """Else whole sessions could not run in virtual time."""
        wrong = [name(path) for path in sources('torrent') if not re.match(self.HAS_TIME, name(path))
                 and re.search(r'(steady|system|high_resolution)_clock::now|(steady|system|deadline)_timer|sleep_(for|until)', code(path))]
        self.assertEqual(wrong, [])


class Threads(unittest.TestCase):
    # The worker lanes and the logging sink are where threads meet.
    MEET = r'torrent/workers\.|tools/rqfs/log'

    def test_no_lock_or_atomic_outside_the_workers(self):
        wrong = [name(path) for path in sources(*LAYERS)
                 if not re.match(self.MEET, name(path)) and re.search(r'std::(mutex|atomic|shared_mutex|condition_variable|jthread|thread\b(?!::id))', code(path))]
        self.assertEqual(wrong, [])

    def test_every_coroutine_has_an_owner(self):
        wrong = [name(path) for path in sources(*LAYERS) if re.search(r'\basio::detached\b|enable_shared_from_this', code(path))]
        self.assertEqual(wrong, [])

    def test_the_engine_s_errors_become_errno_in_one_file(self):
        errno = r'\b(EIO|ENOENT|ESTALE|EROFS|EAGAIN|EBADF|ENOMEM|EINTR)\b'
        wrong = [name(path) for path in sources('fs') if not name(path).startswith('fs/to_errno')
                 and re.search(errno, code(path)) and re.search(r'Errc::', code(path))
                 and re.search(r'case\s+(torrent::)?Errc::', code(path))]
        self.assertEqual(wrong, [])


class Coroutines(unittest.TestCase):
    def test_the_check_itself_finds_what_it_is_for(self):
        for bad in ('co_await f([v] { return v; });', 'co_await f({a, b});', 'co_await g(h(S{.a = 1}));'):
            self.assertTrue(self.offences(bad), bad)
        for good in ('co_await f(a, b);', 'auto s = S{1}; co_await f(std::move(s));', 'for (;;) { co_await f(); }', 'if (co_await f()) { g(); }'):
            self.assertFalse(self.offences(good), good)

    @staticmethod
    def offences(text):
        lines = []
        for match in re.finditer(r'\bco_await\b', text):
            end, depth = match.end(), 0
            while end < len(text) and depth >= 0 and not (depth == 0 and text[end] in ';{'):
                depth += text[end] in '(['
                depth -= text[end] in ')]'
                if depth > 0 and text[end] == '{':
                    lines.append(text.count('\n', 0, match.start()) + 1)
                    break
                end += 1
        return lines

    def test_no_lambda_or_braces_inside_a_co_await_expression(self):
        """GCC 12 destroys such closures and aggregates twice."""
        wrong = [f'{name(path)}:{line}' for path in sources(*LAYERS, 'tests') for line in self.offences(code(path))]
        self.assertEqual(wrong, [])


def functions(text):
    """(line, lines) of each function's body with its braces, in code(); lambdas and local classes count to the function around them."""
    found, blocks, statement = [], [], ''
    text = re.sub(r'^[ \t]*#(?:\\\n|[^\n])*', lambda match: '\n' * match[0].count('\n'), text, flags=re.M)
    for match in re.finditer(r'[{};]|[^{};]+', text):
        token = match[0]
        if token == '{':
            inside = bool(blocks) and blocks[-1][0] != 'scope'
            opens_scope = '(' not in statement or re.search(r'\b(namespace|class|struct|enum|union)\b[^()]*$', statement)
            blocks.append(('inner' if inside else 'scope' if opens_scope else 'function', match.start(), statement))
            statement = ''
        elif token == '}':
            kind, begin, before = blocks.pop()
            statement = ''
            if kind == 'function' and re.match(r'\s*(?:,|\{)', text[match.end():]):
                statement = before  # a member's initialiser in braces: the body is yet to come
            elif kind == 'function':
                found.append((text.count('\n', 0, begin) + 1, text.count('\n', begin, match.end()) + 1))
        else:
            statement = '' if token == ';' and not (blocks and blocks[-1][0] == 'inner') else statement + token
    return found


class Sizes(unittest.TestCase):
    def test_the_search_for_functions_finds_them(self):
        text = '''#define X {
namespace a { class B : C { int f() const { return 1; } int x{g()};
    B() : c_{1}, d_(2) {
        auto const lambda = [] {
            return '{' + "http://{";  // {
        };
    }
}; }
struct D { std::array<int, 2> a{{1, 2}}; };
template <class T>
void h(T) requires(true) {
    for (;;) { }
}
'''
        self.assertEqual(functions(without_literals(text)), [(2, 1), (3, 5), (11, 3)])

    def test_functions_fit_a_screen(self):
        long = [f'{name(path)}:{line} has {lines} lines' for path in sources(*LAYERS) for line, lines in functions(code(path)) if lines > 40]
        self.assertEqual(long, [])

    def test_files_hold_one_idea(self):
        long = []
        for path in sources(*LAYERS):
            lines = path.read_text().count('\n')
            if lines > (150 if path.suffix == '.h' else 400):
                long.append(f'{name(path)} has {lines} lines')
        self.assertEqual(long, [])

    def test_lines_fit(self):
        """Code is cut by clang-format; comments may be somewhat longer."""
        wrong = [f'{name(path)}:{number}' for path in sources(*LAYERS) for number, line in enumerate(path.read_text().split('\n'), 1)
                 if len(line) > 160]
        self.assertEqual(wrong, [])


class Texts(unittest.TestCase):
    def test_top_level_holds_what_it_should(self):
        if not (ROOT / '.git').exists():
            self.skipTest('not a git checkout')
        listed = subprocess.run(['git', '-c', 'safe.directory=*', 'ls-files'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split('\n')
        top = {line.split('/')[0] for line in listed if line}
        self.assertLessEqual(top, {'CMakeLists.txt', 'CMakePresets.json', 'README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'LICENSE',
                                   '.gitignore', '.clang-format', '.clang-tidy', '.ci', 'fs', 'torrent', 'cache', 'tools', 'tests', 'man'})

    def test_nothing_is_left_open(self):
        wrong = [name(path) for path in sources(*LAYERS, 'tests', suffixes=('.h', '.cpp', '.py')) if path.resolve() != pathlib.Path(__file__).resolve()
                 and re.search(r'\b(TODO|FIXME|XXX)\b', path.read_text())]
        self.assertEqual(wrong, [])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=1)
