import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const BOUNDS = { '{ SignalingChannel }': 3_000, '*': 10_000 };

for (const [imported, bound] of Object.entries(BOUNDS)) {
  test(`${imported} has at most ${bound} bytes, minified and gzipped`, async () => {
    const { outputFiles } = await build({
      stdin: { contents: `export ${imported} from './client.js'`, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
      bundle: true, minify: true, format: 'esm', platform: 'browser', write: false,
    });
    const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
    assert.ok(size <= bound, `${size} bytes`);
  });
}
