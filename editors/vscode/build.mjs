// Bundles the extension, or its tests with the editor played by test/unit/mock.

import { readdirSync } from 'node:fs';
import esbuild from 'esbuild';

const what = process.argv[2];
const tests = () =>
  readdirSync('test/unit')
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/unit/${name}`);

await esbuild.build({
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: what !== 'minify',
  minify: what === 'minify',
  logLevel: 'warning',
  ...(what === 'test'
    ? {
        entryPoints: tests(),
        outdir: 'out/test',
        alias: {
          vscode: './test/unit/mock/vscode.ts',
          'vscode-languageclient/node': './test/unit/mock/client.ts',
        },
      }
    : { entryPoints: ['src/extension.ts'], outfile: 'out/extension.js', external: ['vscode'] }),
});
