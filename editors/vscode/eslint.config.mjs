import javascript from '@eslint/js';
import typescript from 'typescript-eslint';

export default typescript.config(
  { ignores: ['out/', 'node_modules/', '*.mjs'] },
  javascript.configs.recommended,
  typescript.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true } } },
  {
    rules: {
      // A value in a message to the user is shown as it is.
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  {
    files: ['test/**'],
    rules: {
      // The played editor has the shape of the real one, which answers later and has more to say;
      // node:test waits for its tests by itself.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
);
