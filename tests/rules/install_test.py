#!/usr/bin/env python3
"""cmake --install puts every file where a package, or an administrator, would."""
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

CMAKE, BUILD = sys.argv[1], pathlib.Path(sys.argv[2])

PROGRAMS = {'bin/rqfs', 'bin/rqfsctl'}
OTHERS = {
    'share/man/man1/rqfs.1', 'share/man/man1/rqfsctl.1', 'share/man/man5/rqfs.yaml.5', 'share/man/man7/rqfs-api.7',
    'share/bash-completion/completions/rqfsctl', 'share/fish/vendor_completions.d/rqfsctl.fish', 'lib/systemd/user/rqfs.service',
}


@unittest.skipUnless(all((BUILD / 'tools' / program).exists() for program in ('rqfs', 'rqfsctl')), 'rqfs and rqfsctl are not built')
class Install(unittest.TestCase):
    def install(self, prefix):
        """Installs with this prefix into a directory of its own, which stands for the root, and gives the prefix in it."""
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        subprocess.run([CMAKE, '--install', BUILD, '--prefix', prefix], check=True, stdout=subprocess.DEVNULL,
                       env=os.environ | {'DESTDIR': root.name})
        outside = [path for path in pathlib.Path(root.name).rglob('*') if path.is_file() and not path.is_relative_to(root.name + prefix)]
        self.assertEqual(outside, [])
        return pathlib.Path(root.name + prefix)

    def test_every_file_is_where_it_is_looked_for(self):
        for prefix, zsh in (('/usr', 'vendor-completions'), ('/usr/local', 'site-functions'), ('/opt/rqfs', 'site-functions')):
            with self.subTest(prefix=prefix):
                there = self.install(prefix)

                found = {path.relative_to(there).as_posix(): path for path in there.rglob('*') if path.is_file()}

                self.assertEqual(set(found), PROGRAMS | OTHERS | {f'share/zsh/{zsh}/_rqfsctl'})
                for name, path in found.items():
                    self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o755 if name in PROGRAMS else 0o644, name)

    def test_the_unit_starts_the_program_that_was_installed(self):
        for prefix in ('/usr', '/usr/local'):
            unit = (self.install(prefix) / 'lib/systemd/user/rqfs.service').read_text()

            self.assertIn(f'\nExecStart={prefix}/bin/rqfs ', unit)
            self.assertIn('\nType=notify\n', unit)
            self.assertNotIn('@', unit)

    def test_the_installed_programs_run(self):
        there = self.install('/usr')

        for program in PROGRAMS:
            said = subprocess.run([there / program, '--version'], capture_output=True, text=True, check=True).stdout
            self.assertRegex(said, r'\d+\.\d+')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=1)
