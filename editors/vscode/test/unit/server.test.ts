// The search for the program.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find, type Machine } from '../../src/server';

function machine(...files: string[]): Machine {
  return {
    path: '/usr/local/bin:/usr/bin',
    home: '/home/ada',
    folder: '/project',
    windows: false,
    runs: async (file) => files.includes(file),
  };
}

test('a name is looked for on the path, in its order', async () => {
  const on = machine('/usr/bin/cookc', '/usr/local/bin/cookc');
  assert.equal(await find('cookc', on), '/usr/local/bin/cookc');
});

test('what cargo installed is found when the path does not name it', async () => {
  assert.equal(
    await find('cookc', machine('/home/ada/.cargo/bin/cookc')),
    '/home/ada/.cargo/bin/cookc',
  );
});

test('an empty setting is the name of the program', async () => {
  assert.equal(await find(' ', machine('/usr/bin/cookc')), '/usr/bin/cookc');
});

test('a path is taken as it is, from the home, or from the folder', async () => {
  assert.equal(await find('/opt/cookc', machine('/opt/cookc')), '/opt/cookc');
  assert.equal(await find('~/bin/cookc', machine('/home/ada/bin/cookc')), '/home/ada/bin/cookc');
  const built = '/project/target/release/cookc';
  assert.equal(await find('target/release/cookc', machine(built)), built);
});

test('a path that is not there is not looked for elsewhere', async () => {
  assert.equal(await find('/opt/cookc', machine('/usr/bin/cookc')), undefined);
});
