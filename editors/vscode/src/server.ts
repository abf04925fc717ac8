// Where the language server is: the `cookc` program.

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** What the search depends on, so that a test can play it. */
export interface Machine {
  /** The folders of `PATH`, as the environment has them. */
  path: string;
  /** Where cargo puts programs, also when `PATH` does not name it. */
  home: string;
  /** The folder that a relative path is meant from. */
  folder: string | undefined;
  windows: boolean;
  runs(file: string): Promise<boolean>;
}

/** This machine. */
export function machine(folder: string | undefined): Machine {
  return {
    path: process.env.PATH ?? '',
    home: homedir(),
    folder,
    windows: process.platform === 'win32',
    runs: (file) =>
      access(file, constants.X_OK).then(
        () => true,
        () => false,
      ),
  };
}

/** The program that the setting names, or undefined if there is none. */
export async function find(setting: string, on: Machine): Promise<string | undefined> {
  for (const file of places(setting.trim() || 'cookc', on)) {
    if (await on.runs(file)) {
      return file;
    }
  }
  return undefined;
}

function places(setting: string, on: Machine): string[] {
  const written = setting.replace(/^~(?=[\\/])/, on.home);
  const file = on.windows && !/\.exe$/i.test(written) ? `${written}.exe` : written;
  if (isAbsolute(file)) {
    return [file];
  }
  if (/[\\/]/.test(file)) {
    return on.folder === undefined ? [] : [resolve(on.folder, file)];
  }
  const folders = on.path.split(delimiter).filter((folder) => folder !== '');
  return [...folders, join(on.home, '.cargo', 'bin')].map((folder) => join(folder, file));
}

/** What a user is told when there is no program. */
export function missing(setting: string): string {
  return (
    `cookc was not found as \`${setting}\`. Install it with \`cargo install cookc\`, ` +
    'or set `cookc.path` to where it is.'
  );
}
